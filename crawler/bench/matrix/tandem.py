"""One crawl by the crawler itself, in this process, with everything that a run has to show for it."""

import asyncio
import contextlib
import os
import tempfile
import time
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import orjson

from cpu_stage.types import Json
from crawler.bench.matrix import tree
from crawler.bench.matrix.orders import Line, Outcome
from crawler.bench.work import Visited, digest
from crawler.build import Crawl, build, loop_factory
from crawler.config import Config, load
from crawler.metrics import LagMeter
from crawler.stats import Earlier
from crawler.types import Outcome as Ending

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a directory of our own is made there
T = TypeVar("T")


class LagLine(LagMeter):
    """A meter of the loop's lag that also remembers when each was seen."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[float, float]] = []

    def observe(self, lag: float) -> None:
        """Count one lag in seconds."""
        super().observe(lag)
        self.seen.append((time.monotonic(), lag))


async def metered(work: Awaitable[T], lag: LagMeter) -> T:
    """Do the work while the loop's lag is measured."""
    meter = asyncio.create_task(lag.run())
    try:
        return await work
    finally:
        meter.cancel()
        await asyncio.gather(meter, return_exceptions=True)


def crawl(settings: Mapping[str, Json]) -> Outcome:
    """Crawl by a configuration, dotted keys to values; records go to a file in memory, as they would to a disk."""
    config = load([], {}, [], settings).config
    with _directory() as folder, asyncio.Runner(loop_factory=loop_factory(config)) as runner:
        return runner.run(_crawl(config, folder / "pages.jsonl"))


@contextlib.contextmanager
def _directory() -> Iterator[Path]:
    """Make a directory whose files are in memory, so that the speed of a disk is not measured."""
    parent = _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=parent) as name:
        yield Path(name)


async def _crawl(config: Config, output: Path) -> Outcome:
    lag = LagLine()
    async with build(config, None, str(output), Earlier()) as parts:
        await parts.stage.warm()
        await parts.sow(config.seeds)
        before = tree.use()
        await metered(parts.engine.run(), lag)
        used, memory = tree.use().since(before), tree.memory([os.getpid(), *tree.descendants(os.getpid())])
        records = [orjson.loads(line) for line in output.read_bytes().splitlines()]
        return Outcome(
            [visited(record) for record in records],
            parts.book.metrics.seconds,
            used.user_s,
            used.system_s,
            used.switches,
            memory,
            lag.as_json(),
            parts.stats("finished")["stages"]["hand_off"]["seconds"],
            _line(parts, lag, records),
        )


def visited(record: Mapping[str, Any]) -> Visited:
    """Return what a record of ``pages.jsonl`` says that all variants must say."""
    has_page = record["outcome"] == Ending.OK
    analysis = digest(record["analysis"]) if has_page and not record["analysis_error"] else None
    return Visited(record["url"], record["status"], record["sha256"] if has_page else None, analysis)


def _line(parts: Crawl, lag: LagLine, records: Sequence[Mapping[str, Any]]) -> Line:
    """Put the moments of the run on one axis. A record's time is that of the wall clock when its page was finished."""
    began = parts.book.metrics.first_fetch or time.monotonic()
    wall = time.time() - time.monotonic() + began
    finished = sorted(datetime.fromisoformat(record["fetched_at"]).timestamp() - wall for record in records)
    return Line(began, finished, [(at - began, seconds) for at, seconds in lag.seen])
