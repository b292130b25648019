"""How many fetches to have in flight: a search for the width that brings the most pages, while the crawl runs.

::

    settle ──► measure ──► at home:  try f times the width, then 1/f of it
      ▲                    on trial: enough pages?  yes: the trial is the new home, and f grows
      │                                             no: go home; after both ways, f shrinks
      └──────── the next width ◄─────┘

It is a compass search (Kolda, Lewis & Torczon, SIAM Review 45, 2003) on a logarithmic scale. What is compared is
goodput alone: a slow answer is no sign of a full server, and slots that failures hold are none of use. Goodput comes
by Little's law, from the mean number in flight and the mean time that a slot is held: so it is right within one round
of answers, also where all of them come at once. Our own lag takes from both sides of a comparison alike.

A width that was not used says nothing: where hosts must not be asked yet, or the stages behind cannot take more, the
width stays.
"""

from dataclasses import dataclass
from typing import Protocol

_WAYS = ("wider", "narrower")
_START = 32
_WIDEST_STEP, _FINEST_STEP = 2.0, 1.19  # factors; the second is the fourth root of the first
_WORTH = 0.1  # what a wider one must bring: this share of what it would if every slot counted
_ENOUGH = 64  # exchanges, at least, that a measurement is made of
_SHORTEST_S = 0.2
_USED = 0.8  # share of the width that was in flight, on average, where it was the limit
_REST_S = 3.0  # between two searches that found nothing better
_CHANGED = 1.3  # factor: the goodput of a width that stayed is another one, and so is the crawl


class Width(Protocol):
    """How many fetches may be in flight."""

    @property
    def value(self) -> int:
        """The number."""
        ...

    def finished(self, now: float, seconds: float, in_flight: int, *, good: bool) -> None:
        """Hear of an exchange that ended, which held one of ``in_flight`` slots for ``seconds``."""
        ...


@dataclass(frozen=True, slots=True)
class FixedWidth:
    """The number that the user chose."""

    value: int

    def finished(self, now: float, seconds: float, in_flight: int, *, good: bool) -> None:
        """Nothing to learn."""


class AdaptiveWidth:
    """The number that brings the most pages, from 1 to ``widest``. Sans-I/O: it is told the time, in seconds."""

    def __init__(self, widest: int) -> None:
        self.value = min(_START, widest)
        self._widest = widest
        self._home = self.value
        self._reference = 0.0  # goodput at home
        self._step = _WIDEST_STEP
        self._ways = [*_WAYS]  # not tried yet with this step
        self._rested = 0.0
        self._sample: _Sample | None = None

    def finished(self, now: float, seconds: float, in_flight: int, *, good: bool) -> None:
        """Hear of an exchange that ended; now and then, change the width."""
        if self._sample is None:
            self._sample = _Sample(now + 1.2 * seconds)
        self._sample.add(now, seconds, in_flight, good=good)
        if self._sample.is_enough(now, self.value):
            sample, self._sample = self._sample, None
            self._judge(sample, now)

    def _judge(self, sample: "_Sample", now: float) -> None:
        goodput, used = sample.goodput(), sample.in_flight() >= _USED * self.value
        if self.value == self._home:
            if used:
                self._at_home(goodput, now)
        elif used and self._is_better(goodput):
            self._settle_in(goodput)
        else:
            self.value = self._home

    def _at_home(self, goodput: float, now: float) -> None:
        if not self._reference or not 1 / _CHANGED < goodput / self._reference < _CHANGED:
            self._step, self._ways, self._rested = _WIDEST_STEP, [*_WAYS], now
        self._reference = goodput
        if self._ways:
            self._try(self._ways.pop(0))
        elif self._step > _FINEST_STEP:
            self._step, self._ways = max(_FINEST_STEP, self._step**0.5), [*_WAYS]
            self._rested = now
        elif now - self._rested >= _REST_S:
            self._ways, self._rested = [*_WAYS], now

    def _try(self, way: str) -> None:
        factor = self._step if way == "wider" else 1 / self._step
        self.value = max(1, min(self._widest, round(self._home * factor)))

    def _is_better(self, goodput: float) -> bool:
        """Whether a wider trial brings enough more, or a narrower one hardly less."""
        return goodput >= self._reference * (1 + _WORTH * (self.value / self._home - 1))

    def _settle_in(self, goodput: float) -> None:
        way = "wider" if self.value > self._home else "narrower"
        self._home, self._reference = self.value, goodput
        self._step = min(_WIDEST_STEP, self._step**2)
        self._ways = []  # where it came from was worse
        self._try(way)


class _Sample:
    """The exchanges of one width; those that ended before ``begins`` were begun with another one."""

    def __init__(self, begins: float) -> None:
        self._begins = begins
        self._count = self._good = self._in_flight = 0
        self._seconds = 0.0

    def add(self, now: float, seconds: float, in_flight: int, *, good: bool) -> None:
        if now >= self._begins:
            self._count += 1
            self._good += good
            self._in_flight += in_flight
            self._seconds += seconds

    def is_enough(self, now: float, width: int) -> bool:
        return self._count >= max(_ENOUGH, width) and now - self._begins >= _SHORTEST_S

    def in_flight(self) -> float:
        return self._in_flight / self._count

    def goodput(self) -> float:
        """Return good exchanges a second: those in flight, by the time that each takes (Little 1961)."""
        return self.in_flight() * self._good / max(self._seconds, 1e-9)
