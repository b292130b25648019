from dataclasses import dataclass, field

import pytest

from crawler.placement import LoopLoad, Placement


@dataclass
class Thread:
    """A thread on two clocks: the wall's, and that of the processor time it takes."""

    wall: float = 0.0
    cpu: float = 0.0
    room: int = 100
    load: LoopLoad = field(init=False)

    def __post_init__(self) -> None:
        self.load = LoopLoad(lambda: self.wall, lambda: self.cpu)

    def runs(self, seconds: float, share: float) -> None:
        self.wall += seconds
        self.cpu += seconds * share


@pytest.mark.parametrize(("share", "busy"), [(0.0, False), (0.55, False), (0.65, True), (1.0, True)])
def test_a_loop_is_busy_that_takes_most_of_a_core(share: float, busy: bool) -> None:
    thread = Thread()
    thread.runs(0.1, share)
    assert thread.load.busy() is busy


def test_a_busy_loop_that_is_relieved_stays_relieved() -> None:
    thread = Thread()
    thread.runs(0.1, 0.9)
    assert thread.load.busy()
    thread.runs(0.1, 0.4)  # what is left of it while its pages are parsed elsewhere
    assert thread.load.busy()
    thread.runs(0.1, 0.2)
    assert not thread.load.busy()


def test_a_moment_tells_nothing() -> None:
    thread = Thread()
    thread.runs(0.01, 1.0)
    assert not thread.load.busy()


def test_a_page_goes_to_a_worker_where_the_loop_is_busy_and_the_worker_is_not() -> None:
    thread = Thread()
    placement = Placement(1_000, lambda: thread.room, thread.load)
    assert placement.on_loop(1_000, 0)
    thread.runs(0.1, 0.9)
    assert not placement.on_loop(10, 0)
    thread.room = 0
    assert placement.on_loop(10, 0)
    assert not placement.on_loop(1_001, 0), "a large page would stall the loop"


def test_pages_that_wait_for_the_loop_show_at_once_that_it_is_busy() -> None:
    thread = Thread()
    placement = Placement(1_000, lambda: thread.room, thread.load)
    assert placement.on_loop(10, 3)
    assert placement.spare(4) == 0
    assert not placement.on_loop(10, 20)
    assert placement.spare(20) == 20
    thread.room = 7
    assert placement.spare(20) == 7, "no more than workers have room for"


def test_where_nobody_shares_the_work_the_loop_parses_however_busy_it_is() -> None:
    thread = Thread()
    thread.runs(0.1, 1.0)
    placement = Placement(1_000, None, thread.load)
    assert placement.on_loop(10, 100)
    assert placement.spare(100) == 0
