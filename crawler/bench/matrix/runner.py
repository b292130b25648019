"""Running a plan: block by block, every cell in a process of its own, all by turns."""

import time
from collections.abc import Callable
from typing import Any

from crawler import __version__
from crawler.bench.lab.machine import machine, python_build
from crawler.bench.matrix.blocks import blocks
from crawler.bench.matrix.plan import Plan
from crawler.bench.matrix.results import entry
from crawler.bench.matrix.rounds import measure
from crawler.stats import now_utc

Say = Callable[[str], None]


def run(plan: Plan, say: Say, *, mock: bool = False) -> dict[str, Any]:
    """Measure everything; return what ``results.json`` holds. ``mock``: without sockets, by aioresponses."""
    started_at, start, described = now_utc(), time.monotonic(), machine()
    todo = list(blocks(plan, mock=mock))
    cells, left_out = [], []
    for number, block in enumerate(todo, 1):
        say(f"{number}/{len(todo)} {block.title}: {len(block.cells)} cells")
        cells += [entry(block, found) for found in measure(plan, block, mock=mock)]
        left_out += [{"workload": block.workload, "variant": each.variant, "why": each.why} for each in block.left_out]
    return {
        "version": __version__,
        "started_at": started_at,
        "seconds": round(time.monotonic() - start, 1),
        "mock": mock,
        "repeats": plan.repeats,
        "seed": plan.seed,
        "machine": described,
        "python": python_build(),
        "workloads": [_workload(name, plan) for name in plan.workloads],
        "cells": cells,
        "left_out": left_out,
    }


def _workload(name: str, plan: Plan) -> dict[str, Any]:
    work = plan.workloads[name]
    return {"name": name, "about": work.about, "site": work.site, "settings": work.settings}
