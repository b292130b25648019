"""The advice for a terminal: what was predicted and measured, the recommendation, and its YAML."""

from collections.abc import Mapping
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from crawler.bench.matrix.table import DISTURBED
from crawler.bench.tune.words import configuration, verdict
from crawler.display import number
from crawler.report.charts import Measured

_WIDTH_OF_A_FILE = 120


def print_advice(results: dict[str, Any]) -> None:
    """Print it."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH_OF_A_FILE)
    console.print(_table(results))
    for each in results["variants"]:
        if each["why"]:
            console.print(Text(f"invalid: {each['variant']}: {each['why']}", "red"))
    for each in results["left_out"]:
        console.print(Text(f"left out: {each['executor']}: {each['why']}", "dim"))
    if results["others_cores"] > DISTURBED * results["machine"]["cores"]:
        busy = f"Other programs kept {results['others_cores']} cores busy: run it again on a quiet machine."
        console.print(Text(busy, "yellow"))
    console.print(Text(verdict(results), "bold"))
    click.echo("\n" + configuration(results))


def _table(results: Mapping[str, Any]) -> Table:
    table = Table(title=None, box=None, pad_edge=False, header_style="bold")
    for name in ("variant", "requests", "predicted", "held back by", "measured pages/s", "error"):
        table.add_column(name, justify="left" if name in {"variant", "held back by"} else "right")
    for each in sorted(results["variants"], key=lambda each: -each["predicted"]):
        measured, error = each["measured"], each["prediction_error"]
        table.add_row(
            each["variant"],
            str(each["width"]),
            number(each["predicted"]),
            each["bottleneck"],
            str(Measured.of(measured)) if measured else "",
            f"{error:+.0%}" if error is not None else "",
        )
    return table
