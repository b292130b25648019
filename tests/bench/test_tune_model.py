"""The queueing model behind ``crawler tune``: its limits, and that the right resource holds a crawl back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.bench.tune.demands import Analysing, Fetching
from crawler.bench.tune.model import ENOUGH, Load, Pace, best_width, by_width, predict, run_rate
from crawler.bench.tune.runner import load_of

SECONDS = st.floats(1e-5, 1.0)
LOADS = st.builds(Load, SECONDS, st.one_of(st.just(0.0), SECONDS), SECONDS)
PACES = st.builds(Pace, SECONDS, st.integers(1, 20), st.integers(1, 64), st.just(0.0))
SITE = Pace(latency_s=0.1, hosts=1, per_host=64, delay_s=0.0)


def test_slow_answers_are_bound_by_connections() -> None:
    found = predict(Load(0.0005, 0.0, 0.0003), SITE, 64)
    assert found.bottleneck == "connections"
    assert found.pages_per_second == pytest.approx(64 / 0.1, rel=0.02)


@pytest.mark.parametrize(
    ("load", "bottleneck", "rate"),
    [
        (Load(0.02, 0.0, 0.01), "loop", 50),
        (Load(0.001, 0.01, 0.005), "workers", 100),
        (Load(0.001, 0.01, 0.0125), "cores", 80),
    ],
)
def test_the_busiest_resource_decides(load: Load, bottleneck: str, rate: float) -> None:
    found = predict(load, SITE, 64)
    assert found.bottleneck == bottleneck
    assert found.pages_per_second == pytest.approx(rate, rel=0.01)


def test_manners_are_a_bound_too() -> None:
    found = predict(Load(0.001, 0.0, 0.001), Pace(0.1, hosts=3, per_host=2, delay_s=1.0), 64)
    assert (found.bottleneck, found.width) == ("politeness", 6)
    assert found.pages_per_second == pytest.approx(3.0)


def test_one_request_at_a_time_waits_for_each_page() -> None:
    assert predict(Load(0.02, 0.0, 0.01), SITE, 1).pages_per_second == pytest.approx(1 / 0.12)


@given(LOADS, PACES, st.integers(1, 200))
def test_more_requests_never_cost_pages_and_no_bound_is_passed(load: Load, pace: Pace, width: int) -> None:
    one, more = predict(load, pace, width), predict(load, pace, width + 1)
    assert more.pages_per_second >= one.pages_per_second * (1 - 1e-9)
    assert one.pages_per_second <= min(one.bounds.values()) * (1 + 1e-9)


@given(LOADS, PACES, st.integers(1, 2000))
def test_the_width_that_is_configured_stays_where_it_is_enough(load: Load, pace: Pace, configured: int) -> None:
    most = max(found.pages_per_second for found in by_width(load, pace))
    chosen, now = best_width(load, pace, configured), predict(load, pace, configured)
    assert chosen.pages_per_second >= ENOUGH * most
    assert chosen.concurrency == configured or now.pages_per_second < ENOUGH * most


def test_a_wider_crawl_is_chosen_where_answers_are_slow() -> None:
    load, slow = Load(0.0005, 0.0, 0.0003), Pace(0.5, hosts=4, per_host=128, delay_s=0.0)
    assert best_width(load, slow, 8).concurrency == 512
    assert best_width(load, slow, 512).concurrency == 512


def test_a_short_run_shows_the_time_of_its_first_page() -> None:
    prediction = predict(Load(0.01, 0.0, 0.005), SITE, 64)
    assert run_rate(prediction, 100, 1.0) == pytest.approx(50.0, rel=0.01)
    assert run_rate(prediction, 10**6, 1.0) == pytest.approx(100.0, rel=0.01)


def test_what_is_analysed_where_the_loop_is_keeps_it_from_fetching(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.bench.tune.runner.cores", lambda: 2)
    fetch, analyse = Fetching(0.001, 0.001, 0.0002), Analysing(0.01, 0.0001, 0.018)
    assert load_of(fetch, analyse, "inline") == Load(0.011, 0.0, pytest.approx(0.0096))  # type: ignore[arg-type]
    assert load_of(fetch, analyse, "threads").loop_s == pytest.approx(0.011)
    assert load_of(fetch, analyse, "processes").loop_s == pytest.approx(0.0011)
    assert load_of(fetch, analyse, "processes").stage_s == 0.01
