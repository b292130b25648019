"""Medians and their bootstrap intervals."""

import statistics
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.bench.matrix.interval import interval, times

RATES = st.lists(st.floats(0.1, 1e4), min_size=1, max_size=12)
fast = settings(derandomize=True, deadline=None, max_examples=30)


@fast
@given(RATES)
def test_it_holds_the_median_and_stays_within_the_runs(runs: list[float]) -> None:
    found = interval(runs)
    assert len(found["runs"]) == len(runs)
    assert found["median"] == pytest.approx(statistics.median(runs), rel=1e-5)
    assert min(found["runs"]) <= found["low"] <= found["median"] <= found["high"] <= max(found["runs"])


@fast
@given(RATES, st.floats(0.01, 100))
def test_a_quantity_in_another_unit_has_the_same_interval(runs: list[float], factor: float) -> None:
    one, other = interval(runs), interval([run * factor for run in runs])
    for key in ("median", "low", "high"):
        assert other[key] == pytest.approx(one[key] * factor, rel=1e-4)


def test_of_few_runs_it_is_their_range() -> None:
    found = interval([3.0, 1.0, 2.0])
    assert (found["low"], found["median"], found["high"], found["runs"]) == (1.0, 2.0, 3.0, [3.0, 1.0, 2.0])


def test_one_outlier_among_many_does_not_widen_it() -> None:
    quiet = [100.0, 101.0, 102.0, 103.0, 104.0, 105.0, 106.0, 107.0, 108.0]
    assert interval([*quiet[1:], 1_000.0])["high"] <= 108.0


def test_more_runs_make_it_narrower() -> None:
    few, many = interval([90.0, 100.0, 110.0]), interval([float(rate) for rate in range(90, 111)])
    assert many["high"] - many["low"] < few["high"] - few["low"]


def test_it_covers_the_true_median_about_as_often_as_it_says() -> None:
    random = Random(7)
    covered = 0
    for _ in range(200):
        found = interval([random.gauss(10, 2) for _ in range(9)])
        covered += found["low"] <= 10 <= found["high"]
    assert covered >= 170


def test_what_disturbs_a_round_disturbs_no_ratio() -> None:
    """Three rounds, the second on a machine that was half as fast."""
    found = times([200.0, 100.0, 200.0], [100.0, 50.0, 100.0])
    assert (found["median"], found["low"], found["high"], found["runs"]) == (2.0, 2.0, 2.0, [2.0, 2.0, 2.0])


def test_rounds_that_only_one_of_two_has_are_not_compared() -> None:
    found = times([10.0], [5.0, 100.0, 100.0])
    assert (found["median"], found["runs"]) == (2.0, [2.0])


def test_runs_that_disagree_leave_the_ratio_open() -> None:
    found = times([100.0, 200.0, 100.0], [200.0, 100.0, 100.0])
    assert found["low"] < 1 < found["high"]
