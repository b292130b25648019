"""The arithmetic that verdicts stand on."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.bench.lab.claim import Outcome, Part, Setting, all_of, negated, weigh
from crawler.bench.lab.overlap import Span, at_once, share_of_overlap
from crawler.bench.lab.spread import by_key, crossing, exceeds, lies_above, ratio, spread


def test_a_spread_keeps_its_runs_in_order() -> None:
    assert spread([3, 1, 2]) == {"median": 2, "low": 1, "high": 3, "runs": [3, 1, 2]}


def test_a_ratio_is_taken_round_by_round() -> None:
    slow_second_round = ratio(spread([2, 20, 2]), spread([1, 10, 1]))
    assert slow_second_round == spread([2, 2, 2])


@pytest.mark.parametrize(("runs", "answer"), [([1.6, 1.7], True), ([1.2, 1.5], False), ([1.4, 1.6], None)])
def test_a_bound_is_exceeded_only_where_all_runs_agree(runs: list[float], answer: bool | None) -> None:
    assert exceeds(spread(runs), 1.5) is answer


def test_what_lies_between_two_quantities_is_decided_by_the_nearer_one() -> None:
    assert lies_above(spread([1.6, 1.7]), spread([1.9, 2.0]), 1.5) is True
    assert lies_above(spread([0.9, 1.0]), spread([1.0, 1.1]), 1.5) is False
    assert lies_above(spread([0.9, 1.0]), spread([1.9, 2.0]), 1.5) is None


def test_figures_of_rounds_become_spreads() -> None:
    assert by_key([{"a": 1, "b": 5}, {"a": 3, "b": 5}]) == {"a": spread([1, 3]), "b": spread([5, 5])}


def test_a_crossing_is_interpolated_on_a_logarithmic_axis() -> None:
    assert crossing([1, 100], [0.1, 10]) == pytest.approx(10)
    assert crossing([1, 10, 100], [0.5, 2, 3]) == pytest.approx(10**0.5)
    assert crossing([1, 10, 100], [2, 3, 4]) == 1
    assert crossing([1, 10, 100], [0.5, 2, 0.9]) is None
    assert crossing([1, 10, 100], [2, 0.5, 2]) == pytest.approx(10**1.5)


def test_answers_that_are_not_known_stay_unknown() -> None:
    assert all_of(True, None) is None
    assert all_of(True, None, False) is False
    assert all_of(True, True) is True
    assert (negated(True), negated(False), negated(None)) == (False, True, None)


@pytest.mark.parametrize(
    ("answers", "outcome", "text"),
    [
        ([True, True], Outcome.HOLDS, "holds: p0; p1."),
        ([False, False], Outcome.FAILS, "does not hold: p0; p1."),
        ([True, False], Outcome.DEPENDS, "depends on the day. Borne out: p0. Not borne out: p1."),
        ([True, None], Outcome.DEPENDS, "depends on the day. Borne out: p0. Not decided by these runs: p1."),
        ([None, None], Outcome.DEPENDS, "depends on the day. Not decided by these runs: p0; p1."),
    ],
)
def test_a_verdict_follows_from_its_parts(answers: list[bool | None], outcome: Outcome, text: str) -> None:
    verdict = weigh([Part(answer, f"p{n}") for n, answer in enumerate(answers)], "the day")
    assert verdict.outcome is outcome
    assert str(verdict) == text


def test_rounds_are_interleaved_in_an_order_that_the_seed_decides() -> None:
    def order(seed: int) -> list[str]:
        seen: list[str] = []

        def note(cell: str) -> int:
            seen.append(cell)
            return len(seen)

        results = Setting(seed=seed).interleaved(["a", "b", "c", "d"], note)
        assert all(len(runs) == 5 for runs in results.values())
        return seen

    first = order(1)
    assert first == order(1)
    assert first != order(2)
    assert all(sorted(first[n : n + 4]) == ["a", "b", "c", "d"] for n in range(0, 20, 4))
    assert len({tuple(first[n : n + 4]) for n in range(0, 20, 4)}) > 1


def test_overlap_is_the_share_of_the_busy_time_with_two_at_work() -> None:
    assert share_of_overlap([[(0, 2)], [(1, 3)]]) == pytest.approx(1 / 3)
    assert share_of_overlap([[(0, 1)], [(1, 2)]]) == 0
    assert share_of_overlap([[(0, 1)], [(0, 1)], []]) == 1
    assert share_of_overlap([]) == 0
    assert at_once([[(0, 2)], [(1, 3)], [(3, 4)]]) == 2


def pairs(edges: set[int]) -> list[Span]:
    """Make spans that do not touch of some edges."""
    ordered = [float(edge) for edge in sorted(edges)]
    return list(zip(ordered[::2], ordered[1::2], strict=False))


spans = st.sets(st.integers(0, 40), max_size=8).map(pairs)


@settings(derandomize=True, deadline=None)
@given(st.lists(spans, max_size=4))
def test_overlap_agrees_with_counting_every_moment(rows: list[list[Span]]) -> None:
    moments = [n + 0.5 for n in range(40)]
    depths = [sum(any(start < moment < end for start, end in row) for row in rows) for moment in moments]
    busy = sum(depth >= 1 for depth in depths)
    assert share_of_overlap(rows) == pytest.approx(sum(d >= 2 for d in depths) / busy if busy else 0)
    assert at_once(rows) == max(depths, default=0)
