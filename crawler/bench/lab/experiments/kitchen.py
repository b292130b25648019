"""Three dishes cooked one after another, by coroutines, by threads and by processes, and what really ran when.

A dish is a list of steps: ``work`` needs the cook's hands (pure Python), ``wait`` only time (water that boils). Work
is cut into chunks of a quarter of a millisecond. A chunk counts as running where its thread had a core for most of it,
and as ready where it had one or waited for one that other programs held; a thread that lost the GIL in the middle
was neither. A coroutine looks round after five milliseconds of work, which is as long as the GIL leaves a thread alone.
"""

import asyncio
import multiprocessing
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

from crawler.bench.lab.experiments import probe
from crawler.bench.lab.experiments.burn import START_S, burn

RECIPES: dict[str, list[tuple[str, float]]] = {
    "boil noodles": [("work", 0.02), ("wait", 0.30), ("work", 0.02)],
    "knead dough": [("work", 0.25)],
    "prepare pasta": [("work", 0.16), ("wait", 0.08), ("work", 0.06)],
}
"""Seconds of each step where the cook does nothing else."""

_CHUNK_S = 0.00025
_GAP_S = 0.0001
_MOST = 0.6
_TURN = 20

Dish = dict[str, Any]


def cook(cooks: str, speed: float, scale: float) -> dict[str, Any]:
    """Cook all dishes; ``speed`` is the units of work in a second, ``scale`` stretches every step.

    Returns:
        ``seconds`` until all are done, and for each dish when it began and ended and the spans in which it ran and
        was ready, all in seconds from the start.
    """
    kitchen = {"one by one": _in_turn, "coroutines": _coroutines, "threads": _threads, "processes": _processes}[cooks]
    start, dishes = kitchen(speed, scale)
    plates = {name: _plate(dish, start) for name, dish in dishes.items()}
    return {"seconds": max(plate["ended"] for plate in plates.values()), "dishes": plates}


def _plate(dish: Dish, start: float) -> Dish:
    def since(moment: float) -> float:
        return round(max(0.0, moment - start), 6)

    spans = {kind: [[since(begin), since(end)] for begin, end in dish[kind]] for kind in ("ran", "ready")}
    return {"began": since(dish["began"]), "ended": since(dish["ended"]), **spans}


class _Log:
    """The notes of one dish: when it began and ended, when it ran and when it was ready to."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._ran: list[list[float]] = []
        self._ready: list[list[float]] = []
        self._clock = probe.CoreClock()

    def chunk(self, units: int) -> None:
        """Work for one chunk."""
        start = time.perf_counter()
        stretch = self._clock.measure(lambda: burn(units))
        if stretch.core >= _MOST * stretch.wall:
            _extend(self._ran, start, start + stretch.wall)
        if stretch.wanted >= _MOST * stretch.wall:
            _extend(self._ready, start, start + stretch.wall)

    def finish(self) -> Dish:
        return {"began": self._began, "ended": time.perf_counter(), "ran": self._ran, "ready": self._ready}


def _extend(spans: list[list[float]], start: float, end: float) -> None:
    """Add a span, joined to the one before where they touch."""
    if spans and start - spans[-1][1] < _GAP_S:
        spans[-1][1] = end
    else:
        spans.append([start, end])


def _steps(name: str, speed: float, scale: float) -> Iterator[tuple[str, float]]:
    """Yield every wait in seconds, and every chunk of work in units."""
    for kind, seconds in RECIPES[name]:
        if kind == "wait":
            yield kind, seconds * scale
        else:
            for _ in range(round(seconds * scale / _CHUNK_S)):
                yield "work", speed * _CHUNK_S


def _prepare(name: str, speed: float, scale: float) -> Dish:
    log = _Log()
    for kind, amount in _steps(name, speed, scale):
        if kind == "wait":
            time.sleep(amount)
        else:
            log.chunk(round(amount))
    return log.finish()


def _in_turn(speed: float, scale: float) -> tuple[float, dict[str, Dish]]:
    start = time.perf_counter()
    return start, {name: _prepare(name, speed, scale) for name in RECIPES}


def _coroutines(speed: float, scale: float) -> tuple[float, dict[str, Dish]]:
    async def prepare(name: str) -> Dish:
        log = _Log()
        for n, (kind, amount) in enumerate(_steps(name, speed, scale)):
            if kind == "work":
                log.chunk(round(amount))
            if kind == "wait" or n % _TURN == 0:
                await asyncio.sleep(amount if kind == "wait" else 0)
        return log.finish()

    async def kitchen() -> tuple[float, list[Dish]]:
        start = time.perf_counter()
        return start, await asyncio.gather(*map(prepare, RECIPES))

    start, dishes = asyncio.run(kitchen())
    return start, dict(zip(RECIPES, dishes, strict=True))


def _threads(speed: float, scale: float) -> tuple[float, dict[str, Dish]]:
    dishes: dict[str, Dish] = {}
    ready = threading.Barrier(len(RECIPES) + 1, timeout=START_S)

    def prepare(name: str) -> None:
        ready.wait()
        dishes[name] = _prepare(name, speed, scale)

    threads = [threading.Thread(target=prepare, args=(name,)) for name in RECIPES]
    for thread in threads:
        thread.start()
    start = time.perf_counter()
    ready.wait()
    for thread in threads:
        thread.join()
    return start, {name: dishes[name] for name in RECIPES}


def _processes(speed: float, scale: float) -> tuple[float, dict[str, Dish]]:
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(len(RECIPES) + 1, timeout=START_S)
    pipes = {name: context.Pipe(duplex=False) for name in RECIPES}
    processes = [
        context.Process(target=_cook_in_process, args=(name, speed, scale, ready, pipes[name][1])) for name in RECIPES
    ]
    for process in processes:
        process.start()
    start = time.perf_counter()
    ready.wait()
    start = time.perf_counter()
    dishes = {name: pipes[name][0].recv() for name in RECIPES}
    for process in processes:
        process.join()
    return start, dishes


def _cook_in_process(name: str, speed: float, scale: float, ready: Any, answer: Connection) -> None:
    ready.wait()
    answer.send(_prepare(name, speed, scale))
