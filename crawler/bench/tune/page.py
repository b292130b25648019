"""The report of a tuning: one self-contained page, made from ``results.json`` and nothing else."""

from collections.abc import Iterator, Mapping
from typing import Any

from crawler.bench.lab.claim import Exhibit
from crawler.bench.tune import words
from crawler.report import render
from crawler.report.charts import Bar, BarChart, Line, LineChart, Measured

Results = Mapping[str, Any]
_SERIES = ("measured", "predicted")


def report(results: Results) -> str:
    """Return the page."""
    exhibits = [
        {"svg": each.chart.svg(f"c{n}"), "title": each.chart.title, "caption": each.caption}
        for n, each in enumerate(_exhibits(results))
    ]
    variants = sorted(results["variants"], key=lambda each: -each["predicted"])
    return render(
        "tune.html.j2",
        results=results,
        variants=[{**each, "spread": each["measured"] and Measured.of(each["measured"])} for each in variants],
        exhibits=exhibits,
        verdict=words.verdict(results),
        configuration=words.configuration(results),
    )


def _exhibits(results: Results) -> Iterator[Exhibit]:
    rates = BarChart("Pages a second", "pages a second", _rates(results), palette=_SERIES)
    yield Exhibit(rates, words.accuracy(results))
    yield Exhibit(BarChart("CPU time of a page", "ms of CPU", _costs(results)), words.costs(results))
    lines = [
        Line(name, [(width, Measured.exactly(rate)) for width, rate in points])
        for name, points in results["by_width"].items()
    ]
    title, across = "Predicted by the number of requests at once", "requests at once"
    yield Exhibit(LineChart(title, across, "pages a second", lines, log_x=True), words.widths(results))


def _rates(results: Results) -> list[Bar]:
    bars = []
    for each in sorted(results["variants"], key=lambda each: -each["predicted"]):
        if each["measured"]:
            bars.append(Bar(f"{each['variant']}, measured", Measured.of(each["measured"]), "measured"))
        bars.append(Bar(f"{each['variant']}, predicted", Measured.exactly(each["predicted"]), "predicted"))
    return bars


def _costs(results: Results) -> list[Bar]:
    demands = results["demands"]
    fetching = [(f"to fetch by {mode}, parsed", found["cpu_ms"]) for mode, found in demands["fetching"].items()]
    analysing = [(f"to analyse: {name}", found["cpu_ms"]) for name, found in demands["analysing"].items()]
    named = [(*each, "fetching") for each in fetching] + [("to parse", demands["parse_ms"], "parsing")]
    named += [(*each, "analysing") for each in analysing]
    return [Bar(label, Measured.exactly(value), series) for label, value, series in named]
