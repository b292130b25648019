"""A run over time: pages finished, cores kept busy, and the worst lag of the loop, in steps of equal length."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from crawler.bench.matrix.orders import Line

_MOST_STEPS, _FEWEST_STEPS, _SHORTEST_S = 24, 4, 0.05

Timeline = dict[str, list[float]]


def timeline(line: Line, seconds: float, cpu: Sequence[tuple[float, float]]) -> Timeline:
    """Sum up a run; ``cpu`` are moments of the monotonic clock and the CPU seconds of all processes until then.

    Returns:
        ``seconds``: the middle of each step; ``pages_per_second``; ``cores``; ``lag_ms``.
    """
    steps = max(_FEWEST_STEPS, min(_MOST_STEPS, int(seconds / _SHORTEST_S)))
    edges = [seconds * n / steps for n in range(steps + 1)]
    width = seconds / steps
    busy = [_at(cpu, line.began + edge) for edge in edges]
    return {
        "seconds": [round((a + b) / 2, 6) for a, b in pairwise(edges)],
        "pages_per_second": [_rounded(count / width) for count in _counts(line.finished, edges)],
        "cores": [_rounded((b - a) / width) for a, b in pairwise(busy)],
        "lag_ms": [_rounded(1e3 * worst) for worst in _worst(line.lags, edges)],
    }


def _counts(moments: Sequence[float], edges: Sequence[float]) -> list[int]:
    """Count the moments of each step; what lies outside by an error of the clock belongs to the first or last one."""
    places = [0, *(bisect_left(moments, edge) for edge in edges[1:-1]), len(moments)]
    return [b - a for a, b in pairwise(places)]


def _worst(lags: Sequence[tuple[float, float]], edges: Sequence[float]) -> list[float]:
    """Return the largest lag of each step: one that was seen late is of every step in which the loop was held up."""
    return [
        max((lag for at, lag in lags if at - lag < high and at >= low), default=0.0) for low, high in pairwise(edges)
    ]


def _at(points: Sequence[tuple[float, float]], moment: float) -> float:
    """Return the value at a moment between two points, or that of the nearest one."""
    place = bisect_left(points, (moment, 0.0))
    if place in {0, len(points)}:
        return points[min(place, len(points) - 1)][1]
    (t0, v0), (t1, v1) = points[place - 1], points[place]
    return v0 + (v1 - v0) * (moment - t0) / (t1 - t0)


def _rounded(value: float) -> float:
    return round(value, 3)
