"""What a variant can do, from what a page asks of each resource: a closed queueing network, in five lines. Pure.

A page waits ``latency`` for its server and is served by the crawler's one loop (or the GIL, where threads share it);
so many requests are in flight. That is a closed network of a delay and a queue, whose throughput exact mean value
analysis gives (Reiser & Lavenberg, Journal of the ACM 27, 1980). The rest lies outside: a request's slot is free again
once its page is fetched, and pages wait for analysis in memory. So the stage's workers, the machine's cores and
politeness only bound what comes through, each at the reciprocal of what a page asks of it (Denning & Buzen, Computing
Surveys 10, 1978).
"""

from collections.abc import Mapping
from dataclasses import dataclass

ENOUGH = 0.98
"""A width that brings this share of what any brings is enough."""

WIDTHS = (4, 8, 16, 32, 64, 128, 256, 512, 1024)


@dataclass(frozen=True, slots=True)
class Load:
    """What a page asks of a variant, in seconds: of the loop, of all workers together, of all cores together."""

    loop_s: float
    stage_s: float
    cores_s: float


@dataclass(frozen=True, slots=True)
class Pace:
    """What the site and the user's manners allow.

    Seconds until a page is there; hosts; requests at once to each, and seconds between them.
    """

    latency_s: float
    hosts: int
    per_host: int
    delay_s: float

    @property
    def widest(self) -> int:
        """The most requests that may be in flight."""
        return self.hosts * self.per_host

    @property
    def polite_rate(self) -> float | None:
        """The pages a second that the delay allows; None: as many as can be."""
        return self.hosts / self.delay_s if self.delay_s else None


@dataclass(frozen=True, slots=True)
class Prediction:
    """Pages a second, what bounds them, and where each bound lies; ``width`` is how many requests are in flight."""

    concurrency: int
    width: int
    pages_per_second: float
    bottleneck: str
    bounds: Mapping[str, float]


def predict(load: Load, pace: Pace, concurrency: int) -> Prediction:
    """Predict the throughput of one variant at one width."""
    width = min(concurrency, pace.widest)
    bounds = {
        "connections": width / (pace.latency_s + load.loop_s),
        "loop": 1 / load.loop_s,
        **({"workers": 1 / load.stage_s} if load.stage_s else {}),
        "cores": 1 / load.cores_s,
        **({"politeness": pace.polite_rate} if pace.polite_rate else {}),
    }
    bottleneck = min(bounds, key=lambda name: bounds[name])
    fetched = _closed(width, pace.latency_s, load.loop_s)
    return Prediction(concurrency, width, min(fetched, *bounds.values()), bottleneck, bounds)


def _closed(customers: int, delay_s: float, service_s: float) -> float:
    """Return the throughput of a delay and one queue with so many customers (exact mean value analysis)."""
    queue = throughput = 0.0
    for n in range(1, customers + 1):
        response = service_s * (1 + queue)
        throughput = n / (delay_s + response)
        queue = throughput * response
    return throughput


def by_width(load: Load, pace: Pace) -> list[Prediction]:
    """Predict at every width that the site allows."""
    return [predict(load, pace, width) for width in sorted({min(width, pace.widest) for width in WIDTHS})]


def best_width(load: Load, pace: Pace, configured: int) -> Prediction:
    """Predict at the width that is configured, if that is enough; else at the smallest that is."""
    now, others = predict(load, pace, configured), by_width(load, pace)
    enough = ENOUGH * max(found.pages_per_second for found in others)
    if now.pages_per_second >= enough:
        return now
    return next(found for found in others if found.pages_per_second >= enough)


def run_rate(prediction: Prediction, pages: int, first_s: float) -> float:
    """Return the pages a second of a run of so many, whose first takes ``first_s`` before the others follow."""
    return pages / (pages / prediction.pages_per_second + first_s)
