"""What the server saw: the truth about a crawler's manners, kept in a few counters per host.

Times are taken where the server reads a request. A client that keeps a delay of d seconds between its
requests shows here a smallest gap of about d: the way to the server takes a little more or less each time.
"""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from crawler.bench.site.plan import Plan

ROBOTS, SITEMAP = "/robots.txt", "/sitemap.xml"
WELL_KNOWN = frozenset({ROBOTS, SITEMAP})
TIMER_SLACK = 0.002
"""Seconds that a hit may come before Retry-After is over: event loops round their timers to milliseconds."""


@dataclass(frozen=True, slots=True)
class HostReport:
    """One host. Gaps are seconds between the starts of requests; None where there were fewer than two."""

    requests: int
    robots_fetches: int
    before_robots: int
    """Requests for anything but robots.txt that came before robots.txt was answered."""
    peak_concurrency: int
    """Requests that were being answered at the same time; meaningful where answers take time."""
    min_gap_s: float | None
    min_page_gap_s: float | None
    """The same without robots.txt and sitemap.xml."""
    connections: int
    """Connections with at least one request."""
    peak_connections: int
    bytes_sent: int
    """Heads and bodies handed to the kernel."""


@dataclass(frozen=True, slots=True)
class AuditReport:
    """All that was seen since the start or the last reset. URLs are absolute."""

    requests: int
    connections: int
    peak_connections: int
    bytes_sent: int
    hits: Mapping[str, int]
    """Requests by URL, robots.txt and sitemap.xml included."""
    violations: Mapping[str, int]
    """Hits on URLs that robots.txt disallows."""
    early: Mapping[str, int]
    """Hits on a URL before the moment that its Retry-After named."""
    strays: Mapping[str, int]
    """Hits on URLs that the web does not have: what a crawler misread."""
    user_agents: Mapping[str, int]
    hosts: Mapping[str, HostReport]
    """By base URL."""
    first_page_at: float | None = None
    """Unix time of the first request for a page."""

    def to_json(self) -> bytes:
        """Serialise."""
        return orjson.dumps(self)

    @classmethod
    def from_json(cls, data: bytes) -> "AuditReport":
        """Read what :meth:`to_json` wrote."""
        values: dict[str, Any] = orjson.loads(data)
        hosts = {url: HostReport(**host) for url, host in values.pop("hosts").items()}
        return cls(hosts=hosts, **values)


@dataclass(slots=True)
class _Peak:
    """A number of things that are open, and the most that ever were."""

    now: int = 0
    peak: int = 0
    total: int = 0

    def enter(self) -> None:
        self.now += 1
        self.total += 1
        self.peak = max(self.peak, self.now)

    def leave(self) -> None:
        self.now -= 1

    def reset(self) -> None:
        self.peak, self.total = self.now, 0


@dataclass(slots=True)
class _Gap:
    """The smallest time between two events."""

    last: float | None = None
    smallest: float | None = None

    def event(self, now: float) -> None:
        if self.last is not None and (self.smallest is None or now - self.last < self.smallest):
            self.smallest = now - self.last
        self.last = now


@dataclass(slots=True)
class _Host:
    """The counters of one host."""

    active: _Peak = field(default_factory=_Peak)
    connections: _Peak = field(default_factory=_Peak)
    requests: _Gap = field(default_factory=_Gap)
    pages: _Gap = field(default_factory=_Gap)
    hits: dict[str, int] = field(default_factory=dict)
    early: Counter[str] = field(default_factory=Counter)
    not_before: dict[str, float] = field(default_factory=dict)
    robots_answered: bool = False
    before_robots: int = 0
    bytes_sent: int = 0

    def report(self) -> HostReport:
        return HostReport(
            requests=self.active.total,
            robots_fetches=self.hits.get(ROBOTS, 0),
            before_robots=self.before_robots,
            peak_concurrency=self.active.peak,
            min_gap_s=self.requests.smallest,
            min_page_gap_s=self.pages.smallest,
            connections=self.connections.total,
            peak_connections=self.connections.peak,
            bytes_sent=self.bytes_sent,
        )


class Audit:
    """Counts what connections report. All calls come from the server's event loop."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._hosts = [_Host() for _ in range(plan.hosts)]
        self._connections = _Peak()
        self._agents: Counter[str] = Counter()
        self._first_page_at: float | None = None

    def connected(self, host: int) -> None:
        """A connection made its first request."""
        self._connections.enter()
        self._hosts[host].connections.enter()

    def disconnected(self, host: int) -> None:
        """Such a connection ended."""
        self._connections.leave()
        self._hosts[host].connections.leave()

    def started(self, host: int, path: str, agent: str) -> int:
        """A request came in; returns the number of this hit on its URL, from 1."""
        seen, now = self._hosts[host], time.monotonic()
        hit = seen.hits[path] = seen.hits.get(path, 0) + 1
        self._agents[agent] += 1
        seen.active.enter()
        seen.requests.event(now)
        if path not in WELL_KNOWN:
            seen.pages.event(now)
            self._first_page_at = self._first_page_at or time.time()
        if path != ROBOTS and not seen.robots_answered:
            seen.before_robots += 1
        if path in seen.not_before and time.time() < seen.not_before[path] - TIMER_SLACK:
            seen.early[path] += 1
        return hit

    def sent(self, host: int, size: int) -> None:
        """Bytes were sent."""
        self._hosts[host].bytes_sent += size

    def finished(self, host: int, path: str) -> None:
        """An answer is complete, or its connection is gone."""
        self._hosts[host].active.leave()
        if path == ROBOTS:
            self._hosts[host].robots_answered = True

    def retry_after(self, host: int, path: str, moment: float) -> None:
        """A 503 named the Unix time before which its URL is not to be asked for again."""
        self._hosts[host].not_before[path] = moment

    def reset(self) -> None:
        """Forget everything but what is open now. A web whose audit was reset behaves as if just started."""
        self._connections.reset()
        self._agents.clear()
        self._first_page_at = None
        for i, host in enumerate(self._hosts):
            host.active.reset()
            host.connections.reset()
            self._hosts[i] = _Host(active=host.active, connections=host.connections)

    def report(self, base_urls: tuple[str, ...]) -> AuditReport:
        """Sum up. Takes some microseconds per URL that was hit."""
        hosts = list(zip(base_urls, self._hosts, strict=True))
        found = {
            base + path: (count, path in WELL_KNOWN or self._plan.find(i, path))
            for i, (base, host) in enumerate(hosts)
            for path, count in host.hits.items()
        }
        return AuditReport(
            requests=sum(host.active.total for host in self._hosts),
            connections=self._connections.total,
            peak_connections=self._connections.peak,
            bytes_sent=sum(host.bytes_sent for host in self._hosts),
            hits={url: count for url, (count, _) in found.items()},
            violations={
                url: count
                for url, (count, slot) in found.items()
                if slot and slot is not True and self._plan.forbidden(slot)
            },
            early={base + path: count for base, host in hosts for path, count in host.early.items()},
            strays={url: count for url, (count, slot) in found.items() if not slot},
            user_agents=dict(self._agents),
            hosts={base: host.report() for base, host in hosts},
            first_page_at=self._first_page_at,
        )
