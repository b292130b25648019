"""Turns: pages that are ready at once leave the loop its turns."""

import asyncio
import itertools
import time

import pytest

from crawler.turns import BUDGET_S, Turns


async def order_of_events(work_s: float, pages: int) -> str:
    """Let pages work on the loop, all ready at once, beside a ticker; return what happened: ``w`` work, ``.`` tick."""
    turns, events = Turns(), []

    async def work() -> None:
        async with turns:
            end = time.perf_counter() + work_s
            while time.perf_counter() < end:
                pass
            events.append("w")

    async def tick() -> None:
        while True:
            events.append(".")
            await asyncio.sleep(0)

    ticker = asyncio.create_task(tick())
    await asyncio.gather(*(work() for _ in range(pages)))
    ticker.cancel()
    return "".join(events)


async def test_between_two_pieces_of_long_work_the_loop_has_its_turn() -> None:
    events = await order_of_events(BUDGET_S, 10)
    assert events.count("w") == 10
    assert "ww" not in events


async def test_what_takes_longer_than_usual_leaves_the_loop_its_turn_too_and_keeps_its_place() -> None:
    turns, done = Turns(), list[int]()

    async def work(number: int) -> None:
        async with turns:
            time.sleep(BUDGET_S if number >= 40 else 0.0)  # noqa: ASYNC251 - CPU work
            done.append(number)

    tasks = [asyncio.create_task(work(number)) for number in (50, *range(60))]
    seen = []
    while not all(task.done() for task in tasks):
        await asyncio.sleep(0)
        seen.append(sum(number >= 40 for number in done))
    assert done == [50, *range(60)]
    assert {after - before for before, after in itertools.pairwise(seen)} <= {0, 1}


async def test_short_work_is_done_in_one_turn() -> None:
    assert "w" * 10 in await order_of_events(0.0, 10)


async def test_with_the_least_budget_it_is_one_piece_of_work_at_a_time() -> None:
    turns, events = Turns(budget_s=1e-9), []

    async def work(name: str) -> None:
        async with turns:
            events.append(name)

    tasks = [asyncio.create_task(work(name)) for name in "abc"]
    seen = []
    while not all(task.done() for task in tasks):
        await asyncio.sleep(0)
        seen.append(len(events))
    assert events == ["a", "b", "c"]
    assert {after - before for before, after in itertools.pairwise(seen)} <= {0, 1}


async def test_who_waits_is_told_where_there_is_another_place_for_the_work() -> None:
    asked, places = [], iter([2, 0])

    def spare(waiting: int) -> int:
        asked.append(waiting)
        return next(places, 0)

    turns = Turns(1e-9, spare)

    async def work() -> bool:
        async with turns as mine:
            return mine

    assert await asyncio.gather(*(work() for _ in range(5))) == [True, False, False, True, True]
    assert asked[0] == 4


async def test_work_that_waits_for_something_else_meanwhile_keeps_nobody_waiting_for_good() -> None:
    turns, flood = Turns(), asyncio.Event()

    async def wait() -> None:
        async with turns:
            await flood.wait()
            time.sleep(2 * BUDGET_S)  # noqa: ASYNC251 - CPU work, more than one iteration has

    waiter = asyncio.create_task(wait())
    for _ in range(5):
        await asyncio.sleep(0)
    flood.set()
    await waiter
    async with asyncio.timeout(5), turns:
        pass


async def test_work_that_fails_or_is_cancelled_leaves_the_next_its_turn() -> None:
    turns = Turns()
    with pytest.raises(ValueError, match="page"):
        async with turns:
            raise ValueError("page")

    async def wait_in_line() -> None:
        async with turns:
            raise AssertionError("cancelled before its turn")

    await asyncio.sleep(0)  # the next iteration has all of its time
    in_line = asyncio.create_task(wait_in_line())
    async with turns:
        time.sleep(BUDGET_S)  # noqa: ASYNC251 - CPU work
    await asyncio.sleep(0)
    in_line.cancel()
    await asyncio.gather(in_line, return_exceptions=True)
    assert in_line.cancelled()
    async with asyncio.timeout(5), turns:
        pass
