"""Which places are left, and which are not."""

import random

import pytest

from crawler.scope import Admitted
from crawler.traps import TrapRules, Traps

HOST = "a.example"
SEED = 5
AFTER = 64


def link(path: str, host: str = HOST) -> Admitted:
    return Admitted(f"http://{host}{path}", host)


def see(traps: Traps, pages: int, path: str = "/calendar/{}", title: str = "May {}", size: int = 5_000) -> None:
    for n in range(pages):
        traps.saw(f"http://{HOST}{path.format(n)}", HOST, title.format(n), 31, size + n % 10)


def test_a_calendar_is_left_and_the_rest_of_its_host_is_not() -> None:
    traps, draw = Traps(TrapRules(AFTER), {}), random.Random(SEED)
    print(f"seed {SEED}")
    for n in range(1_000):
        see(traps, 1, f"/calendar/{n}?day={n}", f"May {n}")
        traps.saw(f"http://{HOST}/news/{n}", HOST, "The News", draw.randrange(20, 40), draw.randrange(3_000, 30_000))
    assert traps.cut == {f"{HOST}/calendar": "its last 64 pages look like those before them"}
    assert not traps.admits(link("/calendar/2099"))
    assert not traps.admits(link("/calendar?x=1"))
    assert traps.admits(link("/news/1"))
    assert traps.admits(link("/calendars"))
    assert traps.admits(link("/calendar/1", "b.example"))


@pytest.mark.parametrize("others", [1, 3, AFTER])
def test_a_calendar_that_is_all_that_still_comes_is_left_alone_too(others: int) -> None:
    traps = Traps(TrapRules(AFTER), {})
    for n in range(others):
        traps.saw(f"http://{HOST}/news/{n}", HOST, "The News", n, 3_000)
    for _ in range(3):
        see(traps, AFTER - 1)
        traps.saw(f"http://{HOST}/map/1", HOST, "A map", 0, 100)
    assert list(traps.cut) == [f"{HOST}/calendar"]
    assert traps.admits(link("/news/1"))


def test_a_host_with_a_session_id_in_every_path_is_left() -> None:
    traps = Traps(TrapRules(AFTER), {})
    see(traps, AFTER, "/{}/page", "Welcome")
    assert list(traps.cut) == [HOST]
    assert not traps.admits(link("/"))


@pytest.mark.parametrize("pages", [1, AFTER - 1])
def test_not_before_there_are_enough_pages(pages: int) -> None:
    traps = Traps(TrapRules(AFTER), {})
    see(traps, pages)
    assert traps.cut == {}


def test_what_was_new_once_and_comes_no_more_is_new_again() -> None:
    """A host with more kinds of pages than are remembered has something new to say for ever."""
    traps = Traps(TrapRules(AFTER), {})
    for n in range(5_000):
        traps.saw(f"http://{HOST}/p/{n}", HOST, "One title", n % 100, 5_000)
    assert traps.cut == {}


def test_without_the_rule_nothing_is_left() -> None:
    traps = Traps(TrapRules(), {})
    see(traps, 5_000)
    assert traps.cut == {}
    assert all(traps.spends(HOST) for _ in range(5_000))


def test_a_budget_counts_what_earlier_runs_spent() -> None:
    traps = Traps(TrapRules(host_pages=3), {HOST: 2})
    assert [traps.spends(HOST) for _ in range(3)] == [True, False, False]
    assert traps.spends("b.example")
    assert traps.cut == {HOST: "3 pages were asked for, its budget"}
    assert not traps.admits(link("/"))
    assert traps.admits(link("/", "b.example"))


def test_memory_is_bounded() -> None:
    traps = Traps(TrapRules(AFTER), {})
    for n in range(10_000):
        traps.saw(f"http://h{n}.example/p", f"h{n}.example", None, 0, 0)
    assert len(traps._places) <= 4096
