"""What a crawl measures of itself: counts, the time of each stage, the loop's lag, the memory of all processes."""

import asyncio
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crawler.types import Outcome, Record

STAGES = ("robots", "network", "parse", "queue", "hand_off", "analysis", "commit")
"""What a page spends its time in; ``queue`` is waiting for a worker."""
WAITS = ("politeness", "network", "discovery", "downstream")
"""What the dispatcher waits for: a host to be due, a free fetch slot, new links, or the stages after the fetch."""
_PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")
_MAX_HOSTS = 10_000


@dataclass(slots=True)
class HostStats:
    """One host's share: ``seconds`` is the sum of its fetch times."""

    pages: int = 0
    bytes: int = 0
    errors: int = 0
    seconds: float = 0.0

    @property
    def mean_s(self) -> float:
        """Mean time of a fetch."""
        return self.seconds / self.pages if self.pages else 0.0


@dataclass(slots=True)
class Metrics:
    """Counters of one run; written by the engine on the loop, read by progress, summary and ``stats.json``."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    stages: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))
    waits: dict[str, float] = field(default_factory=lambda: dict.fromkeys(WAITS, 0.0))
    hosts: dict[str, HostStats] = field(default_factory=dict)
    bytes: int = 0
    wire_bytes: int = 0
    retries: int = 0
    near_duplicates: int = 0
    first_fetch: float | None = None
    last_commit: float | None = None

    @property
    def pages(self) -> int:
        """Records written in this run."""
        return self.outcomes.total()

    @property
    def seconds(self) -> float:
        """From the first fetch to the last commit."""
        if self.first_fetch is None or self.last_commit is None:
            return 0.0
        return self.last_commit - self.first_fetch

    def spent(self, stage: str, seconds: float) -> None:
        """Add the time that one page spent in a stage; pages overlap, so stages add up to more than the clock."""
        self.stages[stage] += seconds

    def committed(self, records: Iterable[Record], now: float) -> None:
        """Count records that the sinks and the frontier hold."""
        self.last_commit = now
        for record in records:
            self.outcomes[record.outcome] += 1
            self.near_duplicates += record.near_duplicate_of is not None
            if record.error:
                self.errors[record.error.kind] += 1
            self._count_fetch(record)

    def _count_fetch(self, record: Record) -> None:
        host = self._host(record.request.host)
        host.pages += 1
        host.errors += record.outcome is Outcome.HTTP_ERROR or record.outcome is Outcome.FAILED
        fetched = record.fetched
        if fetched is None:
            return
        size = len(fetched.body) if fetched.body is not None else 0
        self.statuses[fetched.status] += 1
        self.bytes += size
        self.wire_bytes += fetched.wire_bytes
        host.bytes += size
        host.seconds += fetched.total_s

    def _host(self, name: str) -> HostStats:
        """Return the host's row; beyond a bound the later hosts share one, so that memory stays flat."""
        host = self.hosts.get(name)
        if host is None:
            host = self.hosts.setdefault(name if len(self.hosts) < _MAX_HOSTS else "(others)", HostStats())
        return host

    def busiest(self, most: int) -> list[tuple[str, HostStats]]:
        """Return the hosts with the most pages."""
        return sorted(self.hosts.items(), key=lambda item: -item[1].pages)[:most]

    def slowest(self, most: int) -> list[tuple[str, HostStats]]:
        """Return the hosts with the longest mean fetch."""
        return sorted(self.hosts.items(), key=lambda item: -item[1].mean_s)[:most]


class LagMeter:
    """Measures how late the event loop wakes: the time during which nothing else could run.

    A timer every ``period`` seconds; what it is late by goes into a histogram of fixed, exponential buckets, so
    that a crawl of days costs no memory.
    """

    _BASE = 1e-5
    _GROWTH = 1.1

    def __init__(self, period: float = 0.02) -> None:
        self._period = period
        self._buckets: Counter[int] = Counter()
        self._bounds = [self._BASE * self._GROWTH**n for n in range(180)]
        self._max = 0.0

    async def run(self) -> None:
        """Measure until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + self._period
            await asyncio.sleep(self._period)
            self.observe(max(0.0, loop.time() - due))

    def observe(self, lag: float) -> None:
        """Count one lag in seconds."""
        self._max = max(self._max, lag)
        bucket = next((n for n, bound in enumerate(self._bounds) if lag <= bound), len(self._bounds) - 1)
        self._buckets[bucket] += 1

    def quantile(self, q: float) -> float:
        """Return the lag in seconds that a share ``q`` of the samples does not exceed (within 10 %)."""
        rank = q * self._buckets.total()
        seen = 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen >= rank:
                return min(self._bounds[bucket], self._max)
        return 0.0

    def as_json(self) -> dict[str, float]:
        """Return the figures in milliseconds."""
        figures = {"p50": self.quantile(0.5), "p99": self.quantile(0.99), "max": self._max}
        return {name: round(value * 1e3, 2) for name, value in figures.items()}


@dataclass(slots=True)
class MemoryMeter:
    """Samples the resident memory of this process and all its descendants (Linux; elsewhere it stays 0)."""

    peak: int = 0

    def sample(self) -> int:
        """Return the bytes in use now; pages that processes share count in each of them."""
        total = sum(_rss(pid) for pid in _tree(os.getpid()))
        self.peak = max(self.peak, total)
        return total


def _tree(pid: int) -> list[int]:
    """Return the process and its descendants."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:
            continue
        for child in children:
            found.extend(_tree(int(child)))
    return found


def _rss(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_SIZE
    except (OSError, IndexError):
        return 0


def shares(stages: dict[str, float]) -> dict[str, Any]:
    """Return each stage's seconds and its share of all."""
    total = sum(stages.values()) or 1.0
    return {name: {"seconds": round(value, 3), "share": round(value / total, 4)} for name, value in stages.items()}
