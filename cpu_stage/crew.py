"""The stage's workers: kept up in number, watched, and replaced when they die, exceed a limit or grow old."""

import asyncio
import itertools
import logging
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor

from cpu_stage.executors import executor_module
from cpu_stage.lanes import Batch, Lane
from cpu_stage.loading import AnalyzerError
from cpu_stage.settings import StageSettings
from cpu_stage.types import StageError
from cpu_stage.watch import HUNGRY_TICK_S, TICK_S, Watch
from cpu_stage.worker import Plan

log = logging.getLogger(__name__)

_STARTS = 5
_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 5.0
_GRACE_S = 1.0
_GLANCE_S = 0.005
_FAR_TOO_OLD = 2.0


class Crew:
    """Keeps the workers.

    ``changed`` is called when there is one more, or when there will be none (``error``); ``lost`` with a worker
    that has died without anybody being told; ``slow`` with one that is at a page for so long that another steps in.
    ``usual_s`` is what a page takes on average, as far as is known.
    """

    def __init__(
        self,
        plan: Plan,
        settings: StageSettings,
        *,
        changed: Callable[[], None],
        lost: Callable[[Lane], None],
        slow: Callable[[Lane], None],
    ) -> None:
        self.lanes: list[Lane] = []
        self.replaced = 0
        self.usual_s = 0.0
        self.error: StageError | None = None
        self._plan = plan
        self._settings = settings
        self._changed = changed
        self._lost = lost
        self._slow = slow
        self._module = executor_module(settings.executor)
        self._opening: set[asyncio.Task[None]] = set()
        self._forking: set[asyncio.Task[None] | None] = set()
        self._coming = 0
        self._leaving: dict[Lane, float] = {}
        self._closed = False
        self._timer: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """Start all workers in the background, once."""
        if self._timer is not None:
            return
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(TICK_S, self._tick)
        self._fill()

    async def warm(self) -> None:
        """Wait until every worker is ready.

        Raises:
            StageError: none will ever be.
        """
        while self._coming and not self.error:
            await asyncio.wait(self._opening, return_when=asyncio.FIRST_COMPLETED)
        if self.error:
            raise self.error

    async def aclose(self) -> None:
        """End all workers, the busy ones at once, and wait until they are gone."""
        self._closed = True
        if self._timer is None:
            return
        self._timer.cancel()
        for task in self._opening - self._forking:
            task.cancel()
        await asyncio.gather(*self._opening, return_exceptions=True)
        for lane in list(self.lanes):
            self._dismiss(lane, kill=bool(lane.batches))
        give_up = time.monotonic() + 2 * _GRACE_S
        while self._sweep(time.monotonic()) and time.monotonic() < give_up:  # noqa: ASYNC110 - the kernel has no event
            await asyncio.sleep(_GLANCE_S)

    def settled(self, lane: Lane, pages: int) -> None:
        """Note that a worker has finished a batch. One that has grown old works on until its successor is there.

        Workers age together, and are replaced one after the other; one that holds far too much takes no more pages.
        """
        lane.pages += pages
        age = self._age(lane)
        if age >= 1 and (age > _FAR_TOO_OLD or not (self._coming or any(other.old for other in self.lanes))):
            lane.old = True
            lane.draining |= age > _FAR_TOO_OLD
            self._fill()
        if lane.draining:
            self._retire(lane)

    def bury(self, lane: Lane) -> list[Batch]:
        """Take out a worker that is dead or must die, return what it held, and let another one come."""
        batches = list(lane.batches)
        lane.batches.clear()
        self.replaced += 1
        self._dismiss(lane, kill=True)
        self._fill()
        return batches

    # Workers that come

    def _fill(self) -> None:
        """Let as many workers come as are missing; those that are to leave, or were killed, are no longer counted."""
        staying = sum(not lane.old and lane.verdict is None for lane in self.lanes)
        missing = 0 if self.error else self._settings.width - staying - self._coming
        for _ in range(missing):
            self._coming += 1
            task = self._loop.create_task(self._open())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    async def _open(self) -> None:
        try:
            lane = await self._start_in_the_end()
        except StageError as error:
            self.error = error
        else:
            self.lanes.append(lane)
            self._hand_over()
        finally:
            self._coming -= 1
        self._changed()

    async def _start_in_the_end(self) -> Lane:
        """Start a worker, however many tries that takes, as long as there are others to go on with."""
        for attempt in itertools.count(1):
            try:
                return await self._start()
            except (OSError, EOFError, RuntimeError) as error:
                why = "it died before it was ready" if isinstance(error, BrokenExecutor) else repr(error)
                if attempt >= _STARTS and not self.lanes:
                    raise StageError(f"no worker can be started: {why}") from error
                log.warning("a worker did not start: %s", why)
            await asyncio.sleep(min(_PAUSE_S * 2**attempt, _LONGEST_PAUSE_S))
        raise AssertionError  # the loop above has no end

    async def _start(self) -> Lane:
        task = asyncio.current_task()
        self._forking.add(task)
        try:
            lane = await Lane.start(
                self._module, self._plan, Watch(self._settings.page_timeout, self._settings.page_memory)
            )
        except AnalyzerError as error:
            raise StageError(str(error)) from error
        finally:
            self._forking.discard(task)
        try:
            await self._prepare(lane)
        except BaseException:
            self._dismiss(lane, kill=True)
            raise
        return lane

    async def _prepare(self, lane: Lane) -> None:
        if self._closed:
            raise StageError("the stage is closed")
        try:
            async with asyncio.timeout(self._settings.start_timeout):
                problem = await lane.prepare(self._plan)
        except TimeoutError:
            raise StageError(f"no worker has loaded the analyzers in {self._settings.start_timeout:g} s") from None
        if problem:
            raise StageError(problem)

    # Workers that leave

    def _age(self, lane: Lane) -> float:
        """Return how much of its time a worker has had: 1 is old."""
        pages, memory = self._settings.recycle_pages, self._settings.recycle_memory
        by_pages = lane.pages / pages if pages else 0.0
        by_memory = lane.rss() / memory if memory else 0.0
        return max(min(by_pages, _FAR_TOO_OLD), by_memory)

    def _hand_over(self) -> None:
        """Let an old worker go, where there are more than enough."""
        at_work = [lane for lane in self.lanes if not lane.draining and lane.verdict is None]
        old = next((lane for lane in at_work if lane.old), None)
        if old and len(at_work) > self._settings.width:
            old.draining = True
            self._retire(old)

    def _check_pace(self, lane: Lane) -> None:
        """Leave a worker to a page that takes very long, and let another one step in for it."""
        slow = lane.slow(self.usual_s)
        if slow and not lane.old and sum(other.old for other in self.lanes) < self._settings.width:
            lane.old = lane.draining = True
            lane.step_back(slow)
            self._slow(lane)
        elif lane.draining:
            lane.step_back(slow)

    def _retire(self, lane: Lane) -> None:
        if not lane.batches:
            self.replaced += 1
            self._dismiss(lane, kill=False)

    def _dismiss(self, lane: Lane, *, kill: bool) -> None:
        """End a worker: at once, or in order within the grace."""
        if lane in self.lanes:
            self.lanes.remove(lane)
        if kill:
            lane.kill()
        lane.close()
        self._leaving[lane] = time.monotonic() + _GRACE_S

    def _sweep(self, now: float) -> bool:
        """Forget those who are gone and kill those who stay too long; return whether there are any left."""
        for lane, deadline in list(self._leaving.items()):
            if lane.gone():
                lane.forget()
                del self._leaving[lane]
            elif now >= deadline:
                lane.kill()
        return bool(self._leaving)

    def _tick(self) -> None:
        soon = any(lane.hungry for lane in self.lanes)
        self._timer = self._loop.call_later(HUNGRY_TICK_S if soon else TICK_S, self._tick)
        now = time.monotonic()
        for lane in list(self.lanes):
            if lane.look(now):
                self._lost(lane)
            elif not lane.hungry:  # one that is will soon be judged, and by its memory
                self._check_pace(lane)
        self._fill()  # a worker that was killed, or is at a page without end, has its successor at once
        self._sweep(now)
