"""The event loop's time, shared out: CPU work of many pages at once leaves room for I/O in between."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType

BUDGET_S = 0.004
_MOST = 32  # turns at a time, whatever they usually take


class Turns:
    """Lets pages work on the loop one after the other, and the loop turn after each few milliseconds of such work.

    Thirty answers that arrive together are thirty coroutines that are ready at once; without this the loop would parse
    all of their pages before it looks at a socket or a timer again. ::

        async with turns as mine:
            if mine:
                page = parse(...)

    Who comes once the time of this iteration is spent (``budget_s``) waits for the next one, in line with all others;
    as many are woken at a time as will need the budget, by what turns took lately. ``spare`` is asked each time how
    many of those that wait (their number is its argument) need not wait any longer, for there is another place for
    their work: these are told that it is not their turn.

    Made inside of a running loop.
    """

    def __init__(self, budget_s: float = BUDGET_S, spare: Callable[[int], int] = lambda _: 0) -> None:
        self._budget_s = budget_s
        self._spare = spare
        self._line: deque[asyncio.Future[bool]] = deque()
        self._left = budget_s
        self._usual = 0.0
        self._back = 0
        self._due = False
        self._began = 0.0
        self._loop = asyncio.get_running_loop()  # which Python 3.11 takes a system call to tell

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return len(self._line)

    async def __aenter__(self) -> bool:
        mine, woken = True, False
        while mine and (self._left <= 0 or (self._line and not woken)):
            turn = self._loop.create_future()
            if woken:  # those before it took longer than usual: it goes on at the head of the line
                self._line.insert(self._back, turn)
                self._back += 1
            else:
                self._line.append(turn)
            mine, woken = await turn, True
        self._began = time.perf_counter()
        return mine

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        spent = time.perf_counter() - self._began
        self._left -= spent
        self._usual += (0.2 if self._usual else 1.0) * (spent - self._usual)
        if not self._due:
            self._due = True
            self._loop.call_soon(self._next_iteration)

    def _next_iteration(self) -> None:
        self._left, self._back = self._budget_s, 0
        self._wake(self._spare(len(self._line)), mine=False)
        self._wake(min(_MOST, max(1, int(self._budget_s / self._usual))) if self._usual else 1, mine=True)
        self._due = bool(self._line)
        if self._due:
            self._loop.call_soon(self._next_iteration)

    def _wake(self, most: int, *, mine: bool) -> None:
        while self._line and most > 0:
            turn = self._line.popleft()
            if not turn.done():
                turn.set_result(mine)
                most -= 1
