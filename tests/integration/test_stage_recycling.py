"""Workers that have worked enough, or hold too much, are replaced, and nothing is lost by it."""

import asyncio
import os

from cpu_stage.stage import CpuStage, StageSettings
from cpu_stage.worker import Plan
from crawler.metrics import MemoryMeter
from tests.contract.executor_suite import pages, spec
from tests.processes import DEADLINE_S, until

MIB = 2**20
WIDTH = 2


def leaky(settings: StageSettings) -> CpuStage:
    return CpuStage(Plan((spec("leaks", size=MIB),)), settings)


async def test_a_worker_is_replaced_after_its_pages_and_only_once_its_successor_is_ready() -> None:
    settings = StageSettings("processes", WIDTH, batch=4, recycle_pages=20)
    async with CpuStage(Plan((spec("leaks", size=0),)), settings) as stage:
        await stage.warm()
        workers, pids = [], set()
        async with asyncio.timeout(DEADLINE_S):
            while stage.counts().replaced < 2 * WIDTH:
                for future in [stage.submit(each) for each in pages(20)]:
                    pids.add((await future).analysis.values["leaks"]["pid"])
                    workers.append(stage.counts().workers)
        assert min(workers) >= WIDTH
        assert max(workers) <= WIDTH + 1
        await stage.submit(pages(1)[0])
        await until(lambda: stage.counts().workers == WIDTH)
    assert len(pids) >= 2 * WIDTH


async def test_a_worker_without_a_limit_is_never_replaced() -> None:
    async with CpuStage(Plan((spec("leaks", size=0),)), StageSettings("processes", WIDTH)) as stage:
        results = await asyncio.gather(*(stage.submit(each) for each in pages(500)))
        assert stage.counts().replaced == 0
    assert len({r.analysis.values["leaks"]["pid"] for r in results}) <= WIDTH


async def test_an_analyzer_that_leaks_is_held_in_bounds() -> None:
    """A megabyte a page: each worker may take twice the mark, and what is in its batches by then."""
    count = int(os.environ.get("SOAK_PAGES", "400"))
    mark, batch = 100 * MIB, 4
    async with leaky(StageSettings("processes", WIDTH, batch=batch, recycle_memory=mark)) as stage:
        meter, before = MemoryMeter(), MemoryMeter().sample()
        waiting = futures = [stage.submit(each) for each in pages(count)]
        while waiting:
            waiting = list((await asyncio.wait(waiting, timeout=0.02))[1])
            meter.sample()
        results = [await future for future in futures]
        replaced = stage.counts().replaced
    each_worker = 2 * mark + (2 * batch + 40) * MIB  # and what Python itself takes
    assert meter.peak <= before + (WIDTH + 1) * each_worker
    kept = [int(str(r.analysis.values["leaks"]["kept"])) for r in results]
    assert max(kept) <= 2 * mark // MIB + 2 * batch
    assert replaced >= count // (2 * mark // MIB + 2 * batch) - WIDTH
    assert all(not r.analysis.errors for r in results)


async def test_a_worker_that_crashes_while_its_successor_is_on_its_way_does_not_make_the_stage_wider() -> None:
    settings = StageSettings("processes", WIDTH, batch=2, recycle_pages=2)
    plan = Plan((spec("length"), spec("misbehave")))
    async with CpuStage(plan, settings) as stage:
        items = [
            page if n % 7 else type(page)(page.url, "text/html", "utf-8", "_exit") for n, page in enumerate(pages(70))
        ]
        results = await asyncio.gather(*(stage.submit(item) for item in items))
        await until(lambda: stage.counts().workers == WIDTH)
        await stage.warm()
        assert stage.counts().workers == WIDTH
    assert sum(bool(r.analysis.errors) for r in results) == 10
