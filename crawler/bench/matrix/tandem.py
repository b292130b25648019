"""One crawl by the crawler itself, in this process, with everything that a run has to show for it."""

import asyncio
import contextlib
import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from cpu_stage.types import Json
from crawler.bench.matrix import tree
from crawler.bench.matrix.lag import LagLine, metered
from crawler.bench.matrix.orders import Line, Outcome
from crawler.bench.work import Visited, digest
from crawler.build import build, loop_factory
from crawler.config import Config, load
from crawler.stats import Earlier
from crawler.types import Outcome as Ending

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a directory of our own is made there


@dataclass(frozen=True, slots=True)
class _Run:
    """What was measured of a crawl, but for its records."""

    began: float
    seconds: float
    used: tree.Use
    memory: int | None
    hand_off_s: float
    lag: LagLine


def crawl(settings: Mapping[str, Json]) -> Outcome:
    """Crawl by a configuration, dotted keys to values; records go to a file in memory, as they would to a disk."""
    config = load([], {}, [], settings).config
    with _directory() as folder:
        output = folder / "pages.jsonl"
        with asyncio.Runner(loop_factory=loop_factory(config)) as runner:
            run = runner.run(_crawl(config, output))
        records = [orjson.loads(line) for line in output.read_bytes().splitlines()]
    return Outcome(
        [visited(record) for record in records],
        run.seconds,
        run.used.user_s,
        run.used.system_s,
        run.used.switches,
        run.memory,
        run.lag.as_json(),
        run.hand_off_s,
        _line(run, records),
    )


@contextlib.contextmanager
def _directory() -> Iterator[Path]:
    """Make a directory whose files are in memory, so that the speed of a disk is not measured."""
    parent = _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=parent) as name:
        yield Path(name)


async def _crawl(config: Config, output: Path) -> _Run:
    lag = LagLine()
    async with build(config, None, str(output), Earlier()) as parts:
        await parts.stage.warm()
        await parts.sow(config.seeds)
        before = tree.use()
        await metered(parts.engine.run(), lag)
        used, memory = tree.use().since(before), tree.memory([os.getpid(), *tree.descendants(os.getpid())])
        metrics = parts.book.metrics
        began = time.monotonic() if metrics.first_fetch is None else metrics.first_fetch
        return _Run(began, metrics.seconds, used, memory, parts.stage.counts().hand_off_s, lag)


def visited(record: Mapping[str, Any]) -> Visited:
    """Return what a record of ``pages.jsonl`` says that all variants must say."""
    has_page = record["outcome"] == Ending.OK
    analysis = digest(record["analysis"]) if has_page and not record["analysis_error"] else None
    return Visited(record["url"], record["status"], record["sha256"] if has_page else None, analysis)


def _line(run: _Run, records: Sequence[Mapping[str, Any]]) -> Line:
    """Put the moments of the run on one axis. A record's time is that of the wall clock when its page was finished."""
    wall = time.time() - time.monotonic() + run.began
    finished = sorted(datetime.fromisoformat(record["fetched_at"]).timestamp() - wall for record in records)
    return Line(run.began, finished, [(at - run.began, seconds) for at, seconds in run.lag.seen])
