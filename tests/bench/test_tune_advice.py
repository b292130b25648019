"""From checked candidates to one recommendation: what is clear, what is too close to call, and what then stays."""

import pytest

from crawler.bench.tune.advice import CLEAR, TOO_CLOSE, Advice, AdviceError, advise
from crawler.bench.tune.checks import Candidate, Check, size
from crawler.bench.tune.model import Prediction

QUICK = [100.0, 102.0, 99.0, 101.0, 100.5]


def check(variant: str, rates: list[float], why: str | None = None) -> Check:
    return Check(Candidate(variant, Prediction(64, 64, 100.0, "loop", {})), 200, rates, why)


def advice(configured: str, **rates: float) -> Advice:
    """Advise on variants, all with the same noise, each so many times as fast as ``QUICK``."""
    found = [check(name.replace("_", "+"), [rate * times for rate in QUICK]) for name, times in rates.items()]
    return advise(found, configured)


def test_the_fastest_is_recommended_where_it_leads() -> None:
    found = advice("threads+threads", coroutines_inline=1.0, coroutines_processes=1.7, threads_threads=0.9)
    assert found.best.candidate.variant == "coroutines+processes"
    assert (found.verdict, found.as_good) == (CLEAR, ())
    assert found.lead is not None
    assert found.lead["median"] == pytest.approx(1.7)
    assert (
        found.because == "coroutines+processes is 1.70 times (1.70 to 1.70) as fast as coroutines+inline, the next best"
    )


def test_what_is_configured_stays_where_nothing_is_clearly_faster() -> None:
    found = advice("threads+inline", threads_inline=1.0, coroutines_processes=1.03, coroutines_inline=0.5)
    assert found.best.candidate.variant == "threads+inline"
    assert (found.verdict, found.as_good) == (TOO_CLOSE, ("coroutines+processes",))


def test_processes_are_preferred_among_equals() -> None:
    found = advice("threads+threads", coroutines_inline=1.02, coroutines_processes=1.0, threads_threads=0.5)
    assert found.best.candidate.variant == "coroutines+processes"


def test_noise_is_no_lead() -> None:
    noisy = check("coroutines+processes", [90.0, 190.0, 120.0, 180.0, 100.0])
    found = advise([noisy, check("coroutines+inline", [110.0, 100.0, 115.0, 105.0, 108.0])], "coroutines+inline")
    assert found.best.candidate.variant == "coroutines+inline"
    assert found.verdict == TOO_CLOSE


def test_an_invalid_candidate_is_not_recommended_however_fast() -> None:
    broken = check("coroutines+processes", [500.0], "12 records are not the 40 pages of the sample")
    found = advise([broken, check("coroutines+inline", QUICK)], "coroutines+processes")
    assert found.best.candidate.variant == "coroutines+inline"
    assert found.because == "coroutines+inline is the only one that could be checked"


def test_where_nothing_could_be_checked_the_reasons_are_said() -> None:
    with pytest.raises(AdviceError, match=r"coroutines\+inline: not done after 300 s"):
        advise([check("coroutines+inline", [], "not done after 300 s")], "coroutines+inline")


@pytest.mark.parametrize(
    ("rate", "pages", "expected"), [(100.0, 60, 240), (1.0, 60, 40), (10.0, 15, 30), (1e6, 70, 5950)]
)
def test_a_run_is_long_enough_and_has_whole_copies_of_the_sample(rate: float, pages: int, expected: int) -> None:
    assert size(Prediction(64, 64, rate, "loop", {}), pages, 2.5) == expected
