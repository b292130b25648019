"""The charts of the report, each with a sentence that says what it shows; made from ``results.json`` alone."""

from collections.abc import Iterator

from crawler.bench.lab.claim import Exhibit
from crawler.bench.matrix import sentences
from crawler.bench.matrix.sentences import Cell, Cells, ranked
from crawler.bench.matrix.table import label
from crawler.report.charts import Bar, BarChart, Line, LineChart, Measured

_LINES = (
    "coroutines+processes",
    "coroutines+threads",
    "textbook",
    "coroutines+inline",
    "coroutines+interpreters",
    "threads+processes",
    "threads+threads",
    "threaded",
)
"""Variants that have the same colour in every chart of lines, and there that of their way to analyse in bars."""

_BARS = ("processes", "threads", "pool", "inline", "interpreters", *_LINES[5:7], "control")
_SHOWN_OVER_TIME = ("coroutines+inline", "coroutines+threads", "coroutines+processes")


def of_variants(cells: Cells, cores: int) -> Iterator[Exhibit]:
    """Show the variants of one workload: what each does, and what it takes for it."""
    order = ranked(cells)
    if not order:
        return
    yield Exhibit(_bars("Pages a second", "pages a second", order, "pages_per_second"), sentences.rates(cells))
    yield Exhibit(_bars("CPU time of a page", "ms of CPU a page", order, "cpu_ms_per_page"), sentences.cpu(order))
    yield Exhibit(_bars("Memory at the peak", "MB resident", order, "peak_rss_mb"), sentences.memory(order))
    with_loop = [cell for cell in order if cell["loop_lag_ms"]["p99"]["median"] is not None]
    if with_loop:
        yield Exhibit(_lags(with_loop), sentences.lag(with_loop))
    yield from _over_time(order, cores)


def _bars(title: str, unit: str, cells: Cells, key: str) -> BarChart:
    bars = [Bar(label(cell), Measured.of(cell[key]), _series(cell)) for cell in cells]
    return BarChart(title, unit, bars, palette=_BARS)


def _lags(cells: Cells) -> BarChart:
    bars = [Bar(label(cell), Measured.of(cell["loop_lag_ms"]["p99"]), _series(cell)) for cell in cells]
    return BarChart("Lag of the event loop, 99th percentile", "ms", bars, log=True, palette=_BARS)


def _series(cell: Cell) -> str:
    variant = cell["variant"]
    return "control" if variant["control"] and variant["cpu"] != "pool" else str(variant["cpu"])


def _over_time(order: Cells, cores: int) -> Iterator[Exhibit]:
    """Show one run of a few variants over time."""
    shown = [cell for cell in order if cell["variant"]["name"] in _SHOWN_OVER_TIME and cell["timeline"]]
    if not shown:
        return
    names = ("pages_per_second", "cores", "lag_ms")
    titles = ("Pages finished over time", "Cores kept busy over time", "Worst lag of the loop over time")
    charts = {
        key: LineChart(title, "seconds since the first request", unit, _times(shown, key), palette=_LINES)
        for key, title, unit in zip(names, titles, ("pages a second", "cores", "ms"), strict=True)
    }
    yield Exhibit(charts["pages_per_second"], sentences.pace(shown))
    yield Exhibit(charts["cores"], sentences.busy(shown, cores))
    yield Exhibit(charts["lag_ms"], sentences.worst_lag(shown))


def _times(cells: Cells, key: str) -> list[Line]:
    return [
        Line(
            label(cell),
            [
                (at, Measured.exactly(value))
                for at, value in zip(cell["timeline"]["seconds"], cell["timeline"][key], strict=True)
            ],
        )
        for cell in cells
    ]


def of_sweep(cells: Cells, sweep: str) -> Iterator[Exhibit]:
    """Show how the variants scale with one quantity."""
    lines = sentences.by_variant(cells, sweep)
    if not lines:
        return
    axis = {"concurrency": "requests in flight", "workers": "workers"}[sweep]
    log = sweep == "concurrency"

    def chart(title: str, unit: str, key: str) -> LineChart:
        drawn = [Line(name, [(cell[sweep], Measured.of(cell[key])) for cell in found]) for name, found in lines.items()]
        return LineChart(title, axis, unit, drawn, log_x=log, palette=_LINES)

    yield Exhibit(
        chart(f"Pages a second by {sweep}", "pages a second", "pages_per_second"), sentences.scaling(lines, sweep)
    )
    yield Exhibit(chart(f"Memory by {sweep}", "MB resident", "peak_rss_mb"), sentences.growth(lines, sweep))
    yield Exhibit(
        chart(f"CPU time by {sweep}", "ms of CPU a page", "cpu_ms_per_page"), sentences.cpu_growth(lines, sweep)
    )
