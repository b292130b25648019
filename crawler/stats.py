"""``stats.json``: what a crawl did, where its time went, and what held it back."""

import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from cpu_stage.runtime import python_build
from cpu_stage.stage import StageCounts
from crawler import __version__
from crawler.adaptive import Width
from crawler.attribution import Groups, Use, bottleneck, outlook
from crawler.metrics import HostStats, LagMeter, MemoryMeter, Metrics, shares
from crawler.traps import Traps
from crawler.types import FrontierCounts


def now_utc() -> str:
    """Return the wall clock as ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


_MOST_HOSTS = 20


@dataclass(frozen=True, slots=True)
class Earlier:
    """What earlier runs of the same job add up to."""

    seconds: float = 0.0
    bytes: int = 0
    wire_bytes: int = 0
    peak_rss_mb: float = 0.0
    near_duplicates: int = 0
    started_at: str | None = None

    @classmethod
    def of(cls, stats: Mapping[str, Any] | None) -> "Earlier":
        """Read the sums from a job's last ``stats.json``; nothing where there is none, or it is not ours."""
        if not stats:
            return cls()

        def number(name: str) -> float:
            value = stats.get(name)
            return float(value) if isinstance(value, int | float) else 0.0

        started = stats.get("started_at")
        return cls(
            seconds=number("seconds"),
            bytes=int(number("bytes")),
            wire_bytes=int(number("wire_bytes")),
            peak_rss_mb=number("peak_rss_mb"),
            near_duplicates=int(number("near_duplicates")),
            started_at=started if isinstance(started, str) else None,
        )


@dataclass(slots=True)
class StatsBook:
    """Puts the figures of all meters together."""

    metrics: Metrics
    lag: LagMeter
    memory: MemoryMeter
    groups: Groups
    width: Width
    traps: Traps
    earlier: Earlier = field(default_factory=Earlier)
    started_at: str = field(default_factory=now_utc)
    _cpu_before: tuple[float, float] = field(default_factory=lambda: (time.thread_time(), time.process_time()))

    def as_json(self, counts: FrontierCounts, stage: StageCounts, state: str) -> dict[str, Any]:
        """Return the contents of ``stats.json``; ``pages`` and the sums are the job's, the rest is this run's.

        To be called in the event loop's thread, whose CPU time it takes.
        """
        use = self.use(stage)
        pages = sum(counts.outcomes.values())
        seconds = self.earlier.seconds + self.metrics.seconds
        return {
            "state": state,
            "pages": pages,
            "seconds": round(seconds, 3),
            "pages_per_second": round(pages / seconds, 2) if seconds else 0.0,
            "outcomes": {str(outcome): n for outcome, n in sorted(counts.outcomes.items())},
            "errors": {str(kind): n for kind, n in self.metrics.errors.most_common()},
            "statuses": {str(status): n for status, n in sorted(self.metrics.statuses.items())},
            "retries": self.metrics.retries,
            "near_duplicates": self.earlier.near_duplicates + self.metrics.near_duplicates,
            "concurrency": self.width.value,
            "queued": counts.queued + counts.leased,
            "known": counts.known,
            "bytes": self.earlier.bytes + self.metrics.bytes,
            "wire_bytes": self.earlier.wire_bytes + self.metrics.wire_bytes,
            "peak_rss_mb": max(self.earlier.peak_rss_mb, round(self.memory.peak / 2**20, 1)),
            "loop_lag_ms": self.lag.as_json(),
            "stages": shares(_split_queue(self.metrics.stages, stage)),
            "waits": shares(self.metrics.waits),
            "use": use.as_json(),
            "bottleneck": bottleneck(use) if self.metrics.seconds else None,
            "one_more": outlook(use, replace(self.groups, connections=self.width.value)),
            "hosts": {name: _host(host) for name, host in self.metrics.busiest(_MOST_HOSTS)},
            "cut": dict(islice(self.traps.cut.items(), _MOST_HOSTS)),
            "started_at": self.earlier.started_at or self.started_at,
            "finished_at": None if state == "running" else now_utc(),
            "version": __version__,
            "python": platform.python_version(),
            "build": python_build(),
        }

    def use(self, stage: StageCounts) -> Use:
        """Return how busy each resource was in this run."""
        metrics, groups = self.metrics, self.groups
        seconds = metrics.seconds
        if not seconds:
            return Use()
        loop = time.thread_time() - self._cpu_before[0]
        process = time.process_time() - self._cpu_before[1]
        network = metrics.stages["network"] + metrics.stages["robots"]
        return Use(
            politeness=metrics.waits["politeness"] / seconds,
            connections=network / (self.width.value * seconds),
            workers=stage.busy_s / (groups.workers * seconds),
            cores=min(1.0, (process + (stage.busy_s if groups.apart else 0.0)) / (groups.cores * seconds)),
            loop=min(1.0, loop / seconds),
            sinks=metrics.stages["commit"] / seconds,
        )


def _split_queue(stages: Mapping[str, float], stage: StageCounts) -> dict[str, float]:
    """Tell the way to the workers and back from waiting for them: only the stage knows it."""
    return {**stages, "queue": max(0.0, stages["queue"] - stage.hand_off_s), "hand_off": stage.hand_off_s}


def _host(host: HostStats) -> dict[str, Any]:
    return {
        "pages": host.pages,
        "errors": host.errors,
        "bytes": host.bytes,
        "mean_ms": round(host.mean_s * 1e3, 2),
    }
