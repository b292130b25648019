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
from crawler.job import PAGES, Job
from crawler.stats import Earlier
from crawler.types import Outcome as Ending

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a directory of our own is made there


@dataclass(frozen=True, slots=True)
class _Run:
    """What was measured of a crawl, but for its records."""

    began: float
    seconds: float
    used: tree.Use
    own_s: float
    memory: int | None
    hand_off_s: float
    lag: LagLine


def crawl(settings: Mapping[str, Json], max_pages: int) -> Outcome:
    """Crawl by a configuration, dotted keys to values, or to ``max_pages`` records if that is less.

    The job's directory is in memory, so that the speed of a disk is not measured.
    """
    wanted = settings.get("limits.pages")
    limit = min(max_pages, wanted) if isinstance(wanted, int) else max_pages
    config = load([], {}, [], {**settings, "limits.pages": limit}).config
    with _directory() as folder, Job.open(folder / "job") as job:
        with asyncio.Runner(loop_factory=loop_factory(config)) as runner:
            run = runner.run(_crawl(config, job))
        records = [orjson.loads(line) for line in (job.path / PAGES).read_bytes().splitlines()]
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
        own_s=run.own_s,
    )


@contextlib.contextmanager
def _directory() -> Iterator[Path]:
    """Make a directory whose files are in memory, where there is room for such."""
    parent = _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=parent) as name:
        yield Path(name)


async def _crawl(config: Config, job: Job) -> _Run:
    lag = LagLine()
    async with build(config, job, None, Earlier()) as parts:
        await parts.stage.warm()
        await parts.sow(config.seeds)
        before, own = tree.use(), time.process_time()
        await metered(parts.engine.run(), lag)
        own = time.process_time() - own
        used, memory = tree.use().since(before), tree.memory([os.getpid(), *tree.descendants(os.getpid())])
        metrics = parts.book.metrics
        began = time.monotonic() if metrics.first_fetch is None else metrics.first_fetch
        return _Run(began, metrics.seconds, used, own, memory, parts.stage.counts().hand_off_s, lag)


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
