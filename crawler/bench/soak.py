"""What a leak costs: ``python -m crawler.bench.soak``.

An analyzer keeps a megabyte of every page for ever. The memory of all workers together is looked at twenty times a
second, while they are recycled by ``recycle_memory``.
"""

import argparse
import asyncio
import time
from collections.abc import Mapping

from cpu_stage.loading import AnalyzerSpec
from cpu_stage.stage import CpuStage, StageSettings
from cpu_stage.types import Json, Page
from cpu_stage.worker import Plan
from crawler.metrics import MemoryMeter

MIB = 2**20
_LOOK_S = 0.05
_AHEAD = 200
_hoard: list[bytearray] = []


def leak(_: Page) -> Mapping[str, Json]:
    """Keep a megabyte."""
    _hoard.append(bytearray(MIB))
    return {}


async def soak(pages: int, workers: int, mark: int) -> str:
    """Process so many pages; return in one line what it took. ``mark`` in bytes."""
    plan = Plan((AnalyzerSpec("leak", "crawler.bench.soak:leak"),))
    async with CpuStage(plan, StageSettings("processes", workers, recycle_memory=mark)) as stage:
        await stage.warm()
        meter, errors = MemoryMeter(), 0
        seen: set[str] = set()
        before, start = meter.sample(), time.perf_counter()
        for first in range(0, pages, _AHEAD):
            numbers = range(first, min(first + _AHEAD, pages))
            waiting = {stage.submit(Page(f"http://soak.test/{n}", "text/html", "utf-8", "")) for n in numbers}
            while waiting:
                done, waiting = await asyncio.wait(waiting, timeout=_LOOK_S)
                meter.sample()
                analyses = [future.result().analysis for future in done]
                errors += sum(bool(analysis.errors) for analysis in analyses)
                seen.update(analysis.worker for analysis in analyses)
        rate = pages / (time.perf_counter() - start)
    return (
        f"{pages:,} pages that leak 1 MiB each, {errors} errors, {len(seen)} workers in turn, {rate:,.0f} pages/s: "
        f"at most {meter.peak / 1e6:,.0f} MB in all processes ({before / 1e6:,.0f} MB before the first page)"
    )


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=5_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--mark", type=int, default=128, help="recycle_memory in MiB")
    options = parser.parse_args()
    print(asyncio.run(soak(options.pages, options.workers, options.mark * MIB)))


if __name__ == "__main__":
    main()
