"""Which host may be asked next: per-host queues under one clock. Sans-I/O: every method takes ``now``.

A host is in one of four places::

    ready ───lease───► none (all its leases are out, or nothing waits) ───fetched, again, add───┐
      ▲                                                                                        │
      └───────────────────────── waiting (for its delay or pause) ◄────────────────────────────┘

``ready`` is ordered by the last lease: the host that was served least recently comes first.

The delay of a host lies between the start of a lease and the next one, and between the end of a lease and the next
one. The second is what a server can see: the time between lease and arrival (name resolution, connect, TLS) differs
from request to request, so that starts alone, however well spaced, may arrive together.

Memory is bounded: at most ``active_hosts`` hosts have their best requests in memory, the others are dormant, in the
store only; what an active host holds shrinks as their number grows.
"""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from crawler.frontier.hostqueue import HostQueue, Item, Lease
from crawler.frontier.seen import SeenSet
from crawler.types import CrawlRequest

_Rank = TypeVar("_Rank", int, float)

_IN_MEMORY = 32_768  # requests over all hosts; about 500 bytes each
_LEAST = 8  # requests of a host, however many hosts there are
_REFILL_AT = 128  # requests: a refill for fewer costs more than it brings
_REFILL_ROWS = 4096  # at a time; a commit waits for as long as that takes
_FIRST = 128  # requests of a host that becomes active: others may follow, and leave it a smaller share
_LONG_PAUSE = 60.0  # seconds; a host that pauses longer gives its place to another


@dataclass(frozen=True, slots=True)
class FrontierSettings:
    """How a frontier treats hosts.

    A host has at most ``per_host`` leases at once, and ``delay`` seconds between them (see above).
    ``active_hosts`` hosts have requests in memory, ``buffer`` each at most.
    """

    per_host: int
    delay: float
    active_hosts: int = 4096
    buffer: int = 2048


@dataclass(frozen=True, slots=True)
class Want:
    """A host that wants a refill, and the rows of it that are in memory already."""

    host: str
    held: Sequence[int]


@dataclass(frozen=True, slots=True)
class Refill:
    """What the store has of one host: its own delay (None: the usual one), the rest of its pause, its best requests.

    ``complete``: there are no others.
    """

    host: str
    delay: float | None
    pause: float
    items: Sequence[Item]
    complete: bool


