"""The queue before the workers: order, and what makes a batch."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpu_stage.lanes import Job
from cpu_stage.types import Page
from cpu_stage.waiting import Waiting


def job(title: str, weight: float = 1.0, *, alone: bool = False) -> Job:
    page = Page(f"http://e.test/{title}", "text/html", "utf-8", title)
    return Job(page, asyncio.get_running_loop().create_future(), weight, alone=alone)


def queue(*jobs: Job) -> Waiting:
    waiting = Waiting()
    for each in jobs:
        waiting.put(each)
    return waiting


def titles(jobs: list[Job]) -> str:
    return "".join(str(each.item.title) for each in jobs if isinstance(each.item, Page))


async def test_a_batch_is_bounded_in_pages_and_in_weight() -> None:
    waiting = queue(*map(job, "abcdefg"))
    assert titles(waiting.take(2, 10)) == "ab"
    assert titles(waiting.take(10, 3)) == "cde"
    assert titles(waiting.take(10, 10)) == "fg"
    assert waiting.take(10, 10) == []


async def test_a_page_that_is_too_heavy_for_any_batch_is_one_by_itself() -> None:
    waiting = queue(job("a"), job("b", 100), job("c"))
    assert [titles(waiting.take(10, 5)) for _ in range(3)] == ["a", "b", "c"]


async def test_a_job_that_must_be_alone_is() -> None:
    waiting = queue(job("a"), job("b", alone=True), job("c", alone=True), job("d"), job("e"))
    assert [titles(waiting.take(10, 10)) for _ in range(4)] == ["a", "b", "c", "de"]


async def test_what_is_put_back_comes_first_and_in_its_order() -> None:
    waiting = queue(*map(job, "cd"))
    waiting.put_back(job(title) for title in "ab")
    assert titles(waiting.take(10, 10)) == "abcd"


async def test_jobs_that_nobody_waits_for_are_dropped() -> None:
    jobs = [job(title) for title in "abcd"]
    waiting = queue(*jobs)
    for dropped in (0, 2):
        jobs[dropped].future.cancel()
    assert titles(waiting.take(2, 10)) == "bd"
    assert len(waiting) == 0


async def test_nothing_is_left_after_a_clear() -> None:
    waiting = queue(*map(job, "abc"))
    waiting.clear()
    assert (len(waiting), waiting.weight, waiting.take(1, 1)) == (0, 0, [])


@settings(derandomize=True, deadline=None, max_examples=100)
@given(
    st.lists(st.tuples(st.floats(1, 30), st.booleans()), max_size=30),
    st.integers(1, 8),
    st.floats(0, 64),
)
def test_every_job_is_in_one_batch_and_every_batch_in_bounds(
    made: list[tuple[float, bool]], most: int, weight: float
) -> None:
    async def check() -> None:
        jobs = [job(str(n), w, alone=alone) for n, (w, alone) in enumerate(made)]
        waiting, batches = queue(*jobs), []
        while batch := waiting.take(most, weight):
            batches.append(batch)
            assert waiting.weight == pytest.approx(sum(each.weight for each in waiting))
        assert [each for batch in batches for each in batch] == jobs
        for batch in batches:
            assert len(batch) <= most
            assert len(batch) == 1 or sum(each.weight for each in batch) <= weight + 1e-9
            assert len(batch) == 1 or not any(each.alone for each in batch)

    asyncio.run(check())
