"""One timer for many deadlines: each is called when its time has come, and none that was taken back."""

import asyncio
from collections.abc import Callable

from crawler.fetch.deadlines import Deadlines

PATIENCE = 30.0


class Calls:
    """What was called, and how long after its time."""

    def __init__(self) -> None:
        self.deadlines = Deadlines()
        self.loop = asyncio.get_running_loop()
        self.names: list[str] = []
        self.late: list[float] = []
        self.last = asyncio.Event()

    def add(
        self, name: str, seconds: float, then: Callable[[], None] = lambda: None
    ) -> tuple[Callable[[], None], float]:
        due = self.loop.time() + seconds

        def check() -> None:
            self.names.append(name)
            self.late.append(self.loop.time() - due)
            then()
            if name == "last":
                self.last.set()

        self.deadlines.add(check, due)
        return check, due


async def test_they_are_called_in_their_order_and_none_before_its_time() -> None:
    calls = Calls()
    calls.add("last", 0.2)
    calls.add("first", 0.05)
    calls.add("second", 0.1)
    async with asyncio.timeout(PATIENCE):
        await calls.last.wait()
    assert calls.names == ["first", "second", "last"]
    assert all(late >= -0.001 for late in calls.late), "a loop's clock counts milliseconds"


async def test_what_was_taken_back_is_not_called() -> None:
    calls = Calls()
    for entry in [calls.add("removed", 0.05), calls.add("removed too", 0.05)]:
        calls.deadlines.remove(*entry)
    calls.add("last", 0.1)
    async with asyncio.timeout(PATIENCE):
        await calls.last.wait()
    assert calls.names == ["last"]


async def test_who_is_called_may_add_one_that_comes_after_others() -> None:
    calls = Calls()
    calls.add("first", 0.05, then=lambda: calls.add("last", 0.2) and None)
    calls.add("second", 0.1)
    async with asyncio.timeout(PATIENCE):
        await calls.last.wait()
    assert calls.names == ["first", "second", "last"]


async def test_after_the_end_nobody_is_called() -> None:
    calls = Calls()
    calls.add("never", 0.02)
    calls.deadlines.close()
    other = Calls()
    other.add("last", 0.1)
    async with asyncio.timeout(PATIENCE):
        await other.last.wait()
    assert calls.names == []
