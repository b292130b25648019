"""Where a page is parsed: on the event loop, or in a worker where the loop has enough to do without it."""

import time
from collections.abc import Callable

_WINDOW_S = 0.05
_BUSY = 0.6
_IDLE = 0.25
"""Below ``_BUSY``, as a page that is sent away takes about half of what it took of the loop: else it would change
its mind all the time."""

_BEHIND = 4
"""Pages: so many that wait for the loop show sooner than its load that it has more to do than it can."""


class LoopLoad:
    """Whether the event loop's thread is busy, by the processor time that it took in the last twentieth of a second.

    The time by the clock would not do: a thread that waits for a core is not relieved by giving work to others, who
    would wait for one too. ``cpu`` is the thread's own, so :meth:`busy` is asked on the loop.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, cpu: Callable[[], float] = time.thread_time
    ) -> None:
        self._clock = clock
        self._cpu = cpu
        self._busy = False
        self._since, self._spent = clock(), cpu()

    def busy(self) -> bool:
        """Return whether it takes more than 0.6 of a core; once it does, until it takes less than 0.25."""
        now = self._clock()
        if now - self._since >= _WINDOW_S:
            spent = self._cpu()
            self._busy = (spent - self._spent) / (now - self._since) > (_IDLE if self._busy else _BUSY)
            self._since, self._spent = now, spent
        return self._busy


class Placement:
    """Decides for each page.

    Bodies of more than ``here`` bytes go to a worker: they would keep the loop from everything else. ``room`` tells
    how many pages workers would begin soon; it is None where none shares the loop's work.
    """

    def __init__(self, here: float, room: Callable[[], int] | None, load: LoopLoad) -> None:
        self._here = here
        self._room = room
        self._load = load

    def on_loop(self, size: int, waiting: int) -> bool:
        """Return whether a page that has come, of ``size`` bytes, is to wait for its turn on the loop, as others do."""
        return size <= self._here and not self.spare(waiting + 1)

    def spare(self, waiting: int) -> int:
        """Return how many of the pages that wait for the loop a worker had better take."""
        if self._room is None or not (waiting > _BEHIND or self._load.busy()):
            return 0
        return min(waiting, self._room())
