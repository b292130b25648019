"""The report of a comparison: one self-contained page, made from ``results.json`` and nothing else."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from crawler.bench.matrix import exhibits, sentences
from crawler.bench.matrix.sentences import Cell, Cells, ranked
from crawler.bench.matrix.table import DISTURBED, blocks, label
from crawler.display import number
from crawler.report import render
from crawler.report.charts import Measured

QUANTITIES = {
    "pages/s": ("pages_per_second",),
    "seconds": ("seconds",),
    "CPU ms/page": ("cpu_ms_per_page",),
    "user": ("user_ms_per_page",),
    "system": ("system_ms_per_page",),
    "peak RSS MB": ("peak_rss_mb",),
    "memory MB": ("memory_mb",),
    "threads": ("threads",),
    "switches/page": ("switches_per_page",),
    "lag p50 ms": ("loop_lag_ms", "p50"),
    "lag p99 ms": ("loop_lag_ms", "p99"),
    "lag max ms": ("loop_lag_ms", "max"),
    "hand-off ms/page": ("hand_off_ms_per_page",),
}
"""The columns of the table of all figures, and where a cell holds them."""

_FIXED = ("concurrency", "workers")


def report(results: Mapping[str, Any]) -> str:
    """Return the page; every chart, sentence and number in it is computed from the results."""
    sections = [_section(results, block, cells) for block, cells in blocks(results)]
    invalid = sum(not cell["valid"] for cell in results["cells"])
    return render("bench.html.j2", results=results, sections=sections, invalid=invalid, quantities=list(QUANTITIES))


def _section(results: Mapping[str, Any], block: Mapping[str, Any], cells: Cells) -> dict[str, Any]:
    name = re.sub(r"[^a-z0-9]+", "-", block["title"].lower())
    cores, sweep = results["machine"]["cores"], block["sweep"]
    shown = exhibits.of_sweep(cells, sweep) if sweep else exhibits.of_variants(cells, cores)
    return {
        "id": f"w-{name}",
        "title": block["title"],
        "about": _work(results, block)["about"],
        "method": _method(results, block, cells),
        "finding": sentences.scaling(sentences.by_variant(cells, sweep), sweep) if sweep else sentences.rates(cells),
        "exhibits": [
            {"svg": each.chart.svg(f"{name}-{n}"), "title": each.chart.title, "caption": each.caption}
            for n, each in enumerate(shown)
        ],
        "cells": list(_rows(cells)),
        "others_cores": block["others_cores"],
        "disturbed": block["others_cores"] > DISTURBED * cores,
    }


def _method(results: Mapping[str, Any], block: Mapping[str, Any], cells: Cells) -> str:
    """Say in words what was crawled."""
    site = _work(results, block)["site"]
    size = site["page_size"]
    span = number(size) if isinstance(size, int | float) else f"{number(size[0])} to {number(size[1])}"
    latency = "at once, without a network" if results["mock"] else _latency(site["latency"])
    fixed = [f"; {name} {cell[name]}" for cell in cells[:1] for name in _FIXED if name != block["sweep"]]
    return (
        f"{number(site['pages'])} URLs on {number(site['hosts'])} hosts, {span} bytes a page, answered {latency}"
        f"{''.join(fixed)}."
    )


def _latency(text: str) -> str:
    """Put a latency of the synthetic web into words."""
    name, _, rest = text.partition(":")
    values = [float(value) for value in rest.split(",")]
    if name == "lognormal":
        return f"after {number(values[0])} s at the median (log-normal, sigma {number(values[1])})"
    if name == "uniform":
        return f"after {number(values[0])} to {number(values[1])} s"
    return f"after {number(values[0])} s" if values[0] else "at once"


def _work(results: Mapping[str, Any], block: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(each for each in results["workloads"] if each["name"] == block["workload"])
    return found


def _rows(cells: Cells) -> Iterator[dict[str, Any]]:
    order = ranked(cells)
    for cell in [*order, *(cell for cell in cells if cell not in order)]:
        figures = [_value(cell, path) for path in QUANTITIES.values()]
        runs = len(cell["pages_per_second"]["runs"])
        yield {"label": label(cell), "valid": cell["valid"], "why": cell["why"], "runs": runs, "figures": figures}


def _value(cell: Cell, path: tuple[str, ...]) -> Measured | None:
    spread: Any = cell
    for key in path:
        spread = spread[key]
    return None if spread["median"] is None else Measured.of(spread)
