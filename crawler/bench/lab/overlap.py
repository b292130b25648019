"""How many of several rows of spans are open at the same moment."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

Span = tuple[float, float]


def at_once(rows: Sequence[Sequence[Span]]) -> int:
    """Return the largest number of rows that have a span open at the same moment."""
    return max((depth for depth, _ in _pieces(rows)), default=0)


def share_of_overlap(rows: Sequence[Sequence[Span]]) -> float:
    """Return the share of the time with an open span in which at least two rows have one."""
    pieces = list(_pieces(rows))
    busy = sum(seconds for depth, seconds in pieces if depth >= 1)
    return sum(seconds for depth, seconds in pieces if depth >= 2) / busy if busy else 0.0


def _pieces(rows: Sequence[Sequence[Span]]) -> Iterator[tuple[int, float]]:
    """Cut the time where a span begins or ends; yield the open rows and the seconds of each piece that has length."""
    edges = sorted((moment, change) for row in rows for start, end in row for moment, change in ((start, 1), (end, -1)))
    depth = 0
    for (moment, change), (following, _) in pairwise(edges):
        depth += change
        if following > moment:
            yield depth, following - moment
