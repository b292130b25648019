"""The async front of the CPU stage.

::

    submit(page) ──► waiting ──► batch ──► lane 1: worker ◄─ watch: page_timeout, page_memory
                       ▲   │               lane 2: worker
                       │   └─ sized by measured work, sent to the lane with the least to do
                       └───── a lost batch comes back, its culprit alone

A page can fail; the stage cannot. When a worker dies or is killed, the page that it was at is known (``pulse``);
that page is tried again alone (``blame``), its batch-mates are replayed as if nothing had happened, and the
lane gets a new worker (``crew``) while the other lanes go on.
"""

import asyncio
import contextlib
import time
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Self

from cpu_stage.batching import MOST_S, PARSE_S, BatchSizer, weight
from cpu_stage.blame import Blame
from cpu_stage.crew import Crew
from cpu_stage.lanes import Batch, Job, Lane
from cpu_stage.parcels import Packing
from cpu_stage.settings import StageSettings
from cpu_stage.types import Page, StageError
from cpu_stage.waiting import Waiting
from cpu_stage.worker import Finished, Plan, Processed, RawPage, failed

__all__ = ["CpuStage", "StageCounts", "StageSettings"]

_SOON_S = 0.03


@dataclass(frozen=True, slots=True)
class StageCounts:
    """What the stage holds and has lived through."""

    waiting: int
    running: int
    workers: int
    replaced: int
    busy_s: float
    """Seconds that workers spent in batches, summed over all."""
    hand_off_s: float
    """Seconds that workers had a batch and were not in it: it was on its way to them, or its results back."""