class HostQueues:
    """All hosts that have something in memory, and all leases.

    ``known`` holds the names of all hosts, also of dormant ones. ``resumed_at`` is the moment when a crawl went on
    that was begun earlier: no host is due before its delay has passed since then, for it may have been asked just
    before the end of the earlier run.
    """

    def __init__(
        self,
        settings: FrontierSettings,
        known: SeenSet | None = None,
        *,
        resumed_at: float | None = None,
        dormant: bool = False,
    ) -> None:
        self.known = SeenSet() if known is None else known
        self.dormant = dormant  # whether a host may be in the store only
        self._settings = settings
        self._resumed_at = resumed_at
        self._hosts: dict[str, HostQueue] = {}
        self._leases: dict[str, Lease] = {}
        self._ready: list[tuple[int, int, HostQueue]] = []  # heap: (last lease, version, host)
        self._waiting: list[tuple[float, int, HostQueue]] = []  # heap: (due, version, host)
        self._low: dict[HostQueue, None] = {}
        self._loading: list[HostQueue] = []
        self._versions = 0
        self._numbers = 0
        self._working = 0
        self._sweep_at = 2 * settings.active_hosts
        self._capacity = settings.buffer
        self._longest = settings.buffer

    # Requests in

    def add(self, item: Item, now: float) -> None:
        """Add a new request: to memory where it belongs there, else it is the store's alone."""
        name = item[3].host
        host = self._hosts.get(name)
        if host is None:
            new = self.known.add(name)
            if not self.room():
                self.dormant = True
                return
            host = self._create(name, now, stored=not new)
        host.put(item, self._capacity)
        if host.placed is None:
            self._settle(host, now)

    def again(self, leased: CrawlRequest, successor: CrawlRequest, now: float, *, after: float, pause: float) -> float:
        """End a lease; its successor is first in its host's line, ``after`` seconds from now.

        Returns the seconds until the host of the lease may be asked again.
        """
        lease = self._leases.pop(leased.url)
        rest = self._end(lease, now, pause, asked=True)
        host = self._hosts.get(successor.host)
        if host is None:
            new = self.known.add(successor.host)
            host = self._create(successor.host, now, stored=not new)
        heapq.heappush(host.returned, (now + after, lease.id, successor, lease.home))
        self._settle(host, now)
        return rest

    # Requests out

    def lease(self, limit: int, now: float) -> list[CrawlRequest]:
        """Hand out what is due and in memory, one request per host and round."""
        self._wake(now)
        leased: list[CrawlRequest] = []
        while self._ready and len(leased) < limit:
            _, version, host = heapq.heappop(self._ready)
            if version != host.version:
                continue
            host.placed = None
            if host.asleep:
                host.asleep = False
            else:
                self._numbers += 1
                request, lease = host.lease(now, self._numbers)
                self._leases[request.url] = lease
                leased.append(request)
            self._settle(host, now)
        return leased

    def fetched(self, request: CrawlRequest, now: float, *, pause: float, asked: bool) -> float:
        """Free the host of a leased request; the request stays leased until :meth:`committed`.

        Returns the seconds until the host may be asked again.
        """
        return self._end(self._leases[request.url], now, pause, asked=asked)

    def committed(self, url: str, now: float) -> None:
        """Forget a leased request."""
        lease = self._leases.pop(url)
        if lease.open:  # an error came between lease and fetched
            self._end(lease, now, 0.0, asked=True)
        lease.home.held.discard(lease.id)

    def leased_id(self, url: str) -> int | None:
        """Return the row of a leased request."""
        lease = self._leases.get(url)
        return None if lease is None else lease.id

    def set_delay(self, name: str, delay: float, now: float) -> None:
        """Set a host's delay, also for what comes after the leases that are out."""
        host = self._hosts.get(name)
        if host is not None:
            host.spaced_until += max(0.0, delay - host.delay)
            host.delay = delay
            self._settle(host, now)

    def next_due(self, now: float) -> float | None:
        """Return the seconds until a lease brings something (0: now); None where no time would."""
        self._wake(now)
        _drop_stale(self._ready)
        _drop_stale(self._waiting)
        if self._ready or self.starved():
            return 0.0
        return self._waiting[0][0] - now if self._waiting else None

    # Refills

    def room(self) -> int:
        """Return how many more hosts may be active."""
        return max(0, self._settings.active_hosts - self._working)

    def starved(self) -> bool:
        """Whether there are hosts that only a refill can go on with."""
        return (
            any(not host.queue for host in self._loading)
            or any(not host.queue and host.is_low(self._capacity) for host in self._low)
            or (self.dormant and self.room() > 0)
        )

    def hungry(self) -> bool:
        """Whether a refill is worth its costs, or cannot wait."""
        return len(self._low) * self._capacity >= _REFILL_AT or self.starved()

    def wants(self) -> tuple[list[Want], int]:
        """Begin a refill: return which hosts to read, and how many dormant ones; ``refilled`` ends it."""
        limit = max(1, _REFILL_ROWS // self.refill_size)
        others_first = self.dormant and self.room() > 0  # they leave a smaller share to those that are there
        low = [host for host in self._low if not (others_first and host.queue)]
        for host in low[:limit]:
            del self._low[host]
            if host.is_low(self._capacity):
                host.loading, host.floor = True, None
                self._loading.append(host)
        rows = _REFILL_ROWS - len(self._loading) * self.refill_size
        dormant = min(self.room(), max(0, rows) // self.first_size) if self.dormant else 0
        self.dormant = self.dormant and not dormant
        return [Want(host.name, list(host.held)) for host in self._loading], dormant

    def refilled(self, refills: Iterable[Refill], now: float, *, dormant: bool) -> None:
        """End a refill. ``dormant``: there are more dormant hosts than were asked for."""
        self.dormant = self.dormant or dormant
        found = {refill.host: refill for refill in refills}
        asked, self._loading = self._loading, []
        for host in asked:
            self._take_over(host, found.pop(host.name, Refill(host.name, None, 0.0, (), complete=True)), now)
        for name, refill in found.items():
            if name not in self._hosts:
                self._take_over(self._create(name, now, stored=True), refill, now)

    @property
    def refill_size(self) -> int:
        """How many requests of a host to read at a time: it has up to a quarter of its share then."""
        return max(1, self._capacity // 2)

    @property
    def first_size(self) -> int:
        """How many of one that has none in memory yet."""
        return min(_FIRST, self.refill_size)

    def active(self) -> frozenset[str]:
        """Return the names of all hosts that are not dormant."""
        return frozenset(self._hosts)

    def _take_over(self, host: HostQueue, refill: Refill, now: float) -> None:
        if not host.loaded:
            if refill.delay is not None and host.delay == self._settings.delay:
                host.delay = refill.delay
            host.paused_until = max(self._not_before(host.delay), now + refill.pause)
        host.refill(refill.items, complete=refill.complete)
        self._settle(host, now)

    # Where a host stands

    def _create(self, name: str, now: float, *, stored: bool) -> HostQueue:
        if len(self._hosts) >= self._sweep_at:
            self._sweep(now)
        delay = self._settings.delay
        host = self._hosts[name] = HostQueue(name, delay, stored=stored, not_before=self._not_before(delay))
        return host

    def _not_before(self, delay: float) -> float:
        return float("-inf") if self._resumed_at is None else self._resumed_at + delay

    def _sweep(self, now: float) -> None:
        """Forget idle hosts, each time that their number has doubled."""
        self._hosts = {name: host for name, host in self._hosts.items() if not host.is_idle(now)}
        self._sweep_at = 2 * max(self._settings.active_hosts, len(self._hosts))

    def _end(self, lease: Lease, now: float, pause: float, *, asked: bool) -> float:
        assert lease.open, "a lease ends once"
        host = lease.host
        host.release(lease, now, pause, asked=asked)
        if pause >= _LONG_PAUSE:
            host.sleep()
        self._settle(host, now)
        return host.paused_until - now

    def _settle(self, host: HostQueue, now: float) -> None:
        """Put a host where it belongs, after any change."""
        works = host.works()
        if works is not host.counted:
            host.counted = works
            self._working += 1 if works else -1
            self._share_memory()
        if host.stored and host.is_low(self._capacity):
            self._low[host] = None
        due = host.due(self._settings.per_host)
        if due == host.placed:
            return
        host.placed = due
        self._versions += 1
        host.version = self._versions
        if due is None:
            return
        if due <= now:
            heapq.heappush(self._ready, (host.last, host.version, host))
        else:
            heapq.heappush(self._waiting, (due, host.version, host))

    def _share_memory(self) -> None:
        """Give each host its share; cut the queues back each time that the share has halved."""
        share = _IN_MEMORY // max(1, self._working)
        self._capacity = min(self._settings.buffer, max(_LEAST, share))
        self._longest = max(self._longest, self._capacity)
        if 2 * self._capacity <= self._longest:
            self._longest = self._capacity
            for host in self._hosts.values():
                host.trim(self._capacity)

    def _wake(self, now: float) -> None:
        waiting = self._waiting
        while waiting and waiting[0][0] <= now:
            _, version, host = heapq.heappop(waiting)
            if version == host.version:
                heapq.heappush(self._ready, (host.last, version, host))


def _drop_stale(heap: list[tuple[_Rank, int, HostQueue]]) -> None:
    """Drop entries of hosts that have moved on from the top of a heap."""
    while heap and heap[0][1] != heap[0][2].version:
        heapq.heappop(heap)
