"""The policy that says when a worker must be killed; the clock is the test's."""

import pytest

from cpu_stage.types import AnalysisErrorKind
from cpu_stage.watch import OUTSIDE, Watch

TICK = 0.05


class Seen:
    """A worker as it is seen, and the ticks at which it is."""

    def __init__(self, timeout: float | None = None, memory: int | None = None) -> None:
        self.watch = Watch(timeout, memory)
        self.now = 1000.0
        self.at: tuple[int, int] | None = (1, 0)
        self.growth = 0
        self.stopped = False

    def tick(self, passed: float = TICK) -> AnalysisErrorKind | None:
        self.now += passed
        return self.watch.look(self.now, self.at, lambda: self.growth, lambda: self.stopped)

    def until_judged(self, within: float) -> tuple[float, AnalysisErrorKind]:
        """Tick until there is a verdict; return after how many seconds, and which."""
        start = self.now
        while self.now < start + within:
            if verdict := self.tick():
                return self.now - start, verdict
        raise AssertionError("never judged")

    def is_never_judged(self, seconds: float) -> bool:
        return all(self.tick() is None for _ in range(round(seconds / TICK)))


def test_a_page_over_its_time_is_a_timeout() -> None:
    after, verdict = Seen(timeout=2.0).until_judged(5)
    assert verdict == "timeout"
    assert after == pytest.approx(2.0, abs=3 * TICK)


def test_a_page_is_slow_after_a_sixteenth_of_its_time() -> None:
    seen = Seen(timeout=2.0)

    def slow_after(seconds: float) -> int:
        assert seen.is_never_judged(seconds)
        return seen.watch.slow(usual_s=0.01)

    assert slow_after(0.1) == 0
    assert slow_after(0.1) == 1
    assert slow_after(0.7) == 1
    assert slow_after(0.2) == 2
    seen.at = (1, 1)
    assert slow_after(TICK) == 0


def test_a_page_that_takes_what_pages_take_is_not_slow() -> None:
    seen = Seen(timeout=2.0)
    assert seen.is_never_judged(1.5)
    assert (seen.watch.slow(0.5), seen.watch.slow(0.3)) == (0, 2)


def test_a_page_that_takes_much_memory_is_looked_at_again_soon() -> None:
    seen = Seen(memory=100)
    for growth, hungry in ((20, False), (30, True), (20, False), (90, True)):
        seen.growth = growth
        seen.tick()
        assert seen.watch.hungry is hungry


def test_a_worker_that_owes_the_beginning_of_its_batch_is_at_no_slow_page() -> None:
    seen = Seen(timeout=2.0)
    seen.at = (1, OUTSIDE)
    assert seen.is_never_judged(5)
    assert not seen.watch.slow(0.01)


def test_without_a_limit_no_page_is_slow() -> None:
    seen = Seen()
    assert seen.is_never_judged(3600)
    assert not seen.watch.slow(0.01)


def test_every_page_has_its_own_time() -> None:
    seen = Seen(timeout=2.0)
    for page in range(10):
        seen.at = (1, page)
        assert seen.is_never_judged(1.9)


def test_without_a_limit_a_page_may_take_for_ever() -> None:
    assert Seen().is_never_judged(3600)


def test_a_worker_without_work_is_left_alone_even_when_it_is_stopped() -> None:
    seen = Seen(timeout=1.0, memory=1)
    seen.at, seen.growth, seen.stopped = None, 100, True
    assert seen.is_never_judged(3600)


def test_time_before_the_page_does_not_count() -> None:
    seen = Seen(timeout=1.0)
    seen.at = None
    seen.is_never_judged(100)
    seen.at = (1, 0)
    assert seen.is_never_judged(0.9)


def test_a_pause_of_the_crawler_itself_is_charged_to_no_page() -> None:
    seen = Seen(timeout=5.0)
    seen.tick()
    assert seen.tick(passed=3600.0) is None
    assert seen.until_judged(6)[1] == "timeout"


def test_a_page_over_its_memory_is_told_at_once() -> None:
    seen = Seen(memory=100)
    seen.growth = 100
    assert seen.is_never_judged(1)
    seen.growth = 101
    assert seen.tick() == "memory"


def test_memory_is_a_matter_of_pages() -> None:
    seen = Seen(memory=100)
    seen.at, seen.growth = (1, OUTSIDE), 1000
    assert seen.is_never_judged(1)


@pytest.mark.parametrize("at", [(1, 0), (1, OUTSIDE)])
def test_a_worker_that_stays_stopped_is_lost(at: tuple[int, int]) -> None:
    seen = Seen()
    seen.at, seen.stopped = at, True
    assert seen.until_judged(5)[1] == "crash"


def test_a_worker_that_is_only_slowed_down_by_stopping_it_again_and_again_is_not_lost() -> None:
    seen = Seen()
    for n in range(1000):
        seen.stopped = bool(n % 10)
        assert seen.tick() is None


def test_a_stopped_page_is_no_timeout() -> None:
    seen = Seen(timeout=0.5)
    seen.stopped = True
    assert seen.until_judged(2)[1] == "crash"


def test_a_worker_that_owes_its_results_for_long_is_lost() -> None:
    seen = Seen(timeout=1.0)
    seen.at = (1, OUTSIDE)
    after, verdict = seen.until_judged(60)
    assert (after > 10, verdict) == (True, "crash")
