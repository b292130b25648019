"""An event loop that talks to a server while something else in the program burns CPU: how long each answer takes."""

import asyncio
import contextlib
import multiprocessing
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from multiprocessing.context import SpawnProcess
from typing import Any

import uvloop

from crawler.bench.lab.experiments.burn import START_S, burn
from crawler.bench.lab.experiments.delay_server import ANSWER, REQUEST

_SLICE = 50
_TIMEOUT_S = 60.0


def serve(loop: str, beside: tuple[str, int], seconds: float, interval: float, port: int) -> dict[str, float]:
    """Ask the server again and again over one connection while others burn CPU.

    Args:
        loop: ``selector`` or ``uvloop``.
        beside: ``threads`` or ``processes``, and how many of them burn CPU beside the loop; 0 for a quiet one.
        seconds: how long to ask.
        interval: the switch interval in seconds.
        port: where the server answers, after a moment in which the loop has nothing to do.

    Returns:
        ``ms`` and ``p95_ms`` from a question to its answer (median, 95th percentile), and the ``work`` that got done
        meanwhile, in units a second.
    """
    sys.setswitchinterval(interval)
    kind, workers = beside
    factory = uvloop.new_event_loop if loop == "uvloop" else asyncio.new_event_loop
    with (_threads if kind == "threads" else _processes)(workers) as done:
        before, start = done(), time.perf_counter()
        with asyncio.Runner(loop_factory=factory) as runner:
            times = runner.run(_ask(port, seconds))
        work = (done() - before) / (time.perf_counter() - start)
    return {"ms": statistics.median(times) * 1e3, "p95_ms": _percentile(times, 0.95) * 1e3, "work": work}


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[round(share * (len(values) - 1))]


async def _ask(port: int, seconds: float) -> list[float]:
    """Return the seconds that each answer took; at least three, however slow they are."""
    times: list[float] = []
    async with asyncio.timeout(_TIMEOUT_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        until = time.perf_counter() + seconds
        while (start := time.perf_counter()) < until or len(times) < 3:
            writer.write(REQUEST.pack(1))
            if await reader.read(1) != ANSWER:
                raise ConnectionError("the delay server has gone")
            times.append(time.perf_counter() - start)
        writer.close()
        await writer.wait_closed()
    return times


@contextlib.contextmanager
def _threads(workers: int) -> Iterator[Any]:
    """Burn in threads; yields what counts the units done."""
    done, stop, ready = [0] * workers, threading.Event(), threading.Barrier(workers + 1, timeout=START_S)

    def one(number: int) -> None:
        ready.wait()
        while not stop.is_set():
            burn(_SLICE)
            done[number] += _SLICE

    threads = [threading.Thread(target=one, args=(number,)) for number in range(workers)]
    for thread in threads:
        thread.start()
    ready.wait()
    try:
        yield lambda: sum(done)
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@contextlib.contextmanager
def _processes(workers: int) -> Iterator[Any]:
    """Burn in processes; yields what counts the units done."""
    context = multiprocessing.get_context("spawn")
    ready, done = context.Barrier(workers + 1, timeout=START_S), context.RawArray("q", max(1, workers))
    processes: list[SpawnProcess] = [
        context.Process(target=_burn_on, args=(number, ready, done), daemon=True) for number in range(workers)
    ]
    for process in processes:
        process.start()
    ready.wait()
    try:
        yield lambda: sum(done)
    finally:
        for process in processes:
            process.kill()
            process.join()


def _burn_on(number: int, ready: Any, done: Any) -> None:
    ready.wait()
    while True:
        burn(_SLICE)
        done[number] += _SLICE
