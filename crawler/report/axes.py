"""From values to places on an axis: linear from zero, or logarithmic."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

_STEPS = (1, 2, 5, 10)
_FEW_DECADES = 200


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis from ``low`` to ``high``, and the values that are marked on it."""

    low: float
    high: float
    ticks: tuple[float, ...]
    log: bool = False

    @classmethod
    def of(cls, values: Iterable[float], *, log: bool = False) -> "Axis":
        """Make the axis that holds all values. A logarithmic one leaves out what is not above zero."""
        found = [value for value in values if math.isfinite(value) and (value > 0 or not log)]
        if log:
            return cls._log(min(found, default=1.0), max(found, default=10.0))
        return cls._linear(min([0.0, *found]), max([0.0, *found]) or 1.0)

    @classmethod
    def _linear(cls, low: float, high: float) -> "Axis":
        rough = (high - low) / 4
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(step * power for step in _STEPS if step * power >= rough * 0.999)
        first, last = math.floor(low / step), math.ceil(high / step * 0.999)
        ticks = tuple(round(n * step, 12) for n in range(first, last + 1))
        return cls(ticks[0], ticks[-1], ticks)

    @classmethod
    def _log(cls, low: float, high: float) -> "Axis":
        decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 2)
        marks = [round(step * 10.0**n, 12) for n in decades for step in _STEPS[:-1]]
        first = max(mark for mark in marks if mark <= low * 1.001)
        last = min(mark for mark in marks if mark >= high * 0.999 and mark > first)
        if last / first > _FEW_DECADES:
            every = math.ceil(math.log10(last / first) / 6)
            marks = [10.0**n for n in decades[::every]]
        return cls(first, last, tuple(mark for mark in marks if first <= mark <= last), log=True)

    def at(self, value: float) -> float:
        """Return the place of a value, from 0 to 1; what lies outside stands at the edge."""
        if not self.log:
            share = (value - self.low) / (self.high - self.low)
        elif value <= 0:
            share = 0.0
        else:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        return min(1.0, max(0.0, share))
