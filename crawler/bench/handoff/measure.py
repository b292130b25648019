"""The measurement: rounds in which every way has its turn, and what is left of their figures without the work."""

import random
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from typing import Any

import uvloop

from cpu_stage.types import Page
from crawler import __version__
from crawler.bench.handoff.ways import WAYS, Way
from crawler.bench.handoff.work import words
from crawler.bench.lab.machine import machine, python_build
from crawler.bench.lab.spread import Spread, by_key, ratio
from crawler.errors import CrawlerError
from crawler.stats import now_utc

SIZES = (2_000, 20_000, 200_000, 2_000_000)
"""Bytes of text a page."""

_US = 1e6
_DISTINCT_BYTES = 20_000_000
_VOCABULARY = ("the", "of", "and", "which", "pages", "crawler", "process", "worker", "memory", "through", "another")


class HandoffError(CrawlerError):
    """A way lost pages or altered them."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured: rounds, pages in a row at most, bytes of text in a row at most, pages alone."""

    rounds: int = 9
    pages: int = 3_000
    volume: int = 30_000_000
    alone: int = 40

    def row(self, size: int) -> int:
        """Return how many pages of a size are sent in a row."""
        return max(10, min(self.pages, self.volume // size))


@dataclass(frozen=True, slots=True)
class Cost:
    """Microseconds a page over the work itself; ``cpu_us`` is parent and worker together."""

    wall_us: float
    parent_us: float
    worker_us: float
    cpu_us: float


@dataclass(frozen=True, slots=True)
class Used:
    """What some pages took, work included, in seconds: on the clock on the wall, and of CPU in parent and worker."""

    wall_s: float
    parent_s: float
    worker_s: float

    def over(self, work_s: float, pages: int) -> Cost:
        """Return the cost of each of these pages without the seconds of its work, which the worker does."""
        wall, parent, worker = (
            (seconds / pages - own) * _US
            for seconds, own in ((self.wall_s, work_s), (self.parent_s, 0.0), (self.worker_s, work_s))
        )
        return Cost(wall, parent, worker, parent + worker)


def make_pages(size: int, count: int) -> list[Page]:
    """Make pages with ``size`` bytes of text each; where they take much memory, they repeat themselves."""
    rng = random.Random(size)
    distinct = max(1, min(count, _DISTINCT_BYTES // size))
    long = " ".join(rng.choices(_VOCABULARY, k=size // 2))
    starts = [rng.randrange(len(long) - size) for _ in range(distinct)]
    pages = [
        Page(f"http://example.test/{n}", "text/html", "utf-8", "A page", long[start : start + size])
        for n, start in enumerate(starts)
    ]
    return [pages[n % distinct] for n in range(count)]


def measure_work(pages: Sequence[Page]) -> float:
    """Return the seconds of CPU that the work takes per page, done right here."""
    start = time.process_time()
    for page in pages:
        words(page.text)
    return (time.process_time() - start) / len(pages)


async def measure_row(way: Way, pages: Sequence[Page], expected: Sequence[int]) -> Used:
    """Hand over pages in a row, and measure all of it.

    Raises:
        HandoffError: the results are not those of the work.
    """
    worker, parent, wall = await way.cpu_s(), time.process_time(), time.perf_counter()
    results = await way.process(pages)
    wall, parent = time.perf_counter() - wall, time.process_time() - parent
    worker = await way.cpu_s() - worker
    if results != expected:
        raise HandoffError(f"{way.name} lost or altered pages: its figures would be worth nothing")
    return Used(wall, parent, worker)


async def measure_alone(way: Way, pages: Sequence[Page]) -> Used:
    """Hand over one page after the other; of the wall's clock, the median page counts."""
    worker, parent, times = await way.cpu_s(), time.process_time(), []
    for page in pages:
        start = time.perf_counter()
        await way.process([page])
        times.append(time.perf_counter() - start)
    parent = time.process_time() - parent
    return Used(statistics.median(times) * len(pages), parent, await way.cpu_s() - worker)


async def measure_size(size: int, effort: Effort, seed: int) -> dict[str, Any]:
    """Measure every way with pages of one size; each round has its own order of the ways, its own cost of the work."""
    pages, rng = make_pages(size, effort.row(size)), random.Random(seed)
    expected = [words(page.text) for page in pages]
    row: dict[str, list[Cost]] = {way.name: [] for way in WAYS}
    alone: dict[str, list[Cost]] = {way.name: [] for way in WAYS}
    works = []
    async with AsyncExitStack() as stack:
        ways = [await stack.enter_async_context(way()) for way in WAYS]
        for way in ways:
            await measure_row(way, pages, expected)  # warms up: caches, memory, the stage's idea of a batch
        for _ in range(effort.rounds):
            works.append(work := measure_work(pages))
            for way in rng.sample(ways, len(ways)):
                row[way.name].append((await measure_row(way, pages, expected)).over(work, len(pages)))
                few = pages[: effort.alone]
                alone[way.name].append((await measure_alone(way, few)).over(work, len(few)))
    return summary(size, len(pages), works, row, alone)


def summary(
    size: int, pages: int, works: Sequence[float], row: dict[str, list[Cost]], alone: dict[str, list[Cost]]
) -> dict[str, Any]:
    """Put the rounds of one size together; the first way is what the others are compared with, round by round."""
    costs = {name: by_key([asdict(cost) for cost in rounds]) for name, rounds in row.items()}
    first = next(iter(costs.values()))
    return {
        "bytes": size,
        "pages": pages,
        "work_us": by_key([{"work": work * _US} for work in works])["work"],
        "ways": [
            {
                "way": way.name,
                "how": way.how,
                "row": costs[way.name],
                "alone": by_key([asdict(cost) for cost in alone[way.name]]),
                "times_cheaper": _cheaper(first, costs[way.name]),
            }
            for way in WAYS
        ],
    }


def _cheaper(first: dict[str, Spread], other: dict[str, Spread]) -> dict[str, Spread]:
    return {key: ratio(first[key], other[key]) for key in ("wall_us", "cpu_us")}


def run(effort: Effort, seed: int, sizes: Sequence[int], say: Callable[[str], None]) -> dict[str, Any]:
    """Measure all sizes; return what ``results.json`` holds."""
    described, started_at, found = machine(), now_utc(), []
    for size in sizes:
        say(f"{size:,} bytes a page: {effort.rounds} rounds of {effort.row(size):,} pages")
        found.append(uvloop.run(measure_size(size, effort, seed)))
    return {
        "version": __version__,
        "started_at": started_at,
        "machine": described,
        "load_after": machine()["load"],
        "python": python_build(),
        "effort": asdict(effort),
        "seed": seed,
        "sizes": found,
    }
