"""A crawl's fetches as a model with a clock of its own: a server, the event loop, and the stages behind them."""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from crawler.adaptive import Width

Law = Callable[[float, int], float]
"""Seconds, as they are at a moment with so many requests in flight."""


def constant(seconds: float) -> Law:
    return lambda _now, _in_flight: seconds


NOTHING = constant(0.0)
USUAL_LATENCY, USUAL_LOOP = constant(0.2), constant(0.0003)


@dataclass(slots=True)
class Crawl:
    """What answers take.

    ``latency`` is of the server, beside its ``servers`` places, each of which a request holds for ``service``. The loop
    is one place that every answer holds for ``loop``. ``analysis`` is done by one worker; ``room`` pages at most lie
    between fetch and analysis, and nothing is asked for where they do.
    """

    latency: Law = USUAL_LATENCY
    service: Law = NOTHING
    servers: int = 1
    loop: Law = USUAL_LOOP
    analysis: Law = NOTHING
    room: int = 2000
    jitter: float = 0.1
    fails: Callable[[float, int], float] = lambda _now, _in_flight: 0.0
    seed: int = 7
    done: list[float] = field(default_factory=list)

    def run(self, width: Width, seconds: float) -> "Crawl":
        """Fetch for so many seconds; ``done`` are the moments at which pages left the last stage."""
        draw = random.Random(self.seed)
        places = [0.0] * self.servers
        loop_free = worker_free = 0.0
        events: list[tuple[float, int, str, float, bool]] = []
        number = in_flight = waiting = 0
        now = 0.0
        while now < seconds:
            while in_flight < width.value and in_flight + waiting < self.room:
                in_flight += 1
                number += 1
                held = self.service(now, in_flight)
                begins = max(now, places[0]) if held else now
                if held:
                    heapq.heapreplace(places, begins + held)
                away = self.latency(now, in_flight) * draw.uniform(1 - self.jitter, 1 + self.jitter)
                good = draw.random() >= self.fails(now, in_flight)
                heapq.heappush(events, (begins + held + away, number, "arrived", now, good))
            now, _, what, began, good = heapq.heappop(events)
            if what == "arrived":
                loop_free = max(now, loop_free) + self.loop(now, in_flight)
                heapq.heappush(events, (loop_free, number, "fetched", began, good))
            elif what == "fetched":
                width.finished(now, now - began, in_flight, good=good)
                in_flight -= 1
                if good:
                    waiting += 1
                    worker_free = max(now, worker_free) + self.analysis(now, in_flight)
                    heapq.heappush(events, (worker_free, number, "analysed", began, good))
            else:
                waiting -= 1
                self.done.append(now)
            number += 1
        return self

    def rate(self, begin: float, end: float) -> float:
        """Return the pages a second between two moments."""
        return sum(begin <= moment < end for moment in self.done) / (end - begin)
