"""The width that finds itself, against every fixed one, in a model with a clock of its own."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from crawler.adaptive import AdaptiveWidth, FixedWidth
from tests.unit.fetch_model import Crawl, Law, constant

WIDEST = 1024
WIDTHS = [round(2 ** (n / 2)) for n in range(4, 21)]  # 4 to 1024, by the square root of 2


def step(before: float, after: float, at: float) -> Law:
    return lambda now, _in_flight: before if now < at else after


def best(crawl: Callable[[], Crawl], begin: float, end: float) -> float:
    """Return the pages a second of the best fixed width of a sweep."""
    return max(crawl().run(FixedWidth(width), end).rate(begin, end) for width in WIDTHS)


CRAWLS: dict[str, Callable[[], Crawl]] = {
    "the loop is the limit": lambda: Crawl(loop=constant(0.001)),
    "a fast server": lambda: Crawl(latency=constant(0.005), loop=constant(0.001)),
    "a slow server": lambda: Crawl(latency=constant(1.0), loop=constant(0.002)),
    "a server with 20 places": lambda: Crawl(latency=constant(0.01), service=constant(0.1), servers=20),
    "one place": lambda: Crawl(latency=constant(0.05), service=constant(0.005)),
    "answers that come together": lambda: Crawl(jitter=0.0, loop=constant(0.001)),
    "answers that differ": lambda: Crawl(jitter=0.9, loop=constant(0.001)),
    "a server that breaks down": lambda: Crawl(latency=lambda _, n: 0.1 * (1 + (n / 100) ** 2), loop=constant(0.0005)),
    "a server that refuses": lambda: Crawl(
        latency=constant(0.1), fails=lambda _, n: max(0.0, min(0.95, (n - 60) / 60)), loop=constant(0.0005)
    ),
    "analysis is the limit": lambda: Crawl(latency=constant(0.2), analysis=constant(0.004)),
}


@pytest.mark.parametrize("name", CRAWLS)
def test_after_ten_seconds_it_is_as_good_as_the_best_fixed_width(name: str) -> None:
    crawl = CRAWLS[name]
    found = crawl().run(AdaptiveWidth(WIDEST), 30.0).rate(10.0, 30.0)
    assert found >= 0.9 * best(crawl, 10.0, 30.0)


CHANGES: dict[str, Callable[[], Crawl]] = {
    "the server becomes ten times slower": lambda: Crawl(latency=step(0.05, 0.5, 20.0), loop=constant(0.001)),
    "the server becomes ten times faster": lambda: Crawl(latency=step(0.5, 0.05, 20.0), loop=constant(0.001)),
    "it loses most of its places": lambda: Crawl(
        latency=constant(0.01), service=step(0.02, 0.2, 20.0), servers=20, loop=constant(0.0005)
    ),
    "analysis becomes ten times dearer": lambda: Crawl(analysis=step(0.001, 0.01, 20.0)),
    "analysis becomes ten times cheaper": lambda: Crawl(analysis=step(0.01, 0.001, 20.0)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_ten_seconds_after_a_change_it_is_so_again(name: str) -> None:
    crawl = CHANGES[name]
    found = crawl().run(AdaptiveWidth(WIDEST), 50.0)
    assert found.rate(10.0, 20.0) >= 0.9 * best(crawl, 10.0, 20.0)
    assert found.rate(30.0, 50.0) >= 0.9 * best(crawl, 30.0, 50.0)


def test_our_own_lag_is_no_reason_to_ask_less() -> None:
    """From 15 s on every answer is noticed 100 ms late, as where the cores are taken: more in flight make up for it."""

    def lag() -> Crawl:
        return Crawl(latency=step(0.02, 0.12, 15.0), loop=constant(0.001))

    found = lag().run(AdaptiveWidth(WIDEST), 45.0)
    assert found.rate(25.0, 45.0) >= 0.9 * best(lag, 25.0, 45.0)


def test_it_asks_no_more_than_it_must() -> None:
    """A server with 20 places for 100 ms gains nothing from more than some 22 in flight."""
    width = AdaptiveWidth(WIDEST)
    CRAWLS["a server with 20 places"]().run(width, 60.0)
    assert 18 <= width.value <= 44


@pytest.mark.parametrize("widest", [1, 2, 48, 3000])
def test_it_stays_within_its_bounds(widest: int) -> None:
    width = AdaptiveWidth(widest)
    seen = []

    class Watched:
        @property
        def value(self) -> int:
            return width.value

        def finished(self, now: float, seconds: float, in_flight: int, *, good: bool) -> None:
            width.finished(now, seconds, in_flight, good=good)
            seen.append(width.value)

    replace(Crawl(loop=constant(0.0001), latency=constant(0.5)), room=10_000).run(Watched(), 20.0)
    assert min(seen) >= 1
    assert max(seen) <= widest


def test_a_width_that_is_not_used_stays() -> None:
    """Politeness leaves 5 requests in flight: that says nothing of what 32 would bring."""
    width = AdaptiveWidth(WIDEST)
    before = width.value
    for n in range(5_000):
        width.finished(n * 0.01, 0.05, 5, good=True)
    assert width.value == before


def test_a_fixed_width_is_fixed() -> None:
    width = FixedWidth(7)
    width.finished(1.0, 1.0, 7, good=True)
    assert width.value == 7
