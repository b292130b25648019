"""The results for a terminal: a table for each size, and how the stage stands to its target."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from crawler.display import number

TARGET_BYTES, TARGET_US = 20_000, 25.0
"""A page of so many bytes is to cost the stage no more microseconds over the work itself, by the wall."""

_WIDTH_OF_A_FILE = 120
_LEGEND = (
    "Microseconds a page over the work itself: the median of the rounds (the lowest to the highest). pace: the CPU of "
    "the busier process, which is what the wall shows where each has a core to itself. parent, worker, both: CPU. "
    "x: how many times cheaper than run_in_executor. alone: one page at a time, by the wall and by the CPU of both."
)


def print_results(results: Mapping[str, Any]) -> None:
    """Print every size."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH_OF_A_FILE)
    for size in results["sizes"]:
        console.print(_table(size))
        console.print()
    console.print(Text(_LEGEND, "dim"))
    for line in verdicts(results):
        console.print(line)


def verdicts(results: Mapping[str, Any]) -> list[str]:
    """Say how the stage stands to its target, where that size was measured."""
    lines = []
    for size in results["sizes"]:
        if size["bytes"] == TARGET_BYTES:
            plain, stage = size["ways"][0]["row"], size["ways"][-1]["row"]
            met = "met" if stage["wall_us"]["median"] <= TARGET_US else "missed"
            lines.append(
                f"A page of {TARGET_BYTES:,} bytes costs the stage {_range(stage['wall_us'])} us by the wall, at a "
                f"pace of {_range(stage['pace_us'])}; run_in_executor {_range(plain['wall_us'])}, at a pace of "
                f"{_range(plain['pace_us'])}. The target, {TARGET_US:g} us by the wall, is {met}."
            )
    return lines


def _table(size: Mapping[str, Any]) -> Table:
    title = f"{size['bytes']:,} bytes a page; the work itself: {_range(size['work_us'])} us"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("way", no_wrap=True)
    for heading in ("wall", "pace", "parent", "worker", "both", "x pace", "x both", "alone", "CPU"):
        table.add_column(heading, justify="right", no_wrap=True)
    for way in size["ways"]:
        row, alone, cheaper = way["row"], way["alone"], way["times_cheaper"]
        table.add_row(
            way["way"],
            _range(row["wall_us"]),
            _range(row["pace_us"]),
            number(row["parent_us"]["median"]),
            number(row["worker_us"]["median"]),
            _range(row["cpu_us"]),
            number(cheaper["pace_us"]["median"]),
            number(cheaper["cpu_us"]["median"]),
            number(alone["wall_us"]["median"]),
            number(alone["cpu_us"]["median"]),
        )
    return table


def _range(spread: Mapping[str, Any]) -> str:
    middle, low, high = (number(spread[key]) for key in ("median", "low", "high"))
    return f"{middle} ({low} to {high})" if len(spread["runs"]) > 1 else middle
