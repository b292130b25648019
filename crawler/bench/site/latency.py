"""How long the synthetic web takes to answer: a distribution, sampled at fixed quantiles."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

from crawler.errors import ConfigError

_POINTS = 4096
_FORMS = "constant:SECONDS, uniform:LOW,HIGH or lognormal:MEDIAN,SIGMA"


def _constant(_: float, seconds: float) -> float:
    return seconds


def _uniform(u: float, low: float, high: float) -> float:
    return low + u * (high - low)


def _lognormal(u: float, median: float, sigma: float) -> float:
    return median * math.exp(sigma * NormalDist().inv_cdf(u))


_INVERSE: dict[str, tuple[int, Callable[..., float]]] = {
    "constant": (1, _constant),
    "uniform": (2, _uniform),
    "lognormal": (2, _lognormal),
}


@dataclass(frozen=True, slots=True)
class Latency:
    """A distribution of answer times in seconds, as its quantiles in ascending order.

    A table costs nothing per request, is the same on every machine, and bounds the tail: no answer takes
    longer than the last quantile.
    """

    quantiles: tuple[float, ...]

    @classmethod
    def parse(cls, text: str) -> "Latency":
        """Read ``constant:0.1``, ``uniform:0.05,0.2`` or ``lognormal:0.1,0.6`` (median, sigma of the log).

        The lognormal has the tail of real servers: with sigma 0.6 one answer in a hundred takes four times
        the median.

        Raises:
            ConfigError: the text is none of these forms.
        """
        name, _, rest = text.partition(":")
        try:
            arity, inverse = _INVERSE[name]
            values = [float(value) for value in rest.split(",")]
        except (KeyError, ValueError):
            raise ConfigError(f"latency {text!r}: expected {_FORMS}") from None
        if len(values) != arity or not all(math.isfinite(v) and v >= 0 for v in values):
            raise ConfigError(f"latency {text!r}: expected {_FORMS}, none of them negative")
        return cls(tuple(inverse((i + 0.5) / _POINTS, *values) for i in range(_POINTS)))

    def at(self, number: int) -> float:
        """The latency that belongs to a random number."""
        return self.quantiles[number % _POINTS]

    @property
    def mean(self) -> float:
        """The mean in seconds."""
        return math.fsum(self.quantiles) / _POINTS
