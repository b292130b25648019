"""Turns: pages that are ready at once leave the loop its turns."""

import asyncio
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


async def test_short_work_is_done_in_one_turn() -> None:
    assert "w" * 10 in await order_of_events(0.0, 10)


async def test_work_that_fails_or_is_cancelled_leaves_the_next_its_turn() -> None:
    turns = Turns()
    with pytest.raises(ValueError, match="page"):
        async with turns:
            raise ValueError("page")

    async def hold() -> None:
        async with turns:
            await asyncio.Event().wait()

    holder = asyncio.create_task(hold())
    await asyncio.sleep(0)
    holder.cancel()
    async with asyncio.timeout(5), turns:
        assert holder.cancelled()
