"""The crawl itself: one coroutine per page, from its lease to its record.

::

    seeds ─► scope.admit ─► frontier ══lease══► robots ─► fetch ─► parse ─► analyse ─► committer ═► sinks
                  ▲            ▲  ▲               │         │        │                     │
                  │            │  └─again()───────┴─────────┘        │                     │
                  └────────────│─────────── redirects, links ◄───────┘                     │
                               └──────────────── commit(): done, new URLs, positions ◄─────┘

The dispatcher leases what is due, as long as there is a free fetch slot and room for another body, and starts a
coroutine for each. A slot is held for the exchange alone; the memory of a body is held until its record is
committed. ``again()`` gives a lease back: after robots.txt was asked for, before a retry, and for each redirect hop,
so that every request to a host is a lease of that host. The crawl is over when the frontier holds nothing that is
queued or leased.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from cpu_stage.types import StageError
from crawler.adaptive import Width
from crawler.committer import CommitSettings, Committer
from crawler.errors import JobError
from crawler.metrics import Metrics
from crawler.protocols import Frontier, Sink
from crawler.types import CrawlRequest, Fetched, Record
from crawler.visit import Visit, broken

log = logging.getLogger(__name__)

_AT_ONCE = 16
"""Requests that are begun before the loop has its turn: answers to the first ones come while others connect."""

_AT_THE_END = 64
"""Records that are worth a commit of their own once there is nothing left to fetch."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a crawl stops, and what it may hold. None: no limit. Sizes in bytes, times in seconds.

    ``memory`` bounds the bodies between fetch and sinks; ``in_work`` the pages there. ``grace`` is how long pages
    in flight may take once the crawl is asked to stop.
    """

    pages: int | None = None
    seconds: float | None = None
    bytes: int | None = None
    memory: int = 256 * 2**20
    in_work: int = 2_000
    grace: float = 5.0


@dataclass(frozen=True, slots=True)
class EngineCounts:
    """What is on its way: fetches, all pages between lease and commit, and the bytes of their bodies."""

    fetching: int
    in_work: int
    held_bytes: int


class Engine:
    """Runs one crawl."""

    def __init__(  # noqa: PLR0913 - the parts it joins, each once
        self,
        frontier: Frontier,
        visit: Visit,
        sinks: Sequence[Sink],
        metrics: Metrics,
        limits: Limits,
        *,
        width: Width,
        commits: CommitSettings,
    ) -> None:
        self._frontier = frontier
        self._visit = visit
        self._metrics = metrics
        self._limits = limits
        self._width = width
        self._committer = Committer(frontier, sinks, metrics, commits, committed=self._committed)
        self._wake = asyncio.Event()
        visit.queued = self._wake.set
        self._visits: set[asyncio.Task[None]] = set()
        self._fetching = 0
        self._uncommitted = 0
        self._held_bytes = 0
        self._stop_reason: str | None = None
        self._deadline: float | None = None
        self._failure: BaseException | None = None
        self._started = 0.0

    def counts(self) -> EngineCounts:
        """Count what is on its way."""
        return EngineCounts(self._fetching, self._uncommitted, self._held_bytes)

    def stop(self, reason: str) -> None:
        """Lease nothing more; what is in flight is committed if it is finished within the grace."""
        self._deadline = time.monotonic() + self._limits.grace
        self._reach(reason)

    def _reach(self, reason: str) -> None:
        """Lease nothing more; what is in flight is finished, however long it takes, and committed."""
        self._stop_reason = self._stop_reason or reason
        self._wake.set()

    async def run(self) -> str:
        """Crawl until nothing is left, a limit is reached or :meth:`stop` is called; return which it was.

        Raises:
            JobError: a sink or the frontier cannot be written any more; what was committed stays.
            StageError: the CPU stage cannot work at all.
        """
        self._started = time.monotonic()
        self._loop = asyncio.get_running_loop()
        committer = asyncio.create_task(self._committer.run())
        committer.add_done_callback(self._committer_ended)
        try:
            await self._dispatch()
            await self._drain()
        finally:
            for visit in self._visits:
                visit.cancel()
            await asyncio.gather(*self._visits, return_exceptions=True)
            self._committer.close()
            await committer
        if self._failure:
            raise self._failure
        return self._stop_reason or "finished"

    # Leases out

    async def _dispatch(self) -> None:
        while self._stop_reason is None and self._failure is None:
            self._wake.clear()
            room = self._room()
            leased = await self._frontier.lease(min(room, _AT_ONCE)) if room > 0 else ()
            for request in leased:
                self._start(request)
            if leased:
                await asyncio.sleep(0)
            elif not await self._wait(room):
                return

    def _room(self) -> int:
        """Return how many requests may be leased now: free slots, within every bound."""
        limits, wire = self._limits, self._metrics.wire_bytes
        if limits.bytes is not None and wire >= limits.bytes:
            self._reach("limit: bytes")
        if limits.seconds is not None and time.monotonic() - self._started >= limits.seconds:
            self._reach("limit: seconds")
        room = min(self._width.value - self._fetching, limits.in_work - self._uncommitted)
        if limits.pages is not None:
            left = limits.pages - self._metrics.pages
            if left <= 0:
                self._reach("limit: pages")
            room = min(room, left - self._uncommitted)
        if self._held_bytes >= limits.memory or self._stop_reason:
            return 0
        return room

    async def _wait(self, room: int) -> bool:
        """Wait until something may have changed; return False where the crawl is over."""
        due = self._frontier.next_due() if room > 0 else None
        counts = self._frontier.counts()
        if due is None and not counts.queued and not counts.leased and not self._uncommitted:
            return False
        timeouts = [t for t in (due, self._seconds_left()) if t is not None]
        start = time.monotonic()
        await self._woken(min(timeouts, default=None))
        self._metrics.waits[self._waits_for(room, due)] += time.monotonic() - start
        return True

    def _waits_for(self, room: int, due: float | None) -> str:
        if room > 0:
            return "politeness" if due is not None or self._frontier.counts().queued else "discovery"
        return "network" if self._fetching >= self._width.value else "downstream"

    def _seconds_left(self) -> float | None:
        if self._limits.seconds is None:
            return None
        return max(0.0, self._started + self._limits.seconds - time.monotonic())

    def _start(self, request: CrawlRequest) -> None:
        if self._metrics.first_fetch is None:
            self._metrics.first_fetch = time.monotonic()
        self._fetching += 1
        self._uncommitted += 1
        self._visits.add(self._loop.create_task(self._run_visit(request)))

    # One page

    async def _run_visit(self, request: CrawlRequest) -> None:
        """Take one request to its record; whatever happens, its slot and its bytes are given back."""
        record: Record | None = None
        try:
            fetched = await self._fetch(request)
            if isinstance(fetched, Fetched):
                self._held_bytes += len(fetched.body or b"")
                try:
                    record = await self._visit.finish(fetched)
                except BaseException:
                    self._held_bytes -= len(fetched.body or b"")
                    raise
            else:
                record = fetched
        except (StageError, JobError) as error:
            self._fail(error)
        except Exception as error:  # a defect of ours must cost one page, not the crawl
            log.exception("unexpected error at %s", request.target)
            record = broken(request, error)
        finally:
            self._visits.discard(asyncio.current_task(self._loop))
            if record is None:
                self._uncommitted -= 1
                self._wake.set()
        if record is not None:
            self._committer.put(record)
            self._hurry_at_the_end()

    async def _fetch(self, request: CrawlRequest) -> Fetched | Record | None:
        began, asked = time.monotonic(), False
        try:
            result = await self._visit.fetch(request)
            asked = isinstance(result, Fetched) or (result is not None and result.fetched is not None)
            return result
        finally:
            now = time.monotonic()
            self._width.finished(now, now - began, self._fetching, good=asked)
            self._fetching -= 1
            self._wake.set()

    # The end

    def _committed(self, records: Sequence[Record]) -> None:
        self._uncommitted -= len(records)
        for record in records:
            if record.page is not None and record.fetched is not None:
                self._held_bytes -= len(record.fetched.body or b"")
        self._hurry_at_the_end()
        self._wake.set()

    def _hurry_at_the_end(self) -> None:
        """Where nothing is left to fetch, commit without waiting for more: all the rest, or a good part of it.

        Otherwise the last pages would be parsed while nobody writes, and then written while nobody parses.
        """
        enough = min(self._uncommitted, _AT_THE_END)
        if self._committer.waiting >= enough > 0 and not self._fetching and not self._frontier.counts().queued:
            self._committer.hurry()

    def _committer_ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()):
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error
        self._wake.set()

    async def _drain(self) -> None:
        """Let what is in flight finish, until the deadline that :meth:`stop` sets, also if it comes meanwhile."""
        while self._visits and self._failure is None:
            left = None if self._deadline is None else self._deadline - time.monotonic()
            if left is not None and left <= 0:
                return
            self._wake.clear()
            await self._woken(left)

    async def _woken(self, seconds: float | None) -> None:
        """Wait until something may have changed, for so many seconds at most; None: however long it takes."""
        if seconds is None:  # as a rule: a timer that is never due costs the loop all the same
            await self._wake.wait()
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()
