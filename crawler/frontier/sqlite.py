"""The durable frontier on SQLite: decisions in memory, everything that must last in one file.

::

    add ─► seen ─┬─► hosts (the best, in memory) ─► lease ─► fetched ─► ... ─► commit
                 └─► unwritten ─────┐     ▲                                      │
                                    ▼     └─── refills ───┐                      │
                                  step: one transaction, then reads ◄────────────┘
                                  (one at a time, in a thread of its own)

Leasing never touches the disk. All traffic with the file goes through :meth:`SqliteFrontier._step`: it takes what
is unwritten, and which hosts want a refill, to the ledger's thread, and applies the answer on its return. As there
is one step at a time, a refill cannot bring back what a commit beside it has just finished.

Leases are in memory only: in the file a URL is queued or done, so opening it queues again what was out.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar, TypeVarTuple

from crawler.frontier.hosts import FrontierSettings, HostQueues
from crawler.frontier.ledger import Answer, Changes, HostChange, Ledger, Question, UrlRow
from crawler.frontier.schema import ALIAS, read_counts
from crawler.frontier.seen import SeenSet
from crawler.types import CrawlRequest, Done, FrontierCounts, Outcome
from crawler.urls import host_key

__all__ = ["FrontierSettings", "SqliteFrontier", "read_counts"]

T = TypeVar("T")
Args = TypeVarTuple("Args")

_NOTHING: Mapping[str, int] = MappingProxyType({})
_UNWRITTEN = 8192  # new URLs that wait for the next step, at most
_LASTING_PAUSE = 1.0  # seconds; a shorter one need not survive the process


class SqliteFrontier:
    """A :class:`crawler.protocols.Frontier` in the file ``path`` (None: in memory, gone with the process).

    All methods belong to one event loop. After an error of the file every further call raises it again: what is
    in the file is the last commit.
    """

    def __init__(
        self,
        path: Path | None,
        settings: FrontierSettings,
        now: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._now = now
        self._wall = wall
        self._ledger = Ledger(path)
        self._thread = ThreadPoolExecutor(1, "frontier")
        self._lock = asyncio.Lock()
        self._steps: set[asyncio.Task[None]] = set()
        self._refilling = False
        self._failure: Exception | None = None
        self._opened = False
        # What is known
        self._seen = SeenSet()
        self._claimed: set[str] = set()
        self._hosts = HostQueues(settings)
        self._last_id = 0
        self._queued = 0
        self._leased = 0
        self._outcomes: dict[Outcome, int] = {}
        # What the next step writes
        self._unwritten: list[UrlRow] = []
        self._changed: dict[str, HostChange] = {}

    async def open(self) -> Mapping[str, int]:
        """Open or create the file; return the sinks' positions of the last commit.

        Raises:
            JobError: the file is damaged, not a crawl's, of another version, or another process writes to it.
        """
        try:
            contents = await self._run(self._ledger.open)
        except BaseException:
            self._thread.shutdown(wait=False)
            raise
        self._opened = True
        self._seen = contents.seen
        self._last_id = contents.last_id
        self._queued = contents.queued
        self._outcomes = dict(contents.outcomes)
        self._hosts = HostQueues(
            self._settings,
            contents.hosts,
            resumed_at=self._now() if contents.existed else None,
            dormant=contents.queued > 0,
        )
        return contents.positions

    async def aclose(self) -> None:
        """Write what is unwritten, and close the file. What was leased is queued at the next open."""
        if not self._opened:
            return
        try:
            if self._failure is None:
                await self._step()
        finally:
            async with self._lock:
                self._opened = False
                await self._run(self._ledger.close)
            self._thread.shutdown()

    # Requests in

    def unknown(self, urls: Iterable[str]) -> list[str]:
        """Return those of the URLs that are not known."""
        return self._seen.missing(urls)

    async def add(self, requests: Sequence[CrawlRequest]) -> int:
        """Queue the requests whose URL is new; return how many were. Waits for the disk only under a flood."""
        self._check()
        now, new = self._now(), 0
        for request in requests:
            if self._seen.add(request.url):
                new += 1
                self._queue(request, now)
                if len(self._unwritten) >= _UNWRITTEN:
                    await self._step()
        return new

    def _queue(self, request: CrawlRequest, now: float) -> None:
        self._last_id = row = self._last_id + 1
        parent: int | str | None = request.parent
        if request.parent is not None:  # its page is leased still, as a rule: a row is shorter than a URL
            parent = self._hosts.leased_id(request.parent) or parent
        depth, priority = request.depth, request.priority
        self._unwritten.append((row, request.url, request.host, depth, priority, parent, None))
        self._hosts.add((-priority, depth, row, request), now)
        self._queued += 1

    def again(self, leased: CrawlRequest, successor: CrawlRequest, *, after: float = 0.0, pause: float = 0.0) -> None:
        """Give a lease back and queue its successor, first in its host's line."""
        rest = self._hosts.again(leased, successor, self._now(), after=after, pause=pause)
        self._leased -= 1
        self._queued += 1
        self._keep_pause(leased.host, pause, rest)

    async def claim(self, url: str) -> bool:
        """Mark a redirect target as known; return whether it was new."""
        new = self._seen.add(url)
        if new:
            self._claimed.add(url)
        return new

    async def seed_hosts(self) -> list[str]:
        """Return the hosts of all URLs of depth 0, and those that they redirected to: a crawl's scope."""
        await self._step()
        return await self._run(self._ledger.seed_hosts)

    async def pages_of_hosts(self) -> Mapping[str, int]:
        """Return how many URLs of each host are done: what a host's budget was spent on."""
        await self._step()
        return await self._run(self._ledger.pages_of_hosts)

    # Requests out

    async def lease(self, limit: int) -> Sequence[CrawlRequest]:
        """Hand out requests of hosts that are due; waits for the disk only where nothing else is."""
        self._check()
        leased = self._hosts.lease(limit, self._now())
        while not leased and limit > 0 and self._hosts.starved():
            await self._step()
            leased = self._hosts.lease(limit, self._now())
        self._queued -= len(leased)
        self._leased += len(leased)
        if not self._refilling and self._hosts.hungry():
            self._refilling = True
            self._start_step().add_done_callback(self._refilled)
        return leased

    def _refilled(self, _: "asyncio.Task[None]") -> None:
        self._refilling = False

    def fetched(self, request: CrawlRequest, *, pause: float = 0.0, asked: bool = True) -> None:
        """Free the host of a leased request."""
        rest = self._hosts.fetched(request, self._now(), pause=pause, asked=asked)
        self._keep_pause(request.host, pause, rest)

    def set_delay(self, host: str, delay: float) -> None:
        """Set a host's delay, for this process and later ones."""
        self._hosts.set_delay(host, delay, self._now())
        self._changed[host] = replace(self._changed.get(host, HostChange()), delay=delay)

    def _keep_pause(self, host: str, pause: float, rest: float) -> None:
        """Remember a pause for later processes. ``rest`` is what is left of the host's longest."""
        if pause >= _LASTING_PAUSE:
            change = self._changed.get(host, HostChange())
            self._changed[host] = replace(change, pause=rest, paused_until=self._wall() + rest)

    def next_due(self) -> float | None:
        """Seconds until a queued request is due (0: now); None where none could become due by time alone."""
        return self._hosts.next_due(self._now())

    def counts(self) -> FrontierCounts:
        """Count what it holds. Redirect targets are not counted: they have no record of their own."""
        known = self._queued + self._leased + sum(self._outcomes.values())
        hosts = len(self._hosts.known)
        return FrontierCounts(known, self._queued, self._leased, hosts, dict(self._outcomes))

    # The file

    async def commit(self, done: Sequence[Done], positions: Mapping[str, int]) -> None:
        """Store in one transaction: every URL added so far, the done ones (with their redirects), positions.

        Raises:
            JobError: the disk is full, say; the file holds the commit before this one.
        """
        self._check()
        await self._step(done, positions)

    async def _step(self, done: Sequence[Done] = (), positions: Mapping[str, int] = _NOTHING) -> None:
        """Write and read; a caller that is cancelled does not leave it half done."""
        await asyncio.shield(self._start_step(done, positions))

    def _start_step(self, done: Sequence[Done] = (), positions: Mapping[str, int] = _NOTHING) -> "asyncio.Task[None]":
        task = asyncio.create_task(self._run_step(done, positions))
        self._steps.add(task)
        task.add_done_callback(self._step_ended)
        return task

    def _step_ended(self, task: "asyncio.Task[None]") -> None:
        self._steps.discard(task)
        if not task.cancelled():
            task.exception()  # it was kept: the next call raises it

    async def _run_step(self, done: Sequence[Done], positions: Mapping[str, int]) -> None:
        async with self._lock:
            self._check()
            changes = self._take_changes(done, positions)
            wants, dormant = self._hosts.wants()
            if not (self._opened and (changes or wants or dormant)):
                return
            active = self._hosts.active() if dormant else frozenset()
            hosts = self._hosts
            question = Question(wants, dormant, active, hosts.refill_size, hosts.first_size, self._wall())
            try:
                answer = await self._run(self._ledger.step, changes, question)
            except Exception as error:
                self._failure = error
                raise
            self._apply(done, answer)

    def _take_changes(self, done: Sequence[Done], positions: Mapping[str, int]) -> Changes:
        rows = [(item.outcome.value, self._row(item.request)) for item in done]
        urls, self._unwritten = self._unwritten, []
        for item in done:
            urls += self._aliases(item.request)
        hosts, self._changed = self._changed, {}
        return Changes(urls, rows, hosts, positions)

    def _row(self, request: CrawlRequest) -> int:
        row = self._hosts.leased_id(request.url)
        assert row is not None, "only what is leased can be done"
        return row

    def _aliases(self, request: CrawlRequest) -> Iterator[UrlRow]:
        """Make rows of the redirect targets that the request has claimed."""
        for url in request.redirects:
            if url in self._claimed:
                self._claimed.discard(url)
                self._last_id += 1
                yield self._last_id, url, host_key(url), request.depth, 0, self._row(request), ALIAS

    def _apply(self, done: Sequence[Done], answer: Answer) -> None:
        now = self._now()
        for item in done:
            self._hosts.committed(item.request.url, now)
            self._outcomes[item.outcome] = self._outcomes.get(item.outcome, 0) + 1
        self._leased -= len(done)
        self._hosts.refilled(answer.refills, now, dormant=answer.more)

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    async def _run(self, function: Callable[[*Args], T], *args: *Args) -> T:
        """Call a method of the ledger in its thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *args)
