"""From checked candidates to one recommendation, or to the words that there is none. Pure."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from crawler.bench.lab.spread import Spread
from crawler.bench.matrix.interval import times
from crawler.bench.tune.checks import Check
from crawler.errors import CrawlerError

WORTH_IT = 1.05
"""A gain of 5 % is worth a change of configuration; what lies below differs from day to day."""

CLEAR, TOO_CLOSE = "clear", "too close to call"

PREFERRED = ("coroutines+processes", "coroutines+interpreters", "coroutines+threads", "coroutines+inline")
"""Where several are as good: processes contain what a bad page does, coroutines wait with the least memory."""


class AdviceError(CrawlerError):
    """No candidate could be checked."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What to use, and how sure that is. ``lead`` is how many times the next best goes into it; None: there is none."""

    best: Check
    verdict: str
    because: str
    as_good: tuple[str, ...]
    lead: Spread | None


def advise(checks: Sequence[Check], configured: str) -> Advice:
    """Recommend the fastest; what is configured stays, and then what is preferred, where they may be as good.

    Raises:
        AdviceError: no run counts.
    """
    valid = sorted((each for each in checks if each.why is None), key=_median, reverse=True)
    if not valid:
        raise AdviceError("; ".join(f"{each.candidate.variant}: {each.why}" for each in checks))
    fastest = valid[0]
    good = [each for each in valid if is_as_good(each.rates, fastest.rates)]
    best = min(good, key=lambda each: _rank(each.candidate.variant, configured))
    others = [each for each in valid if each is not best]
    lead = times(best.rates, others[0].rates) if others else None
    as_good = tuple(each.candidate.variant for each in good if each is not best)
    return Advice(best, TOO_CLOSE if as_good else CLEAR, _because(best, as_good, lead, others), as_good, lead)


def is_as_good(rates: Sequence[float], fastest: Sequence[float]) -> bool:
    """Whether it cannot be excluded that the fastest is ahead by less than what is worth a change."""
    return times(fastest, rates)["low"] <= WORTH_IT


def _median(found: Check) -> float:
    return statistics.median(found.rates)


def _rank(variant: str, configured: str) -> int:
    order = (configured, *PREFERRED)
    return order.index(variant) if variant in order else len(order)


def _because(best: Check, as_good: Sequence[str], lead: Spread | None, others: Sequence[Check]) -> str:
    name = best.candidate.variant
    if as_good:
        return f"less than 5 % may lie between {name} and {', '.join(as_good)}"
    if lead is None:
        return f"{name} is the only one that could be checked"
    times_as_fast = f"{lead['median']:.2f} times ({lead['low']:.2f} to {lead['high']:.2f})"
    return f"{name} is {times_as_fast} as fast as {others[0].candidate.variant}, the next best"
