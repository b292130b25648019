"""Running a plan: block by block, every cell in a process of its own, all by turns."""

import importlib
import time
from collections.abc import Callable
from typing import Any

from crawler import __version__
from crawler.bench.lab.machine import machine, python_build
from crawler.bench.matrix.blocks import Block, Left, blocks
from crawler.bench.matrix.plan import Plan
from crawler.bench.matrix.results import entry
from crawler.bench.matrix.rounds import Measured, measure
from crawler.stats import now_utc

Say = Callable[[str], None]


def run(plan: Plan, say: Say, *, mock: bool = False) -> dict[str, Any]:
    """Measure everything; return what ``results.json`` holds. ``mock``: without sockets, by aioresponses.

    Raises:
        ConfigError: aioresponses is needed and not installed.
    """
    if mock:
        importlib.import_module("crawler.bench.mocked")
    started_at, start, described = now_utc(), time.monotonic(), machine()
    planned = list(blocks(plan, mock=mock))
    todo = [block for block in planned if block.cells]
    left_out = [_left_out(block, each) for block in planned for each in block.left_out]
    entries, cells = [], []
    for number, block in enumerate(todo, 1):
        say(f"{number}/{len(todo)} {block.title}: {len(block.cells)} cells")
        found = measure(plan, block, mock=mock)
        entries.append(_block(block, found))
        cells += [entry(block, each) for each in found.cells]
        left_out += [_left_out(block, each) for each in found.left_out]
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
        "blocks": entries,
        "cells": cells,
        "left_out": left_out,
    }


def _block(block: Block, found: Measured) -> dict[str, Any]:
    return {
        "title": block.title,
        "workload": block.workload,
        "sweep": block.sweep,
        "cells": len(found.cells),
        "others_cores": found.others_cores,
    }


def _left_out(block: Block, left: Left) -> dict[str, Any]:
    return {"workload": block.workload, "variant": left.variant, "why": left.why}


def _workload(name: str, plan: Plan) -> dict[str, Any]:
    work = plan.workloads[name]
    return {"name": name, "about": work.about, "site": work.site, "settings": work.settings}
