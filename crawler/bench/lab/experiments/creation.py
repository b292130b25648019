"""Making many of a kind, all alive at once: what each costs in time and memory, and what they share."""

import asyncio
import fcntl
import multiprocessing
import os
import threading
import time
from multiprocessing.context import ForkContext, ForkServerContext, SpawnContext
from multiprocessing.synchronize import Semaphore
from typing import Any

from crawler.bench.lab.experiments import probe

Cost = dict[str, float]
Context = SpawnContext | ForkServerContext | ForkContext

_HIGH_DESCRIPTOR = 400
_CONTEXTS: dict[str, Context] = {
    "spawn": multiprocessing.get_context("spawn"),
    "forkserver": multiprocessing.get_context("forkserver"),
    "fork": multiprocessing.get_context("fork"),
}
_marks: list[int] = []


def create(kind: str, count: int) -> Cost:
    """Make ``count`` of a kind and wait until each has run its first line.

    One is made before, unmeasured: it pays for imports and for helpers such as the fork server.

    Returns:
        ``us`` and ``kib`` of memory for each; ``reserved_kib`` of address space in this process.
    """
    if kind == "coroutine":
        return asyncio.run(_coroutines(count))
    if kind == "thread":
        return _threads(count)
    return _processes(_CONTEXTS[kind], count)


class _Meter:
    """Takes time and memory from its making to :meth:`cost`."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._memory, self._reserved = probe.tree_memory(), probe.reserved()
        self._start = time.perf_counter()

    def cost(self) -> Cost:
        seconds = time.perf_counter() - self._start
        memory, reserved = probe.tree_memory() - self._memory, probe.reserved() - self._reserved
        kib = {"kib": memory / 1024 / self._count, "reserved_kib": reserved / 1024 / self._count}
        return {"us": seconds * 1e6 / self._count, **kib}


async def _coroutines(count: int) -> Cost:
    gate, arrived = asyncio.Event(), asyncio.Semaphore(0)

    async def one() -> None:
        arrived.release()
        await gate.wait()

    async def many(number: int) -> list["asyncio.Task[None]"]:
        tasks = [asyncio.create_task(one()) for _ in range(number)]
        for _ in range(number):
            await arrived.acquire()
        return tasks

    tasks = await many(1)
    meter = _Meter(count)
    tasks += await many(count)
    cost = meter.cost()
    gate.set()
    await asyncio.gather(*tasks)
    return cost


def _threads(count: int) -> Cost:
    gate, arrived = threading.Event(), threading.Semaphore(0)

    def one() -> None:
        arrived.release()
        gate.wait()

    def many(number: int) -> list[threading.Thread]:
        threads = [threading.Thread(target=one) for _ in range(number)]
        for thread in threads:
            thread.start()
        for _ in range(number):
            arrived.acquire()
        return threads

    threads = many(1)
    meter = _Meter(count)
    try:
        threads += many(count)
        return meter.cost()
    finally:
        gate.set()
        for thread in threads:
            thread.join()


def _processes(context: Context, count: int) -> Cost:
    arrived = context.Semaphore(0)
    processes = _start_processes(context, 1, arrived)
    meter = _Meter(count)
    processes += _start_processes(context, count, arrived)
    cost = meter.cost()
    for process in processes:
        process.kill()
    for process in processes:
        process.join()
    return cost


def _start_processes(context: Context, number: int, arrived: Semaphore) -> list[Any]:
    processes = [context.Process(target=_arrive, args=(arrived,), daemon=True) for _ in range(number)]
    for process in processes:
        process.start()
    for _ in range(number):
        arrived.acquire()
    return processes


def _arrive(arrived: Semaphore) -> None:
    arrived.release()
    threading.Event().wait()


def ownership(kind: str) -> dict[str, bool]:
    """Let one worker write to a global and open a file; return whether its maker sees either, and where it ran."""
    if kind in {"coroutine", "thread"}:
        ids = _in_coroutine() if kind == "coroutine" else _in_thread()
    else:
        ids = _in_process(_CONTEXTS[kind])
    here = (os.getpid(), threading.get_ident())
    same_process = ids[0] == here[0]
    return {
        "sees_memory": bool(_marks),
        "sees_files": _is_open(_HIGH_DESCRIPTOR),
        "same_process": same_process,
        "same_thread": same_process and ids[1] == here[1],
    }


def _mark() -> tuple[int, int]:
    """Leave traces in memory and among the open files of whoever runs this."""
    _marks.append(os.getpid())
    null = os.open(os.devnull, os.O_RDONLY)
    fcntl.fcntl(null, fcntl.F_DUPFD, _HIGH_DESCRIPTOR)
    return os.getpid(), threading.get_ident()


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _in_coroutine() -> tuple[int, int]:
    async def one() -> tuple[int, int]:
        return _mark()

    return asyncio.run(one())


def _in_thread() -> tuple[int, int]:
    found: list[tuple[int, int]] = []
    thread = threading.Thread(target=lambda: found.append(_mark()))
    thread.start()
    thread.join()
    return found[0]


def _in_process(context: Context) -> tuple[int, int]:
    queue: Any = context.SimpleQueue()
    process: Any = context.Process(target=_put_mark, args=(queue,))
    process.start()
    found: tuple[int, int] = queue.get()
    process.join()
    return found


def _put_mark(queue: Any) -> None:
    queue.put(_mark())
