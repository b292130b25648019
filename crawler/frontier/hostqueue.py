"""The line of one host: what waits in memory, what waits in the store, and when the host may be asked again."""

import heapq
import math
from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass

from crawler.types import CrawlRequest

Item = tuple[int, int, int, CrawlRequest]
"""``(-priority, depth, id, request)``: items sort in the order in which they are leased (ids are unique)."""

_FIRST_TIME: float = -math.inf


@dataclass(slots=True, eq=False)
class Lease:
    """A request that is out, from its lease to its commit. ``home`` is the host that its row belongs to."""

    id: int
    host: "HostQueue"
    home: "HostQueue"
    number: int
    spaced_before: float
    open: bool = True


class HostQueue:
    """One host. Times are those of the caller's clock.

    The best requests are in memory (``queue``), the others in the store only; ``stored`` says whether there are any.
    Invariant: everything in ``queue`` comes before everything that is in the store only. So what is added belongs
    into memory if nothing is stored only, or if it comes before the last in memory.

    A refill takes time, and requests are added, or fall out of memory, meanwhile: ``floor`` is the best of those
    that went to the store only since the refill was asked for; what a refill brings beyond it is not used.
    """

    __slots__ = (
        "asleep",
        "counted",
        "delay",
        "floor",
        "given",
        "held",
        "last",
        "leases",
        "loaded",
        "loading",
        "name",
        "paused_until",
        "placed",
        "probed",
        "queue",
        "returned",
        "spaced_until",
        "stored",
        "version",
    )

    def __init__(self, name: str, delay: float, *, stored: bool, not_before: float) -> None:
        self.name = name
        self.delay = delay
        # What waits
        self.queue: list[Item] = []
        self.returned: list[tuple[float, int, CrawlRequest, HostQueue]] = []  # heap: (not before, id, ...)
        self.stored = stored
        self.floor: Item | None = None
        self.held: set[int] = set()  # ids of this host's rows that are in memory: queued, leased, not committed
        self.loaded = not stored
        self.loading = False
        self.given: int | None = None  # requests of its first load, as long as there was no other
        # What is out, and when the next may go
        self.leases = 0
        self.probed = False
        self.spaced_until = _FIRST_TIME
        self.paused_until = not_before
        self.asleep = False
        # Where HostQueues keeps it
        self.last = 0
        self.placed: float | None = None
        self.version = 0
        self.counted = False

    # What waits

    def put(self, item: Item, capacity: int) -> None:
        """Add a new request, to memory if it belongs there; at most ``capacity`` stay."""
        if self.stored and not (self.queue and item < self.queue[-1]):
            self._spill(item)
            return
        insort(self.queue, item)
        self.held.add(item[2])
        self.trim(capacity)

    def trim(self, capacity: int) -> None:
        """Leave all but the best ``capacity`` requests to the store."""
        while len(self.queue) > capacity:
            last = self.queue.pop()
            self.held.discard(last[2])
            self._spill(last)

    def refill(self, items: Sequence[Item], *, complete: bool) -> None:
        """Take over the best requests that are in the store only; ``complete``: there are no others."""
        self.loading = False
        self.given = None if self.loaded else len(items)
        self.loaded = True
        if self.asleep:
            return
        floor = self.floor
        fresh = items if floor is None else [item for item in items if item < floor]
        self.queue.extend(fresh)
        self.held.update(item[2] for item in fresh)
        self.stored = not complete or floor is not None

    def is_low(self, capacity: int) -> bool:
        """Whether it is time for a refill: a quarter is left of its share, or of the few requests that it began with.

        Those that many hosts begin with are many together, and more would come while most of them are still there.
        """
        full = capacity if self.given is None else min(capacity, self.given)
        return self.stored and not self.asleep and not self.loading and len(self.queue) <= full // 4

    def sleep(self) -> None:
        """Leave the queue to the store, for a pause so long that the memory serves others better."""
        self.trim(0)
        self.asleep = self.stored

    def _spill(self, item: Item) -> None:
        self.stored = True
        if self.floor is None or item < self.floor:
            self.floor = item

    # What is out

    def due(self, per_host: int) -> float | None:
        """Return when the next lease may start; None where there is no free lease, or nothing to lease."""
        if self.leases >= (per_host if self.probed else 1) or not self.loaded:
            return None
        free = max(self.spaced_until, self.paused_until)
        if self.queue or self.asleep:
            return free
        return max(free, self.returned[0][0]) if self.returned else None

    def lease(self, now: float, number: int) -> tuple[CrawlRequest, Lease]:
        """Hand out the next request: one that was given back and may go now, or the best."""
        if self.returned and self.returned[0][0] <= now:
            _, row, request, home = heapq.heappop(self.returned)
        else:
            _, _, row, request = self.queue.pop(0)
            home = self
        lease = Lease(row, self, home, number, self.spaced_until)
        self.leases += 1
        self.last = number
        self.spaced_until = now + self.delay
        return request, lease

    def release(self, lease: Lease, now: float, pause: float, *, asked: bool) -> None:
        """End a lease. The delay counts from here as well as from its start: see :mod:`crawler.frontier.hosts`."""
        lease.open = False
        self.leases -= 1
        self.probed = True
        if asked:
            pause = max(pause, self.delay)
        elif self.last == lease.number:
            self.spaced_until = lease.spaced_before
        self.paused_until = max(self.paused_until, now + pause)

    def works(self) -> bool:
        """Whether it takes one of the places for active hosts."""
        return bool(self.queue or self.leases or (self.stored and not self.asleep))

    def is_idle(self, now: float) -> bool:
        """Whether it can be forgotten: it holds nothing, and could be asked at once if it were new."""
        holds = self.queue or self.returned or self.held or self.leases or self.stored or self.loading
        return not holds and max(self.spaced_until, self.paused_until) <= now
