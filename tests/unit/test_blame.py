"""Who is charged with a lost worker, and what is tried again."""

import asyncio

import pytest

from cpu_stage.blame import Blame, Ruling
from cpu_stage.lanes import Batch, Job, Verdict
from cpu_stage.pulse import Place
from cpu_stage.types import AnalysisErrorKind, Page
from cpu_stage.worker import RawPage

BLAME = Blame(["a", "b"], timeout=3.0, memory=2**20)
TIMEOUT = AnalysisErrorKind.TIMEOUT


def jobs(titles: str) -> list[Job]:
    loop = asyncio.get_running_loop()
    return [Job(Page(f"http://e.test/{t}", "text/html", "utf-8", t), loop.create_future()) for t in titles]


def titles(ruled: list[Job]) -> str:
    return "".join(job.item.title or "" for job in ruled if isinstance(job.item, Page))


def alone(ruled: list[Job]) -> str:
    return titles([job for job in ruled if job.alone])


def crash(held: list[Job], place: Place | None) -> Ruling:
    return BLAME.judge([Batch(1, held)], place, None)


async def test_the_page_that_the_worker_was_at_is_tried_again_alone_and_the_others_as_before() -> None:
    ruling = crash(held := jobs("xyz"), Place(1, 1, 1))
    assert sorted(titles(ruling.replay)) == ["x", "y", "z"]
    assert (alone(ruling.replay), ruling.finished) == ("y", [])
    assert all(not job.errors for job in held)


async def test_the_second_crash_costs_the_analyzer_its_values_and_the_others_run_once_more() -> None:
    held = jobs("x")
    crash(held, Place(1, 0, 1))
    assert held[0].resting == {"b"}, "the suspect is tried alone"
    ruling = crash(held, Place(1, 0, 1))
    assert titles(ruling.replay) == "x"
    assert not held[0].resting
    assert {name: error.kind for name, error in held[0].errors.items()} == {"a": "crash"}
    assert list(held[0].errors) == ["a"]


async def test_a_page_that_crashes_in_every_analyzer_is_finished() -> None:
    held = jobs("x")
    for step in (1, 1, 2):
        assert titles(crash(held, Place(1, 0, step)).replay) == "x"
    assert titles(crash(held, Place(1, 0, 2)).finished) == "x"
    assert {name: error.kind for name, error in held[0].errors.items()} == {"a": "crash", "b": "crash"}


async def test_what_was_noted_is_not_made_again() -> None:
    held = jobs("x")
    held[0].values["a"] = {}
    crash(held, Place(1, 0, 2))
    ruling = crash(held, Place(1, 0, 2))
    assert (titles(ruling.replay), titles(ruling.finished)) == ("", "x")


async def test_a_page_that_a_worker_parses_is_parsed_again_for_its_links() -> None:
    held = [Job(RawPage("http://e.test/", "text/html", b"", ""), asyncio.get_running_loop().create_future())]
    held[0].values["a"] = {}
    crash(held, Place(1, 0, 2))
    assert crash(held, Place(1, 0, 2)).replay == held


async def test_a_page_that_crashes_while_it_is_parsed_is_finished() -> None:
    held = jobs("x")
    crash(held, Place(1, 0, 0))
    assert titles(crash(held, Place(1, 0, 0)).finished) == "x"
    assert held[0].errors["parse"].message == "the worker died on this page 2 times"


@pytest.mark.parametrize(
    ("kind", "message"),
    [(TIMEOUT, "took longer than 3 s"), (AnalysisErrorKind.MEMORY, "took more than 1 MiB")],
)
async def test_a_limit_is_charged_at_once(kind: AnalysisErrorKind, message: str) -> None:
    held, place = jobs("xy"), Place(1, 1, 2)
    ruling = BLAME.judge([Batch(1, held)], place, Verdict(kind, place))
    assert held[1].errors["b"].kind == kind
    assert message in held[1].errors["b"].message
    assert (sorted(titles(ruling.replay)), alone(ruling.replay)) == (["x", "y"], "y")


async def test_a_page_that_was_over_its_limit_by_another_analyzer_when_it_was_seen_is_still_that_page() -> None:
    held = jobs("x")
    BLAME.judge([Batch(1, held)], Place(1, 0, 2), Verdict(TIMEOUT, Place(1, 0, 1)))
    assert list(held[0].errors) == ["b"]


@pytest.mark.parametrize("place", [Place(1, 1, 1), None])
async def test_nobody_is_charged_where_the_kill_came_after_the_page_was_done(place: Place | None) -> None:
    held = jobs("xyz")
    ruling = BLAME.judge([Batch(1, held)], place, Verdict(TIMEOUT, Place(1, 0, 1)))
    assert (titles(ruling.replay), alone(ruling.replay)) == ("xyz", "")
    assert all(not job.errors and not job.tries for job in held)


async def test_a_batch_that_is_lost_outside_every_page_is_taken_apart_without_a_charge() -> None:
    held = jobs("xyz")
    ruling = crash(held, None)
    assert (titles(ruling.replay), alone(ruling.replay)) == ("xyz", "xyz")
    assert all(not job.tries for job in held)


async def test_a_page_that_crashed_once_is_not_charged_with_a_worker_that_died_before_it_began() -> None:
    held = jobs("x")
    crash(held, Place(1, 0, 1))
    for _ in range(3):
        assert titles(crash(held, None).replay) == "x"
    assert not held[0].errors


async def test_a_page_that_no_worker_lives_to_begin_is_finished() -> None:
    held = jobs("x")
    for _ in range(6):
        assert titles(crash(held, None).replay) == "x"
    assert titles(crash(held, None).finished) == "x"
    assert {name: error.kind for name, error in held[0].errors.items()} == {"parse": "crash"}


async def test_a_batch_that_had_not_begun_is_replayed_as_it_was() -> None:
    first, second = jobs("xy"), jobs("vw")
    ruling = BLAME.judge([Batch(1, first), Batch(2, second)], Place(1, 0, 1), None)
    assert sorted(titles(ruling.replay)) == ["v", "w", "x", "y"]
    assert alone(ruling.replay) == "x"


def test_a_worker_that_held_nothing_leaves_nothing_to_rule_on() -> None:
    assert BLAME.judge([], None, None) == Ruling()
