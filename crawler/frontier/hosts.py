"""The hosts' queues in memory: which host is due, and which of its requests comes first. No I/O; times are given."""

import bisect
import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from crawler.types import CrawlRequest

Entry: TypeAlias = tuple[int, int, int, CrawlRequest]
"""(-priority, depth, row id, request): sorts in the order of crawling."""


@dataclass(slots=True)
class HostQueue:
    """One host: the head of its queue, the rest being in the store, and its politeness."""

    name: str
    delay: float
    due: float
    entries: list[Entry] = field(default_factory=list)
    stored: bool = False
    """Whether the store may hold requests that are not in memory."""
    leases: int = 0
    last: tuple[CrawlRequest, float, float] | None = None
    """The last lease, with ``due`` before and after it: what to go back to if that one is not used."""
    known: bool = False
    """Whether a lease was given back before: until then the host has one lease at a time."""

    def push(self, entry: Entry, most: int) -> None:
        """Insert in order; what does not fit stays in the store alone."""
        if self.stored and self.entries and entry[:3] > self.entries[-1][:3]:
            return
        if self.stored and not self.entries:
            return
        bisect.insort(self.entries, entry, key=lambda e: e[:3])
        if len(self.entries) > most:
            self.entries.pop()
            self.stored = True


class HostQueues:
    """All hosts, and a heap of the moments at which they are due."""

    def __init__(self, per_host: int, delay: float, most: int) -> None:
        self._per_host = per_host
        self._delay = delay
        self._most = most
        self._hosts: dict[str, HostQueue] = {}
        self._due: list[tuple[float, str]] = []
        self._later: list[tuple[float, int, Entry]] = []
        self._tick = 0

    def __len__(self) -> int:
        return len(self._hosts)

    def host(self, name: str, now: float) -> HostQueue:
        """Return the host's queue; a new one is due now."""
        found = self._hosts.get(name)
        if found is None:
            found = self._hosts[name] = HostQueue(name, self._delay, now)
        return found

    def push(self, entries: Iterable[Entry], now: float) -> None:
        """Queue requests of any hosts."""
        for entry in entries:
            host = self.host(entry[3].host, now)
            host.push(entry, self._most)
            self._announce(host)

    def push_later(self, entry: Entry, at: float) -> None:
        """Queue a request first in its host's line once ``at`` has come."""
        self._tick += 1
        heapq.heappush(self._later, (at, self._tick, entry))

    def _announce(self, host: HostQueue) -> None:
        if host.leases < self._width(host):
            heapq.heappush(self._due, (host.due, host.name))

    def _width(self, host: HostQueue) -> int:
        return self._per_host if host.known else 1

    def lease(self, limit: int, now: float) -> list[Entry]:
        """Take requests of hosts that are due, at most one a host per delay."""
        self._mature(now)
        leased: list[Entry] = []
        while self._due and self._due[0][0] <= now and len(leased) < limit:
            host = self._hosts[heapq.heappop(self._due)[1]]
            if not host.entries or host.due > now or host.leases >= self._width(host):
                continue
            entry = host.entries.pop(0)
            leased.append(entry)
            host.leases += 1
            before, host.due = host.due, now + host.delay
            host.last = (entry[3], before, host.due)
            if host.entries:
                self._announce(host)
        return leased

    def _mature(self, now: float) -> None:
        while self._later and self._later[0][0] <= now:
            entry = heapq.heappop(self._later)[2]
            host = self.host(entry[3].host, now)
            host.entries.insert(0, entry)
            self._announce(host)

    def give_back(self, request: CrawlRequest, now: float, *, pause: float, asked: bool) -> None:
        """End a lease: the host is due after its delay or the pause.

        One that was not used gives its delay back, unless a later lease or a pause has moved the moment since.
        """
        host = self.host(request.host, now)
        host.leases -= 1
        host.known = True
        if not asked and host.last and (host.last[0], host.last[2]) == (request, host.due):
            host.due = host.last[1]
        if pause:
            host.due = max(host.due, now + pause)
        self._announce(host)

    def set_delay(self, name: str, delay: float, now: float) -> None:
        """Set a host's delay, also for the lease that is out."""
        host = self.host(name, now)
        host.due = max(host.due, now + delay)
        host.delay = delay

    def hungry(self) -> list[HostQueue]:
        """Return the hosts whose queue in memory is empty while the store has more."""
        return [host for host in self._hosts.values() if host.stored and not host.entries]

    def resume(self, name: str, due: float) -> None:
        """Add a host whose requests are all in the store."""
        host = self.host(name, due)
        host.stored = True
        self._announce(host)

    def later_ids(self) -> set[int]:
        """Return the row ids of the requests that wait for their time."""
        return {entry[2] for _, _, entry in self._later}

    def next_due(self, now: float) -> float | None:
        """Return the seconds until a queued request is due."""
        while self._due:
            host = self._hosts[self._due[0][1]]
            if (host.entries or host.stored) and host.leases < self._width(host):
                if host.due <= self._due[0][0]:
                    break
                heapq.heapreplace(self._due, (host.due, host.name))
            else:
                heapq.heappop(self._due)
        moments = [heap[0][0] for heap in (self._due, self._later) if heap]
        return max(0.0, min(moments) - now) if moments else None
