"""The async front of the CPU stage.

::

    submit(page) ──► waiting ──► batch ──► lane 1: worker ◄─ watch: page_timeout, page_memory
                       ▲   │               lane 2: worker
                       │   └─ sized by measured work, sent to the lane with the least to do
                       └───── a lost batch comes back, its culprit alone

A page can fail; the stage cannot. When a worker dies or is killed, the page that it was at is known (the worker's
pulse); that page is tried again alone, its batch-mates are replayed as if nothing had happened, and the lane
gets a new worker while the other lanes go on.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Self

from cpu_stage.batching import BatchSizer
from cpu_stage.executors import executor_module
from cpu_stage.lanes import Batch, Job, Lane, StageError
from cpu_stage.types import AnalysisError, AnalysisErrorKind, Page
from cpu_stage.worker import PARSE_STEP, Plan, Processed, RawPage, failed

log = logging.getLogger(__name__)

_WATCH_S = 0.05
_CRASHES = 2
_START_FAILURES = 3
PARSE = "parse"
"""The name under which a page's own parsing fails in ``analysis_error``."""


@dataclass(frozen=True, slots=True)
class StageSettings:
    """How the stage runs. Times in seconds, memory in bytes; None: no limit.

    A page's limits hold for ``processes`` alone: nothing can stop a thread.
    """

    executor: str = "processes"
    workers: int = 2
    batch: int = 16
    page_timeout: float | None = 30.0
    page_memory: int | None = None
    recycle_pages: int | None = None
    recycle_memory: int | None = None


@dataclass(frozen=True, slots=True)
class StageCounts:
    """What the stage holds and has lived through."""

    waiting: int
    running: int
    workers: int
    replaced: int


