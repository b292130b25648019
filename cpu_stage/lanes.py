"""A lane: one worker with its executor, the batches it holds, and the means to end it."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from cpu_stage.executors import ExecutorModule, Opened
from cpu_stage.handle import ProcessHandle
from cpu_stage.notes import Notes
from cpu_stage.parcels import Packing
from cpu_stage.pulse import BATCHES, PARSE_STEP, POSITION, RESIDENT, Place, place, position
from cpu_stage.slab import Slab
from cpu_stage.types import AnalysisError, AnalysisErrorKind, Json, Page
from cpu_stage.watch import OUTSIDE, Watch
from cpu_stage.worker import Finished, Plan, Processed, RawPage, prepare, run_batch

_NEWS_S = 2.0
_STEPS_BACK = (0, 8, 14)
"""Of ``nice``, by how slow a page is: the longer one takes, the more likely it is that it has no end.

With 8, a worker gets a quarter of what each of the others gets where there are not enough cores for all; with 14, a
twentieth.
"""

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True)
class Job:
    """A page on its way through the stage.

    ``weight`` is what it takes of a batch; ``alone`` is one that has to be one. ``tries`` counts the workers that died
    on it, ``losses`` those that died before they began it. ``errors`` grow as analyzers fail on it, each at most once;
    ``resting`` are those that the next try leaves out, so that it shows quickly whether the suspect is to blame.
    ``values`` are those that lost workers have noted, which nobody makes again.
    """

    item: Page | RawPage
    future: "asyncio.Future[Processed]"
    weight: float = 1.0
    tries: int = 0
    losses: int = 0
    alone: bool = False
    resting: frozenset[str] = frozenset()
    errors: dict[str, AnalysisError] = field(default_factory=dict)
    values: dict[str, Mapping[str, Json]] = field(default_factory=dict)


@dataclass(slots=True)
class Batch:
    """Jobs sent together; ``number`` tells batches of a lane apart in the worker's pulse."""

    number: int
    jobs: list[Job]
    sent: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a worker was killed, and at which place it was seen then: by now it may have been at another."""

    kind: AnalysisErrorKind
    seen: Place | None


class Lane:
    """One worker. It holds at most ``depth`` batches: one runs, the next waits in the pipe."""

    def __init__(self, opened: Opened, depth: int, watch: Watch) -> None:
        self.batches: deque[Batch] = deque()
        self.pages = 0
        self.ended = 0.0
        """When its last batch came back."""
        self.old = False
        """It is to be replaced; it works on until its successor is there."""
        self.draining = False
        """It takes no more batches: its successor is there, or it is far too old, or at a page that takes too long."""
        self.verdict: Verdict | None = None
        self._executor = opened.executor
        self._pulse = opened.pulse
        self._slab = Slab(opened.memory)
        self._notes = Notes(opened.notes)
        self._depth = depth
        self._watch = watch
        self._process = None if opened.pid is None else ProcessHandle(opened.pid)
        self._stepped = 0
        self._numbers = 0
        self._over_since = 0.0

    @classmethod
    async def start(cls, module: ExecutorModule, plan: Plan, watch: Watch) -> "Lane":
        """Start a worker; its plan is not loaded yet (:meth:`prepare`)."""
        return cls(await asyncio.to_thread(module.open_executor, plan), module.DEPTH, watch)

    async def prepare(self, plan: Plan) -> str | None:
        """Have the worker load its plan; return why it cannot."""
        return await asyncio.wrap_future(self._submit(prepare, plan))

    @property
    def free(self) -> bool:
        """Whether the lane takes another batch."""
        return len(self.batches) < self._depth and not self.draining and self.verdict is None

    def send(self, jobs: list[Job], packing: Packing, done: Callable[["Lane", Batch, Future[Finished]], None]) -> None:
        """Hand a batch to the worker; ``done`` is called in any thread when it ended."""
        self._numbers = self._numbers % BATCHES + 1
        batch = Batch(self._numbers, jobs)
        self.batches.append(batch)
        part = self._slab.part(batch.number)
        parcels = [packing.pack(job.item, job.resting.union(job.errors, job.values), part) for job in jobs]
        future = self._submit(run_batch, batch.number, parcels)
        future.add_done_callback(lambda ended: done(self, batch, ended))

    def _submit(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        try:
            return self._executor.submit(call, *args, **kwargs)
        except RuntimeError as error:  # the worker has died meanwhile
            future: Future[T] = Future()
            future.set_exception(error)
            return future

    # What is seen of the worker

    def place(self) -> Place | None:
        """Return where the worker is in its first batch; None outside its pages: not begun, or all done."""
        at = place(self._pulse[POSITION])
        if not self.batches or at.batch != self.batches[0].number or at.page >= len(self.batches[0].jobs):
            return None
        return at

    def noted(self, place: Place) -> dict[str, Mapping[str, Json]]:
        """Return what the worker has noted of the page at a place: the values of analyzers that it was through with."""
        return self._notes.read(position(place.batch, place.page, PARSE_STEP))

    def rss(self) -> int:
        """Return the worker's resident memory in bytes; 0 where it is not a process."""
        return self._process.rss() if self._process else 0

    def look(self, now: float) -> bool:
        """Kill the worker where it is over a limit; return whether it is lost and nobody was told.

        The executor tells of a worker that dies with a batch, as a rule; one that dies idle it finds at the next.
        """
        if self._process is None:
            return False
        if self.verdict or not self._process.alive():
            self._over_since = self._over_since or now
            return not self.batches or now > self._over_since + _NEWS_S
        place = self.place()
        if kind := self._watch.look(now, self._at(place), self._growth, self._process.stopped):
            self.kill(Verdict(kind, place))
        return False

    def slow(self, usual_s: float) -> int:
        """Return how slow the page is that it is at: 0 to 2 (:meth:`Watch.slow`)."""
        return self._watch.slow(usual_s) if self.batches else 0

    @property
    def hungry(self) -> bool:
        """Whether the page that it is at must be looked at again soon."""
        return bool(self.batches) and self._watch.hungry

    def withdraw(self) -> list[Job]:
        """Return the jobs that wait behind the first batch; what the worker may make of them is not listened to."""
        first, *others = self.batches
        self.batches = deque([first])
        return [job for batch in others for job in batch.jobs]

    def step_back(self, slow: int) -> None:
        """Leave the cores to the others, but for what they do not need; the more, the slower the page is."""
        if self._process and slow > self._stepped:
            self._process.step_back(_STEPS_BACK[slow] - _STEPS_BACK[self._stepped])
            self._stepped = slow

    def _at(self, place: Place | None) -> tuple[int, int] | None:
        if not self.batches:
            return None
        return (place.batch, place.page) if place else (self.batches[0].number, OUTSIDE)

    def _growth(self) -> int:
        """Return by how many bytes the worker has grown since it began the page that it is at."""
        return self.rss() - int(self._pulse[RESIDENT])

    def gone(self) -> bool:
        """Whether there is no process, or none any more."""
        return self._process is None or not self._process.alive()

    # Its end

    def kill(self, verdict: Verdict | None = None) -> None:
        """End the worker at once, if it is a process; its batches then fail."""
        self.verdict = verdict
        if self._process:
            self._process.kill()

    def close(self) -> None:
        """Let the worker go once it is done, and take nothing more from it."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def forget(self) -> None:
        """End the worker if it is still there, and give back what was held of it."""
        if self._process:
            self._process.kill()
            self._process.close()
            self._process = None
