"""What a worker says of itself while it works: two numbers in memory that it shares with the stage.

They tell which page a worker is at when it must be killed or has died, without a message that a dead worker could
no longer send.
"""

from typing import NamedTuple, Protocol

POSITION = 0
"""Where the worker is: :func:`position`."""

RESIDENT = 1
"""Its resident memory in bytes when it began the page that it is at, or a millisecond before; 0 where nobody asked."""

SIZE = 2

PARSE_STEP = 0
"""The step of a page that parses it; analyzer ``i`` is step ``i + 1``."""

_STEPS = 1_000
_PAGES = 1_000_000
BATCHES = 1_000_000
"""Batches are numbered from 1 to this and over again: together with page and step they fit into a float exactly."""


class Pulse(Protocol):
    """The numbers, by the indices above."""

    def __getitem__(self, index: int, /) -> float: ...
    def __setitem__(self, index: int, value: float, /) -> None: ...


class Place(NamedTuple):
    """A place in the work: the batch's number, the page's index in it, the step of that page."""

    batch: int
    page: int
    step: int


def position(batch: int, page: int, step: int) -> float:
    """Pack a place into one float, which is written and read in one piece."""
    return float((batch * _PAGES + page) * _STEPS + step)


def place(position: float) -> Place:
    """Unpack :func:`position`."""
    rest, step = divmod(int(position), _STEPS)
    return Place(*divmod(rest, _PAGES), step)
