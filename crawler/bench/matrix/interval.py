"""The median of repeated runs, and how far it is to be trusted: a bootstrap interval of 95 %.

The runs are drawn from themselves with replacement, many times; the interval holds the middle 95 % of the medians
(the percentile method of Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13). It assumes nothing
of the distribution, but it cannot see beyond the runs: of five or fewer the interval is their range, which then holds
the true median with 94 % (five), 75 % (three) or less.
"""

import statistics
from collections.abc import Sequence
from random import Random
from typing import TypeVar

from crawler.bench.lab.spread import Spread

_DRAWS = 2_000
_TAIL = 0.025
T = TypeVar("T")


def interval(runs: Sequence[float]) -> Spread:
    """Sum up the runs of one quantity; the same runs always give the same interval."""
    values = [_rounded(run) for run in runs]
    low, high = _middle([statistics.median(draw) for draw in _draws(values)])
    return Spread(median=_rounded(statistics.median(values)), low=_rounded(low), high=_rounded(high), runs=values)


def times(above: Sequence[float], below: Sequence[float]) -> Spread:
    """Say how many times ``below`` goes into ``above``: the ratio of their medians.

    Runs of the same round are drawn together: they were neighbours, so what disturbed one disturbed both. Where one
    has been repeated less often, its rounds are compared. ``runs`` are the ratios of the rounds.
    """
    rounds = list(zip(above, below, strict=False))
    ratios = [_ratio(draw) for draw in _draws(rounds)]
    low, high = _middle(ratios)
    runs = [_rounded(a / b) for a, b in rounds]
    return Spread(median=_rounded(_ratio(rounds)), low=_rounded(low), high=_rounded(high), runs=runs)


def _ratio(rounds: Sequence[tuple[float, float]]) -> float:
    return statistics.median(a for a, _ in rounds) / statistics.median(b for _, b in rounds)


def _draws(items: Sequence[T]) -> list[list[T]]:
    random = Random(len(items))
    return [random.choices(items, k=len(items)) for _ in range(_DRAWS)]


def _middle(values: Sequence[float]) -> tuple[float, float]:
    """Return the bounds of the middle 95 %."""
    ordered = sorted(values)
    cut = int(len(ordered) * _TAIL)
    return ordered[cut], ordered[-1 - cut]


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
