"""Claim 9: the price of processes is worth paying from some CPU cost a page on, in a whole crawl."""

import contextlib
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from crawler.bench.lab.claim import PALETTE, Claim, Exhibit, Figures, Outcome, Setting, Verdict
from crawler.bench.lab.experiments import burn, crawls
from crawler.bench.lab.isolation import LabError, isolated
from crawler.bench.lab.machine import cores
from crawler.bench.lab.spread import Spread, by_key, crossing, exceeds, ratio, spread
from crawler.bench.site import SiteProcess, SiteSpec
from crawler.display import number
from crawler.report.charts import Line, LineChart, Measured

_EXECUTORS = ("inline", "threads", "processes")
_LATENCY_S = 0.02


def measure(setting: Setting) -> Figures:
    """Crawl the same site with an analyzer of every cost in every executor."""
    speed = isolated(burn.units_per_second)
    costs = (0.1, 8) if setting.small else (0.1, 0.5, 2, 10, 50)
    random = Random(setting.seed)
    with contextlib.ExitStack() as stack:
        sites = {cost: stack.enter_context(SiteProcess(_spec(setting, cost))) for cost in costs}
        runs = setting.interleaved(costs, lambda cost: _compare(sites[cost], round(speed * cost / 1e3), random))
    found = {f"{cost:g}": _sum_up(runs[cost]) for cost in costs}
    return {
        "cores": cores(),
        "latency_ms": _LATENCY_S * 1e3,
        "crawls": found,
        "gain": {
            other: {
                cost: ratio(by["processes"]["pages_per_second"], by[other]["pages_per_second"])
                for cost, by in found.items()
            }
            for other in ("inline", "threads")
        },
    }


def _spec(setting: Setting, cost: float) -> SiteSpec:
    """Describe a site that is crawled in about a second, and the dear ones in a few."""
    pages = round((300 if setting.small else 1_000) / (cost + 3)) + 20
    return SiteSpec(seed=setting.seed, pages=pages, hosts=1, latency=f"constant:{_LATENCY_S}")


def _compare(site: SiteProcess, units: int, random: Random) -> dict[str, dict[str, float]]:
    """Run all executors in one round, and check that each had every page and was polite."""
    site.reset()
    order = random.sample(_EXECUTORS, len(_EXECUTORS))
    found: dict[str, dict[str, float]] = isolated(crawls.compare, executors=order, units=units, seeds=site.seeds)
    audit, pages = site.audit(), site.truth.fetched()
    missed = [executor for executor, run in found.items() if run["pages"] != len(pages)]
    if missed or audit.violations or audit.strays or any(audit.hits.get(url, 0) < len(order) for url in pages):
        raise LabError(f"not every crawl had every page, or the server's audit is not clean: {missed}")
    return found


def _sum_up(rounds: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {executor: by_key([each[executor] for each in rounds]) for executor in _EXECUTORS}


def judge(figures: Figures) -> Verdict:
    """Say from which cost on processes gain: always, never, or from the crossing."""
    gain = figures["gain"]["inline"]
    cheapest, dearest = next(iter(gain)), list(gain)[-1]
    best = gain[dearest]
    text = (
        f"processes do {number(gain[cheapest]['median'])} times the pages of inline where a page costs {cheapest} ms "
        f"of CPU, and {number(best['median'])} times where it costs {dearest} ms (against threads "
        f"{number(figures['gain']['threads'][dearest]['median'])} times)"
    )
    pays, free = exceeds(best, 1), exceeds(gain[cheapest], 1)
    if pays is False:
        return Verdict(Outcome.FAILS, f"{text}; they gain at no cost that was tried.")
    if pays and free:
        return Verdict(Outcome.HOLDS, f"{text}; they gain at every cost that was tried.")
    return Verdict(Outcome.DEPENDS, f"on the CPU cost of a page: they gain {_from_where(figures, 'inline')}; {text}.")


def crossings(figures: Figures, other: str) -> Spread | None:
    """Return the cost in milliseconds from which on processes gain over another executor, from every round's own curve.

    None where some round has no such point.
    """
    gain = figures["gain"][other]
    costs = [float(cost) for cost in gain]
    rounds = [crossing(costs, list(each)) for each in zip(*(found["runs"] for found in gain.values()), strict=True)]
    known = [point for point in rounds if point is not None]
    return spread(known) if len(known) == len(rounds) else None


def _from_where(figures: Figures, other: str) -> str:
    point, least = crossings(figures, other), next(iter(figures["gain"][other]))
    if point is None:
        return "from a cost on that the rounds do not agree about"
    if point["high"] <= float(least):
        return f"already from {least} ms on, the least that was tried"
    return f"from {number(point['median'])} ms on (in single rounds {number(point['low'])} to {number(point['high'])})"


def exhibits(figures: Figures) -> Sequence[Exhibit]:
    """Draw pages a second and the gain of processes, over the cost of a page."""
    return [
        Exhibit(_rates(figures), _rates_caption(figures)),
        Exhibit(_gains(figures), _gains_caption(figures)),
    ]


def _rates(figures: Figures) -> LineChart:
    lines = [
        Line(name, [(float(cost), _rate(by[name])) for cost, by in figures["crawls"].items()]) for name in _EXECUTORS
    ]
    return LineChart(
        "The whole crawl", "ms of CPU a page", "pages a second", lines, log_x=True, log_y=True, palette=PALETTE
    )


def _rate(found: Mapping[str, Any]) -> Measured:
    return Measured.of(found["pages_per_second"])


def _rates_caption(figures: Figures) -> str:
    cost, by = list(figures["crawls"].items())[-1]
    first = max(_EXECUTORS, key=lambda name: _rate(by[name]).median)
    return (
        f"At {cost} ms a page {first} is fastest with {number(_rate(by[first]).median)} pages a second; the site "
        f"answers after {number(figures['latency_ms'])} ms, and its server works on the same {figures['cores']} cores."
    )


def _gains(figures: Figures) -> LineChart:
    lines = [
        Line(f"over {other}", [(float(cost), Measured.of(gain)) for cost, gain in by_cost.items()])
        for other, by_cost in figures["gain"].items()
    ]
    return LineChart(
        "What processes gain", "ms of CPU a page", "times the pages", lines, log_x=True, reference=(1, "equal")
    )


def _gains_caption(figures: Figures) -> str:
    texts = (f"over {other} {_from_where(figures, other)}" for other in ("inline", "threads"))
    return f"Processes gain {'; '.join(texts)}."


CLAIM = Claim(
    "worth-it",
    "From how much CPU a page on are worker processes worth their price in a crawl?",
    "The price of processes is worth paying where a page costs more CPU than handing it over.",
    "Tandem crawls a whole site on loopback (server in another process, audit checked, every page analysed in every "
    "variant) with an analyzer that burns a known amount of CPU, inline, in threads and in processes. Pages a second "
    "run from the first fetch to the last commit, workers warm; the crossing is interpolated in each round by itself.",
    measure,
    judge,
    exhibits,
)
