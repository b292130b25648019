"""Repeated measurements: the median and the range of the runs.

The range of n runs holds the true median with a confidence of 1 - 2 * 0.5**n, whatever the distribution: 94 % for
five runs, 75 % for three (Conover, Practical Nonparametric Statistics, 3rd ed., section 3.2). So a comparison is
only decided where the whole range lies on one side.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import TypedDict


class Spread(TypedDict):
    """A quantity as ``results.json`` holds it: all runs in order, their median, the smallest and the largest."""

    median: float
    low: float
    high: float
    runs: list[float]


def spread(runs: Sequence[float]) -> Spread:
    """Sum up the runs of one quantity, rounded to six digits."""
    values = [_rounded(run) for run in runs]
    return Spread(median=_rounded(statistics.median(values)), low=min(values), high=max(values), runs=values)


def ratio(above: Spread, below: Spread) -> Spread:
    """Divide round by round: runs of the same round were neighbours, so what disturbed one disturbed both."""
    return spread([a / b if b else math.inf for a, b in zip(above["runs"], below["runs"], strict=True)])


def exceeds(value: Spread, bound: float) -> bool | None:
    """Say whether a quantity lies above a bound; None where the runs do not agree."""
    if value["low"] > bound:
        return True
    return False if value["high"] <= bound else None


def lies_above(lower: Spread, upper: Spread, bound: float) -> bool | None:
    """Say whether a quantity that lies between two measured ones is above a bound; None where that is not decided."""
    if exceeds(lower, bound):
        return True
    return False if exceeds(upper, bound) is False else None


def crossing(xs: Sequence[float], ratios: Sequence[float]) -> float | None:
    """Return the x at which a ratio first climbs above 1 for good, between points of a logarithmic axis.

    None where it does not end above 1; the first x where it was there from the beginning.
    """
    if ratios[-1] <= 1:
        return None
    last = max((i for i, value in enumerate(ratios) if value <= 1), default=-1)
    if last < 0:
        return xs[0]
    low, high = math.log(ratios[last]), math.log(ratios[last + 1])
    share = -low / (high - low)
    return math.exp(math.log(xs[last]) + share * (math.log(xs[last + 1]) - math.log(xs[last])))


def by_key(rounds: Sequence[Mapping[str, float]]) -> dict[str, Spread]:
    """Turn the figures of several rounds into a spread for each."""
    return {key: spread([round_[key] for round_ in rounds]) for key in rounds[0]}


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
