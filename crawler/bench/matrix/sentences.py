"""What the figures of a block say, in words: every sentence follows from the results alone."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from crawler.bench.lab.spread import Spread
from crawler.bench.matrix.interval import times
from crawler.bench.matrix.table import label
from crawler.display import number

Cell = Mapping[str, Any]
Cells = Sequence[Cell]
_CLEAR = 1.5
_NAMES = {"concurrency": "connections", "workers": "workers"}
_TOO_FEW = "Too few cells are valid to say how they scale."


def ranked(cells: Cells) -> list[Cell]:
    """Return the valid cells, the fastest first."""
    return sorted((cell for cell in cells if cell["valid"]), key=lambda cell: -cell["pages_per_second"]["median"])


def compared(one: Cell, other: Cell) -> Spread:
    """Say how many times the pages of another cell one did."""
    return times(one["pages_per_second"]["runs"], other["pages_per_second"]["runs"])


def rates(cells: Cells) -> str:
    """Name the fastest, who cannot be told from it, and how far the others are behind."""
    order = ranked(cells)
    if not order:
        return "No cell is valid, so nothing can be compared."
    first = order[0]
    level = [cell for cell in order[1:] if _level(first, cell)]
    behind = [cell for cell in order[1:] if cell not in level]
    text = f"{label(first)} did most pages: {_with_interval(first['pages_per_second'])} a second."
    if level:
        text += f" Too close to call: {', '.join(map(label, level))}."
    if behind:
        texts = (f"{_factor(first, cell)} {label(cell)}" for cell in _telling(behind))
        text += f" That is {', '.join(texts)}."
    return text


def _level(first: Cell, other: Cell) -> bool:
    """Whether another cell may be as fast: the ratio's interval holds 1, or one round shows no clear difference."""
    found = compared(first, other)
    return found["low"] <= 1 if len(found["runs"]) > 1 else found["median"] < _CLEAR


def _telling(behind: Cells) -> Cells:
    """Return those that are worth a word: the next one, and the slowest."""
    return behind if len(behind) < 3 else [behind[0], behind[-1]]


def _factor(first: Cell, other: Cell) -> str:
    found = compared(first, other)
    span = f" ({number(found['low'])} to {number(found['high'])})" if len(found["runs"]) > 1 else ""
    return f"{number(found['median'])} times{span}"


def _with_interval(spread: Mapping[str, Any]) -> str:
    if len(spread["runs"]) < 2:
        return f"{number(spread['median'])} (one run)"
    return f"{number(spread['median'])} ({number(spread['low'])} to {number(spread['high'])})"


def _extremes(cells: Cells, value: Callable[[Cell], float]) -> tuple[Cell, Cell]:
    return min(cells, key=value), max(cells, key=value)


def cpu(cells: Cells) -> str:
    """Say who takes least and who takes most CPU time for a page."""

    def value(cell: Cell) -> float:
        return float(cell["cpu_ms_per_page"]["median"])

    least, most = _extremes(cells, value)
    return (
        f"A page cost {number(value(least))} ms of CPU in {label(least)}, the least, and {number(value(most))} ms in "
        f"{label(most)}, {number(value(most) / value(least))} times as much; all processes of the crawler count, the "
        "server does not."
    )


def memory(cells: Cells) -> str:
    """Say who takes least and who takes most memory, and how much of that is shared."""

    def value(cell: Cell) -> float:
        return float(cell["peak_rss_mb"]["median"])

    least, most = _extremes(cells, value)
    text = f"{label(least)} took least, {number(value(least))} MB, and {label(most)} most, {number(value(most))} MB."
    once = most["memory_mb"]["median"]
    if once is None:
        return text
    return f"{text} Pages that processes share count in each of them; counted once, the latter held {number(once)} MB."


def lag(cells: Cells) -> str:
    """Say whose loop was held up least and most."""

    def value(cell: Cell) -> float:
        return float(cell["loop_lag_ms"]["p99"]["median"])

    least, most = _extremes(cells, value)
    return (
        f"One look in a hundred at the loop of {label(most)} came {number(value(most))} ms late or more, at that of "
        f"{label(least)} {number(value(least))} ms: for so long nothing else could run there."
    )


def pace(cells: Cells) -> str:
    """Say how long the runs that are shown over time took, and how even they were."""
    texts = (
        f"{label(cell)} finished its {number(cell['pages'])} pages after {number(_end(cell))} s, "
        f"{number(max(cell['timeline']['pages_per_second']))} a second at its best"
        for cell in cells
    )
    return f"The run with the median rate of each: {'; '.join(texts)}."


def _end(cell: Cell) -> float:
    """Return when the run that is shown ended: the last step is as wide as twice the middle of the first."""
    moments = cell["timeline"]["seconds"]
    return float(moments[-1] + moments[0])


def busy(cells: Cells, cores: int) -> str:
    """Say how busy the cores were in the runs that are shown."""
    texts = (
        f"{label(cell)} kept {number(_mean(cell['timeline']['cores']))} of {cores} cores busy on average and "
        f"{number(max(cell['timeline']['cores']))} at most"
        for cell in cells
    )
    return f"{'; '.join(texts)}. The server takes its share of the same cores."


def worst_lag(cells: Cells) -> str:
    """Say when the loop was held up longest."""
    texts = []
    for cell in cells:
        line = cell["timeline"]
        worst = max(line["lag_ms"])
        at = line["seconds"][line["lag_ms"].index(worst)]
        texts.append(f"{label(cell)} by {number(worst)} ms, after {number(at)} s")
    return f"The loop was late at the worst: {'; '.join(texts)}."


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def by_variant(cells: Cells, sweep: str) -> dict[str, Cells]:
    """Return the valid cells of each variant, in the order of the quantity."""
    found: dict[str, list[Cell]] = {}
    for cell in sorted(cells, key=lambda cell: cell[sweep]):
        if cell["valid"]:
            found.setdefault(cell["variant"]["name"], []).append(cell)
    return {name: each for name, each in found.items() if len(each) > 1}


def scaling(lines: Mapping[str, Cells], sweep: str) -> str:
    """Say what the most of a quantity brings over the least of it."""
    texts = (
        f"{name} did {_factor(cells[-1], cells[0])} the pages with {cells[-1][sweep]} {_NAMES[sweep]} as with "
        f"{cells[0][sweep]}"
        for name, cells in lines.items()
    )
    return f"{'; '.join(texts)}." if lines else _TOO_FEW


def growth(lines: Mapping[str, Cells], sweep: str) -> str:
    """Say what one more of a quantity costs in memory: the slope between the least and the most of it."""
    texts = (f"{name} {number(_slope(cells, sweep))} KiB" for name, cells in lines.items())
    one = _NAMES[sweep].removesuffix("s")
    return f"One more {one} takes, on average from the least to the most: {'; '.join(texts)}."


def _slope(cells: Cells, sweep: str) -> float:
    least, most = cells[0], cells[-1]
    grown = most["peak_rss_mb"]["median"] - least["peak_rss_mb"]["median"]
    return float(1024 * grown / (most[sweep] - least[sweep]))


def cpu_growth(lines: Mapping[str, Cells], sweep: str) -> str:
    """Say how the CPU time of a page changes from the least to the most of a quantity."""
    texts = (
        f"{name} from {number(cells[0]['cpu_ms_per_page']['median'])} to "
        f"{number(cells[-1]['cpu_ms_per_page']['median'])} ms"
        for name, cells in lines.items()
    )
    return f"The CPU time of a page went, from the fewest {_NAMES[sweep]} to the most: {'; '.join(texts)}."
