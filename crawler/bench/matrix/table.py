"""The results as a table for a terminal: one for each block, the fastest variant first."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from crawler.display import number

Cells = Sequence[Mapping[str, Any]]
_COLUMNS = (
    ("pages/s", "pages_per_second"),
    ("CPU", "cpu_ms_per_page"),
    ("RSS", "peak_rss_mb"),
    ("thr", "threads"),
    ("sw", "switches_per_page"),
)
_LEGEND = (
    "95 %: interval of pages/s. CPU: ms a page, all processes. RSS: MB of all processes at the peak. "
    "thr: threads. sw: context switches a page. lag: of the event loop, p99, ms."
)
_WIDTH_OF_A_FILE = 120
DISTURBED = 0.1
"""The share of the cores from which on other programs are worth a warning."""


def print_table(results: Mapping[str, Any]) -> None:
    """Print every block, what is invalid and what was left out."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH_OF_A_FILE)
    for block, cells in blocks(results):
        console.print(_table(block, cells))
        for cell in cells:
            if not cell["valid"]:
                console.print(Text(f"invalid: {label(cell)}: {cell['why']}", "red"))
        console.print()
    for variant, why in dict.fromkeys((each["variant"], each["why"]) for each in results["left_out"]):
        console.print(Text(f"left out: {variant}: {why}", "dim"))
    console.print(Text(_LEGEND, "dim"))
    busiest = max((block["others_cores"] for block in results["blocks"]), default=0.0)
    if busiest > DISTURBED * results["machine"]["cores"]:
        console.print(
            Text(f"Other programs kept up to {busiest} cores busy: run it again on a quiet machine.", "yellow")
        )


def blocks(results: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Cells]]:
    """Yield each block with its cells, which were compared with one another."""
    cells = iter(results["cells"])
    for block in results["blocks"]:
        yield block, list(islice(cells, block["cells"]))


def label(cell: Mapping[str, Any]) -> str:
    """Name a cell within its block."""
    name, sweep = cell["variant"]["name"], cell["sweep"]
    return f"{name} at {cell[sweep]}" if sweep else str(name)


def _table(block: Mapping[str, Any], cells: Cells) -> Table:
    table = Table(title=block["title"], title_justify="left", box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("variant", no_wrap=True)
    for heading, _ in _COLUMNS:
        table.add_column(heading, justify="right", no_wrap=True)
        if heading == "pages/s":
            table.add_column("95 %", justify="right", no_wrap=True)
    table.add_column("lag", justify="right", no_wrap=True)
    for cell in cells if block["sweep"] else sorted(cells, key=lambda cell: -(cell["pages_per_second"]["median"] or 0)):
        _add_row(table, cell)
    return table


def _add_row(table: Table, cell: Mapping[str, Any]) -> None:
    if not cell["valid"]:
        table.add_row(Text(label(cell), "red"), Text("invalid", "red"))
        return
    rate = cell["pages_per_second"]
    first, *others = (_median(cell[key]) for _, key in _COLUMNS)
    span = f"{number(rate['low'])} to {number(rate['high'])}" if len(rate["runs"]) > 1 else "one run"
    table.add_row(label(cell), first, span, *others, _median(cell["loop_lag_ms"]["p99"]))


def _median(spread: Mapping[str, Any]) -> str:
    return "" if spread["median"] is None else number(spread["median"])
