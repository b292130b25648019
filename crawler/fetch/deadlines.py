"""One timer for all exchanges (a timing wheel: Varghese and Lauck 1987, "Hashed and hierarchical timing wheels")."""

import asyncio
from collections.abc import Callable
from typing import TypeAlias

Check: TypeAlias = Callable[[], None]

_TICK_S = 0.02


class Deadlines:
    """Calls those whose time has come, at most 20 ms late, and costs next to nothing for those who are done before.

    Nearly every exchange ends long before its time: a timer of the loop for each would be made and cancelled for
    nothing. Made inside of a running loop.
    """

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._slots: dict[int, set[Check]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._fires = 0

    def add(self, check: Check, due: float) -> None:
        """Have ``check`` called at ``due`` by the loop's clock."""
        slot = _slot_of(due)
        others = self._slots.get(slot)
        if others is not None:
            others.add(check)
            return
        self._slots[slot] = {check}
        if self._timer is None or slot < self._fires:
            self._arm(slot)

    def remove(self, check: Check, due: float) -> None:
        """Take back what was to be called at ``due``; no harm where it was called."""
        slot = _slot_of(due)
        others = self._slots.get(slot)
        if others is not None:
            others.discard(check)
            if not others:
                del self._slots[slot]

    def close(self) -> None:
        """Call nobody any more."""
        self._slots.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self, slot: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._fires = slot
        self._timer = self.loop.call_at(slot * _TICK_S, self._fire)

    def _fire(self) -> None:
        self._timer = None
        now = int(self.loop.time() / _TICK_S)
        for slot in [slot for slot in self._slots if slot <= max(now, self._fires)]:
            for check in self._slots.pop(slot):
                check()
        if self._slots:
            self._arm(min(self._slots))


def _slot_of(due: float) -> int:
    return int(due / _TICK_S) + 1
