"""What held a crawl back, and what one more of something would bring: from how busy each resource was. Pure.

Operational analysis (Denning & Buzen, Computing Surveys 10, 1978): a resource that is busy for a share U of the time
bounds the throughput at 1/U of what was seen, and the busiest one bounds it first. One more server in a group of m
makes that share U * m/(m+1). These are bounds for an unchanged mix of pages, not promises.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

_IDLE = 0.5
"""Where nothing was busy for half of the time, the crawl waited for links to be found."""


@dataclass(frozen=True, slots=True)
class Groups:
    """How many there are of what can be had in numbers. ``apart``: workers are processes, on cores of their own."""

    workers: int
    connections: int
    cores: int
    apart: bool


@dataclass(frozen=True, slots=True)
class Use:
    """The share of a run during which each resource was busy, 0 to 1 (a little more by errors of measurement).

    ``politeness``: no host with queued URLs might be asked. ``connections`` and ``workers``: the mean over all of them.
    ``cores``: of the machine, by this crawl's processes. ``loop``: the event loop's thread. ``sinks``: commits.
    """

    politeness: float = 0.0
    connections: float = 0.0
    workers: float = 0.0
    cores: float = 0.0
    loop: float = 0.0
    sinks: float = 0.0

    def as_json(self) -> dict[str, float]:
        """Return each share, rounded."""
        return {name: round(getattr(self, name), 3) for name in self.__slots__}


def bottleneck(use: Use) -> str:
    """Name the busiest resource; ``discovery`` where all were idle for most of the time."""
    shares: Mapping[str, float] = {name: getattr(use, name) for name in use.__slots__}
    busiest = max(shares, key=lambda name: shares[name])
    return busiest if shares[busiest] >= _IDLE else "discovery"


def outlook(use: Use, groups: Groups) -> dict[str, float]:
    """Return the gain in throughput, as a share, that one more worker and one more connection would bring."""
    more = {
        "worker": replace(use, workers=use.workers * groups.workers / (groups.workers + 1)),
        "connection": replace(use, connections=use.connections * groups.connections / (groups.connections + 1)),
    }
    return {name: round(_busiest(use) / _busiest(with_one) - 1, 3) for name, with_one in more.items()}


def _busiest(use: Use) -> float:
    shares: list[float] = [getattr(use, name) for name in use.__slots__]
    return max(_IDLE, *shares)