class CpuStage:
    """Processes pages in workers; every submitted page gets its :class:`Processed`, whatever happens."""

    def __init__(self, plan: Plan, settings: StageSettings) -> None:
        self._plan = replace(plan, page_memory=settings.page_memory)
        self._settings = settings
        self._module = executor_module(settings.executor)
        self._width = 1 if settings.executor == "inline" else settings.workers
        self._sizer = BatchSizer(1 if settings.executor == "inline" else settings.batch)
        self._waiting: deque[Job] = deque()
        self._lanes: list[Lane] = []
        self._opening: set[asyncio.Task[None]] = set()
        self._start_failures = 0
        self._replaced = 0
        self._error: StageError | None = None
        self._closed = False
        self._pump_due = False

    async def __aenter__(self) -> Self:
        """Start all workers in the background: they warm up while the first pages are fetched."""
        self._loop = asyncio.get_running_loop()
        if self._module.KILLABLE:
            self._watcher = self._loop.call_later(_WATCH_S, self._watch)
        for _ in range(self._width):
            self._open_lane()
        return self

    async def __aexit__(self, *_: object) -> None:
        """End all workers; pages that still wait get a cancelled future."""
        self._closed = True
        if self._module.KILLABLE:
            self._watcher.cancel()
        await asyncio.gather(*self._opening, return_exceptions=True)
        for lane in self._lanes:
            for batch in lane.batches:
                self._waiting.extend(batch.jobs)
            lane.close()
        self._lanes.clear()
        for job in self._waiting:
            job.future.cancel()
        self._waiting.clear()

    async def warm(self) -> None:
        """Wait until every worker is ready; benchmarks start their clocks after it."""
        await asyncio.gather(*self._opening)
        self._check()

    def submit(self, item: Page | RawPage) -> "asyncio.Future[Processed]":
        """Queue a page. Never blocks and never drops: the caller bounds what it has in flight.

        Raises:
            StageError: where the stage cannot work at all (an analyzer does not load).
        """
        self._check()
        job = Job(item, self._loop.create_future())
        self._waiting.append(job)
        if not self._pump_due:
            self._pump_due = True
            self._loop.call_soon(self._pump)
        return job.future

    def counts(self) -> StageCounts:
        """Count pages and workers."""
        running = sum(len(batch.jobs) for lane in self._lanes for batch in lane.batches)
        return StageCounts(len(self._waiting), running, len(self._lanes), self._replaced)

    def _check(self) -> None:
        if self._error:
            raise self._error

    # Batches out

    def _pump(self) -> None:
        self._pump_due = False
        while self._waiting:
            lane = min((lane for lane in self._lanes if lane.free), key=lambda lane: len(lane.batches), default=None)
            if lane is None:
                return
            full = self._sizer.full()
            if lane.batches and len(self._waiting) < full:
                return
            size = full if lane.batches else self._sizer.share(len(self._waiting), len(self._lanes))
            lane.send(self._take(size), self._ended)

    def _take(self, size: int) -> list[Job]:
        """Take the next jobs; one that has to be alone is a batch of its own."""
        jobs = [self._waiting.popleft()]
        while not jobs[0].alone and len(jobs) < size and self._waiting and not self._waiting[0].alone:
            jobs.append(self._waiting.popleft())
        return jobs

    # Results in

    def _ended(self, lane: Lane, batch: Batch, future: Future[list[Processed]]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._settle, lane, batch, future)

    def _settle(self, lane: Lane, batch: Batch, future: Future[list[Processed]]) -> None:
        if batch not in lane.batches or self._closed:
            return
        if future.cancelled() or future.exception() is not None:
            self._lose(lane)
        else:
            lane.batches.remove(batch)
            self._deliver(lane, batch, future.result())
        self._pump()

    def _deliver(self, lane: Lane, batch: Batch, results: list[Processed]) -> None:
        self._sizer.observe(len(results), sum(r.analysis.cpu_s + r.parse_s for r in results))
        lane.pages += len(results)
        for job, result in zip(batch.jobs, results, strict=True):
            _finish(job, result)
        if lane.verdict:  # the kill came a moment after the page was done: nobody is to blame
            lane.verdict = None
            if not lane.batches:
                self._lose(lane)
        else:
            self._recycle(lane)

    # Workers lost and replaced

    def _lose(self, lane: Lane) -> None:
        """Take a dead lane out: find the culprit, replay its batch-mates, open another lane."""
        self._lanes.remove(lane)
        self._replaced += 1
        place, batches = lane.running(), list(lane.batches)
        lane.batches.clear()
        lane.close(kill=True)
        self._open_lane()
        self._requeue([job for batch in batches[1:] for job in batch.jobs])
        if not batches:
            return
        jobs = batches[0].jobs
        if place is None:
            self._blame_nobody(jobs, lane.verdict)
        else:
            page, step = place
            self._requeue([job for n, job in enumerate(jobs) if n != page])
            self._blame(jobs[page], step, lane.verdict)

    def _requeue(self, jobs: list[Job]) -> None:
        self._waiting.extendleft(reversed(jobs))

    def _blame(self, job: Job, step: int, verdict: AnalysisErrorKind | None) -> None:
        """Charge a page with the end of its worker: a timeout or too much memory at once, a crash the second time.

        The analyzer that failed is left out when the page is tried again, so the others' values are not lost.
        """
        job.tries += 1
        job.alone = True
        if verdict is None and job.tries < _CRASHES:
            self._requeue([job])
            return
        kind = verdict or AnalysisErrorKind.CRASH
        name = PARSE if step == PARSE_STEP else self._plan.analyzers[step - 1].name
        job.errors[name] = AnalysisError(kind, self._explain(kind))
        job.tries = 0
        if name != PARSE and len(job.errors) < len(self._plan.analyzers):
            self._requeue([job])
        else:
            _finish(job, failed(job.item, {}))

    def _blame_nobody(self, jobs: list[Job], verdict: AnalysisErrorKind | None) -> None:
        """Replay a batch that was lost outside any page's work one page at a time; twice lost is a crash."""
        for job in jobs:
            job.tries += 1
            job.alone = True
        for job in [job for job in jobs if job.tries >= _CRASHES]:
            kind = verdict or AnalysisErrorKind.CRASH
            job.errors[PARSE] = AnalysisError(kind, self._explain(kind))
            _finish(job, failed(job.item, {}))
        self._requeue([job for job in jobs if job.tries < _CRASHES])

    def _explain(self, kind: AnalysisErrorKind) -> str:
        if kind is AnalysisErrorKind.TIMEOUT:
            return f"took longer than {self._settings.page_timeout:g} s; its worker was replaced"
        if kind is AnalysisErrorKind.MEMORY:
            return f"took more than {(self._settings.page_memory or 0) / 2**20:.0f} MiB; its worker was replaced"
        return f"the worker died on this page {_CRASHES} times"

    def _open_lane(self, then: Callable[[], None] | None = None) -> None:
        if self._module.KILLABLE:
            task = self._loop.create_task(self._open(then))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)
        else:
            self._opened(Lane.open(self._module, self._plan), then)

    async def _open(self, then: Callable[[], None] | None) -> None:
        try:
            lane = await asyncio.to_thread(Lane.open, self._module, self._plan)
        except StageError as error:
            self._start_failed(error)
        else:
            self._start_failures = 0
            self._opened(lane, then)

    def _opened(self, lane: Lane, then: Callable[[], None] | None) -> None:
        if self._closed:
            lane.close()
            return
        self._lanes.append(lane)
        if then:
            then()
        self._pump()

    def _start_failed(self, error: StageError) -> None:
        self._start_failures += 1
        log.warning("a worker did not start: %s", error)
        if self._start_failures < _START_FAILURES and not self._closed:
            self._open_lane()
            return
        self._error = error
        for job in self._waiting:
            if not job.future.done():
                job.future.set_exception(error)
        self._waiting.clear()

    def _recycle(self, lane: Lane) -> None:
        """Replace a worker that has grown old, once its successor is warm."""
        if lane.draining:
            if not lane.batches:
                self._lanes.remove(lane)
                lane.close()
            return
        pages, memory = self._settings.recycle_pages, self._settings.recycle_memory
        old = (pages and lane.pages >= pages) or (memory and lane.rss() > memory)
        if old and not any(other.draining for other in self._lanes) and not self._opening:
            self._open_lane(lambda: self._retire(lane))

    def _retire(self, lane: Lane) -> None:
        lane.draining = True
        self._replaced += 1
        if lane in self._lanes:
            self._recycle(lane)

    def _watch(self) -> None:
        """Kill the workers whose page is over a limit."""
        self._watcher = self._loop.call_later(_WATCH_S, self._watch)
        timeout, memory = self._settings.page_timeout, self._settings.page_memory
        for lane in self._lanes:
            if not lane.batches or lane.verdict:
                continue
            if timeout is not None and lane.busy_s() > timeout:
                lane.kill(AnalysisErrorKind.TIMEOUT)
            elif memory is not None and lane.rss() > lane.baseline + memory:
                lane.kill(AnalysisErrorKind.MEMORY)


def _finish(job: Job, result: Processed) -> None:
    """Give a page its result, with the errors that its earlier tries left."""
    if job.errors:
        errors = {**result.analysis.errors, **job.errors}
        result = replace(result, analysis=replace(result.analysis, errors=errors))
    if not job.future.done():
        job.future.set_result(result)
