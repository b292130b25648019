"""When a worker has to be killed: a policy that is told the time and what is seen of the worker, at every tick.

It counts the time that a page takes by the ticks that it saw, so that a crawler that stood still itself (stopped by
Ctrl-Z, suspended, blocked) charges no page with the pause.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from cpu_stage.types import AnalysisErrorKind

TICK_S = 0.02
"""How often a worker is looked at: a page may exceed its limits by so much."""

HUNGRY_TICK_S = 0.005
"""How often, where a page takes much memory: in a tick it could take fifty megabytes more, at the kernel's cost."""

_LONGEST_TICK_S = 1.0
_SLOW, _VERY_SLOW = 1 / 16, 1 / 2
_UNUSUAL = 4
_HUNGRY = 1 / 4
_SUSPECT_S = 0.5
_STOPPED_S = 1.0
_SILENCE_S = 30.0

OUTSIDE = -1
"""The page of a worker that owes the beginning of its batch, or its results."""


@dataclass(slots=True)
class Watch:
    """Judges one worker. ``timeout`` in seconds and ``memory`` in bytes hold for each page; None: no limit."""

    timeout: float | None
    memory: int | None
    hungry: bool = field(default=False, init=False)
    """Whether the page has taken a good part of its memory already."""
    _at: tuple[int, int] | None = field(default=None, init=False)
    _ticked: float = field(default=0.0, init=False)
    _busy_s: float = field(default=0.0, init=False)
    _stopped_s: float = field(default=0.0, init=False)

    def slow(self, usual_s: float) -> int:
        """Return how slow a page is: 1 where another worker should step in, 2 where hardly any time is left.

        A page that takes what others take (``usual_s``, the mean) is not slow, however near its limit that is.
        """
        if self._at is None or self._at[1] == OUTSIDE or self.timeout is None or self._busy_s < _UNUSUAL * usual_s:
            return 0
        return (self._busy_s > _SLOW * self.timeout) + (self._busy_s > _VERY_SLOW * self.timeout)

    def look(
        self, now: float, at: tuple[int, int] | None, growth: Callable[[], int], stopped: Callable[[], bool]
    ) -> AnalysisErrorKind | None:
        """Return why the worker must be killed, None where it need not be.

        Args:
            now: monotonic seconds.
            at: the batch and the page that the worker is at; None where it has nothing to do.
            growth: how many bytes the page has taken so far.
            stopped: whether the worker's process is stopped.
        """
        passed = min(now - self._ticked, _LONGEST_TICK_S)
        self._ticked = now
        if at is None or at != self._at:
            self._at, self._busy_s, self._stopped_s = at, 0.0, 0.0
            passed = 0.0
        self._busy_s += passed
        self.hungry = False
        if at is None:
            return None
        if self.memory is not None and at[1] != OUTSIDE:
            grown = growth()
            if grown > self.memory:
                return AnalysisErrorKind.MEMORY
            self.hungry = grown > _HUNGRY * self.memory
        return self._judge_time(passed, at[1] == OUTSIDE, stopped)

    def _judge_time(self, passed: float, outside: bool, stopped: Callable[[], bool]) -> AnalysisErrorKind | None:
        late = self.timeout is not None and self._busy_s > self.timeout and not outside
        if not late and self._busy_s <= _SUSPECT_S:
            return None
        self._stopped_s = self._stopped_s + passed if stopped() else 0.0
        if late:
            return AnalysisErrorKind.CRASH if self._stopped_s else AnalysisErrorKind.TIMEOUT
        silent = outside and self._busy_s > _SILENCE_S
        return AnalysisErrorKind.CRASH if silent or self._stopped_s > _STOPPED_S else None
