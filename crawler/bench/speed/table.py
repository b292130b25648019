"""The results for a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from crawler.bench.matrix.table import DISTURBED
from crawler.report.charts import Measured

_WIDTH_OF_A_FILE = 120


def print_results(results: Mapping[str, Any]) -> None:
    """Print all of them."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH_OF_A_FILE)
    if results["sites"]:
        console.print(_sites(results))
    console.print(_slow(results["slow_servers"]))
    start = results["start"]
    console.print(f"crawler --help: {_range(start['help_ms'])} ms; first page after {_range(start['first_page_s'])} s")
    if results["others_cores"] > DISTURBED * results["machine"]["cores"]:
        busy = f"Other programs kept {results['others_cores']} cores busy, the sites' own servers among them."
        console.print(Text(busy, "yellow"))


def _sites(results: Mapping[str, Any]) -> Table:
    table = Table(title=None, box=None, pad_edge=False, header_style="bold")
    for name in ("site", "work", "who", "pages/s", "tandem is, times as fast"):
        table.add_column(name, justify="left" if name in {"site", "work", "who"} else "right")
    for entry in results["sites"]:
        for name, rate in entry["pages_per_second"].items():
            times = entry["times"].get(name)
            table.add_row(entry["seed"], entry["work"], name, _range(rate), _range(times) if times else "")
    return table


def _slow(entries: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(title=None, box=None, pad_edge=False, header_style="bold")
    for name in ("connections", "s each", "pages/s", "of connections / latency", "loop, ms a page"):
        table.add_column(name, justify="right")
    for entry in entries:
        spreads = [_range(entry[name]) for name in ("pages_per_second", "share_of_bound", "loop_ms_per_page")]
        table.add_row(f"{entry['connections']:,}", f"{entry['latency_s']}", *spreads)
    return table


def _range(spread: Mapping[str, Any]) -> str:
    return str(Measured.of(spread))