class CpuStage:
    """Processes pages in workers; every submitted page gets its :class:`Processed`, whatever happens."""

    def __init__(self, plan: Plan, settings: StageSettings) -> None:
        plan = replace(plan, meter=settings.page_memory is not None)
        self._names = [spec.name for spec in plan.analyzers]
        self._eager, self._entered = bool(self._names), False
        self._blame = Blame(self._names, settings.page_timeout, settings.page_memory)
        self._packing = Packing.of(plan.parse.needs)
        self._crew = Crew(plan, settings, changed=self._pump, lost=self._lose, slow=self._relieve)
        self._most = 1 if settings.executor == "inline" else settings.batch
        # A worker that dies loses what it has done of its batch: where it may, batches stay small.
        self._sizer = BatchSizer() if plan.analyzers else BatchSizer(MOST_S, PARSE_S)
        self._waiting = Waiting()
        self._busy_s = 0.0
        self._hand_off_s = 0.0
        self._closed = False
        self._pump_due = False

    async def __aenter__(self) -> Self:
        """Start all workers in the background: they warm up while the first pages are fetched.

        Without analyzers they start with the first page that only they can parse: there may be none.
        """
        self._loop, self._entered = asyncio.get_running_loop(), True
        if self._eager:
            self._crew.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        """End all workers; pages that have no result yet get a cancelled future."""
        self._closed = True
        held = [job for lane in self._crew.lanes for batch in lane.batches for job in batch.jobs]
        for job in (*held, *self._waiting):
            job.future.cancel()
        self._waiting.clear()
        await self._crew.aclose()

    def start(self) -> None:
        """Start all workers in the background now, whether or not there is anything for them to do."""
        self._crew.open()

    async def warm(self) -> None:
        """Wait until every worker is ready; benchmarks start their clocks after it.

        Raises:
            StageError: as :meth:`submit`.
        """
        if self._entered:
            self._crew.open()
        await self._crew.warm()

    def submit(self, item: Page | RawPage) -> "asyncio.Future[Processed]":
        """Queue a page. Never blocks and never drops: the caller bounds what it has in flight.

        Raises:
            StageError: where the stage cannot work at all (an analyzer does not load, or it is closed).
        """
        if self._closed:
            raise StageError("the stage is closed")
        if self._crew.error:
            raise self._crew.error
        self._crew.open()
        size = self._packing.size(item) if isinstance(item, Page) else len(item.body)
        job = Job(item, self._loop.create_future(), weight(size))
        self._waiting.put(job)
        if not self._pump_due:
            self._pump_due = True
            self._loop.call_soon(self._pump)
        return job.future

    def room(self) -> int:
        """Return how many more pages workers would begin within 30 ms once they are through with their batches."""
        page_s = self._sizer.page_s
        of_a_worker = int(_SOON_S / page_s) if page_s else self._most
        return max(0, of_a_worker * len(self._crew.lanes) - len(self._waiting))

    def counts(self) -> StageCounts:
        """Count pages and workers."""
        lanes = self._crew.lanes
        running = sum(len(batch.jobs) for lane in lanes for batch in lane.batches)
        return StageCounts(len(self._waiting), running, len(lanes), self._crew.replaced, self._busy_s, self._hand_off_s)

    # Batches out

    def _pump(self) -> None:
        self._pump_due = False
        if self._crew.error:
            self._give_up(self._crew.error)
        while self._waiting:
            lanes = [lane for lane in self._crew.lanes if lane.free]
            lane = min(lanes, key=lambda lane: len(lane.batches), default=None)
            if lane is None or (lane.batches and not self._is_enough()):
                return
            share = self._sizer.share(self._waiting.weight, len(self._crew.lanes))
            if jobs := self._waiting.take(self._most, self._sizer.full() if lane.batches else share):
                lane.send(jobs, self._packing, self._ended)

    def _is_enough(self) -> bool:
        """Whether there waits a full batch, which may as well wait at a lane that is busy."""
        return len(self._waiting) >= self._most or self._waiting.weight >= self._sizer.full()

    def _give_up(self, error: StageError) -> None:
        for job in self._waiting:
            if not job.future.done():
                job.future.set_exception(error)
        self._waiting.clear()

    # Results in

    def _ended(self, lane: Lane, batch: Batch, future: Future[Finished]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._settle, lane, batch, future)

    def _settle(self, lane: Lane, batch: Batch, future: Future[Finished]) -> None:
        if batch not in lane.batches or self._closed:
            return
        if future.cancelled() or future.exception() is not None:
            self._lose(lane)
            return
        lane.batches.remove(batch)
        finished = future.result()
        self._count_time(lane, batch, finished.seconds)
        self._deliver(lane, batch, finished)
        self._pump()

    def _count_time(self, lane: Lane, batch: Batch, busy: float) -> None:
        """Learn and add up what a batch took; while the one before it ran, it cost nothing on its way."""
        now = time.monotonic()
        hand_off = max(0.0, now - max(batch.sent, lane.ended) - busy)
        self._busy_s += busy
        self._hand_off_s += hand_off
        lane.ended = now
        self._sizer.observe(sum(job.weight for job in batch.jobs), busy, len(batch.jobs), hand_off)

    def _deliver(self, lane: Lane, batch: Batch, finished: Finished) -> None:
        for job, result in zip(batch.jobs, finished.results, strict=True):
            if job.resting:  # the suspect did no harm this time: now the whole page
                job.resting = frozenset()
                self._waiting.put_back([job])
            else:
                self._finish(job, Processed.received(job.item.url, result))
        self._crew.usual_s = self._sizer.page_s
        if lane.verdict:  # the kill came a moment after the page was done: nobody is to blame
            self._waiting.put_back(job for batch in self._crew.bury(lane) for job in batch.jobs)
        else:
            self._crew.settled(lane, len(batch.jobs))

    def _lose(self, lane: Lane) -> None:
        """Take a dead lane out; what it held is tried again, or has got its last error."""
        place, verdict = lane.place(), lane.verdict
        if place is not None:
            lane.batches[0].jobs[place.page].values.update(lane.noted(place))
        ruling = self._blame.judge(self._crew.bury(lane), place, verdict)
        self._waiting.put_back(ruling.replay)
        for job in ruling.finished:
            self._finish(job, failed(job.item, {}))
        self._pump()

    def _relieve(self, lane: Lane) -> None:
        """Let others do what waits behind a page that takes long."""
        self._waiting.put_back(lane.withdraw())
        self._pump()

    def _finish(self, job: Job, result: Processed) -> None:
        """Give a page its result, with what its earlier tries left: errors, and values in the analyzers' order."""
        if job.errors or job.values:
            errors, values = {**result.analysis.errors, **job.errors}, {**result.analysis.values, **job.values}
            in_order = {name: values[name] for name in self._names if name in values}
            result = replace(result, analysis=replace(result.analysis, errors=errors, values=in_order))
        if not job.future.done():
            job.future.set_result(result)
