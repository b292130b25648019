"""What the kernel knows of threads and of coroutines: ids, blocking calls, switches, cores."""

import asyncio
import hashlib
import threading
import time
from collections.abc import Callable

from crawler.bench.lab.experiments import probe

_BLOCK = b"\0" * 2**20


def ids(kind: str, count: int) -> dict[str, int]:
    """Have ``count`` alive at once; return the kernel tasks that this added and the distinct ids they see."""
    before, seen = len(probe.tasks()), set[int]()
    if kind == "coroutine":
        added = asyncio.run(_coroutine_ids(count, seen)) - before
    else:
        added = _thread_ids(count, seen) - before
    return {"kernel_tasks": added, "distinct_ids": len(seen)}


async def _coroutine_ids(count: int, seen: set[int]) -> int:
    gate = asyncio.Event()

    async def one() -> None:
        seen.add(threading.get_native_id())
        await gate.wait()

    tasks = [asyncio.create_task(one()) for _ in range(count)]
    await asyncio.sleep(0)
    alive = len(probe.tasks())
    gate.set()
    await asyncio.gather(*tasks)
    return alive


def _thread_ids(count: int, seen: set[int]) -> int:
    gate, arrived = threading.Event(), threading.Semaphore(0)

    def one() -> None:
        seen.add(threading.get_native_id())
        arrived.release()
        gate.wait()

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for _ in range(count):
        arrived.acquire()
    alive = len(probe.tasks())
    gate.set()
    for thread in threads:
        thread.join()
    return alive


def block(kind: str, count: int, seconds: float) -> dict[str, float]:
    """Let each of ``count`` make one blocking system call; return how many calls long they took together."""
    return {"calls": _together(kind, count, lambda: time.sleep(seconds)) / seconds}


def use_cores(kind: str, count: int, blocks: int) -> dict[str, float]:
    """Let each of ``count`` hash, which releases the GIL; return what :func:`probe.at_once` says of the cores."""
    stretches: list[probe.Stretch] = []

    def hash_all() -> None:
        for _ in range(blocks):
            hashlib.sha256(_BLOCK)

    def work() -> None:
        with probe.CoreClock() as clock:
            stretches.append(clock.measure(hash_all))

    seconds = _together(kind, count, work)
    return probe.at_once(stretches, seconds)


def _together(kind: str, count: int, call: Callable[[], object]) -> float:
    """Run the same call in ``count`` coroutines or threads; return the seconds until all are done."""
    start = time.perf_counter()
    if kind == "coroutine":
        asyncio.run(_in_coroutines(count, call))
    else:
        threads = [threading.Thread(target=call) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return time.perf_counter() - start


async def _in_coroutines(count: int, call: Callable[[], object]) -> None:
    async def one() -> None:
        call()

    await asyncio.gather(*(one() for _ in range(count)))


def switch(kind: str, count: int) -> dict[str, float]:
    """Hand control to and fro ``count`` times; return ``us`` and the kernel's own switches for each."""
    kernel, start = probe.switches(), time.perf_counter()
    if kind == "coroutine":
        asyncio.run(_coroutine_turns(count))
    else:
        _thread_turns(count)
    seconds, switches = time.perf_counter() - start, probe.switches() - kernel
    return {"us": seconds * 1e6 / count, "kernel_switches": switches / count}


async def _coroutine_turns(count: int) -> None:
    async def one() -> None:
        for _ in range(count // 2):
            await asyncio.sleep(0)

    await asyncio.gather(one(), one())


def _thread_turns(count: int) -> None:
    mine, yours = threading.Lock(), threading.Lock()
    yours.acquire()

    def turns(take: threading.Lock, give: threading.Lock) -> None:
        for _ in range(count // 2):
            take.acquire()
            give.release()

    thread = threading.Thread(target=turns, args=(yours, mine))
    thread.start()
    turns(mine, yours)
    thread.join()
