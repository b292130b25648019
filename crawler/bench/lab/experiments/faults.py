"""Four workers with the same number of items; one meets a fault half-way. Who goes on?

Every item that a worker has done is a line written to the standard output at once, so that the tale survives
whoever tells it. The faults: an exception, a segmentation fault (reading address 0), ``os._exit``.
"""

import asyncio
import contextlib
import ctypes
import multiprocessing
import os
import resource
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, ProcessPoolExecutor

from cpu_stage.types import Json, Page

WORKERS = 4
SURVIVED = "host survived"
_STEP_S = 0.01


def work(kind: str, fault: str, items: int) -> str:
    """Run the workers; return a word that says that the host is alive at the end."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    runs = {
        "coroutines": _coroutines,
        "threads": _threads,
        "processes": _processes,
        "one pool of processes": _pool,
        "Tandem's lanes": _lanes,
    }
    runs[kind](fault, items)
    return SURVIVED


def _item(worker: int, item: int, items: int, fault: str) -> None:
    """Do one item; the first worker meets the fault in the middle of its items."""
    if worker == 0 and item == items // 2:
        _fail(fault)
    os.write(1, b"%d/%d\n" % (worker, item))


def _fail(fault: str) -> None:
    if fault == "exception":
        raise ValueError("a bad page")
    if fault == "exit":
        os._exit(3)
    ctypes.string_at(0)


def _loop(worker: int, items: int, fault: str) -> None:
    for item in range(items):
        time.sleep(_STEP_S)
        _item(worker, item, items, fault)


def _coroutines(fault: str, items: int) -> None:
    async def one(worker: int) -> None:
        for item in range(items):
            await asyncio.sleep(_STEP_S)
            _item(worker, item, items, fault)

    async def together() -> None:
        await asyncio.gather(*map(one, range(WORKERS)), return_exceptions=True)

    asyncio.run(together())


def _threads(fault: str, items: int) -> None:
    threading.excepthook = lambda _: None
    threads = [threading.Thread(target=_loop, args=(worker, items, fault)) for worker in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _processes(fault: str, items: int) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_quietly, args=(worker, items, fault)) for worker in range(WORKERS)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()


def _quietly(worker: int, items: int, fault: str) -> None:
    with contextlib.suppress(ValueError):
        _loop(worker, items, fault)


def _pool(fault: str, items: int) -> None:
    """Hand every item to one ``ProcessPoolExecutor``, in the order in which the workers would have come to them."""
    with ProcessPoolExecutor(WORKERS, mp_context=multiprocessing.get_context("spawn")) as pool:
        futures: list[Future[None]] = []
        with contextlib.suppress(RuntimeError):  # the pool is broken: it takes nothing more
            futures.extend(
                pool.submit(_pooled, worker, item, items, fault) for item in range(items) for worker in range(WORKERS)
            )
    for future in futures:
        future.exception()


def _pooled(worker: int, item: int, items: int, fault: str) -> None:
    time.sleep(_STEP_S)
    _item(worker, item, items, fault)


def analyze(page: Page, items: int, fault: str) -> Mapping[str, Json]:
    """Do the item that a page's URL names: an analyzer for the CPU stage."""
    worker, item = map(int, page.url.split("/"))
    time.sleep(_STEP_S)
    _item(worker, item, items, fault)
    return {}


def _lanes(fault: str, items: int) -> None:
    """Hand every item to Tandem's own CPU stage as a page; what it does with the culprit is its business."""
    from cpu_stage.loading import AnalyzerSpec  # noqa: PLC0415 - the other kinds need none of it
    from cpu_stage.stage import CpuStage, StageSettings  # noqa: PLC0415
    from cpu_stage.worker import Plan  # noqa: PLC0415

    spec = AnalyzerSpec("fault", f"{__name__}:analyze", {"items": items, "fault": fault})

    async def together() -> None:
        async with CpuStage(Plan((spec,)), StageSettings(workers=WORKERS)) as stage:
            pages = [Page(f"{worker}/{item}", "", "", None) for item in range(items) for worker in range(WORKERS)]
            await asyncio.gather(*map(stage.submit, pages))

    asyncio.run(together())
