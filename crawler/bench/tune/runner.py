"""Tuning from end to end: sample, measure, predict, check, advise."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cpu_stage.types import StageError
from crawler.bench.lab.machine import cores, machine
from crawler.bench.matrix.variants import CPUS, FETCHES, obstacle, variant
from crawler.bench.tune.advice import advise
from crawler.bench.tune.checks import Candidate, check
from crawler.bench.tune.demands import Analysing, Fetching, analysing, fetching, parsing
from crawler.bench.tune.ground import Ground
from crawler.bench.tune.model import Load, Pace, best_width, by_width
from crawler.bench.tune.replay import replayed
from crawler.bench.tune.results import Demands, Tuned, as_json
from crawler.bench.tune.sample import Sample, chosen, take
from crawler.config import Loaded
from crawler.stats import now_utc

Say = Callable[[str], None]

_FEW = 3
_HOPELESS = 0.7
"""A variant of which less than this share of the best is predicted is not checked."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is done: pages of the sample and seconds for it; rounds of the checks, and seconds of each run.

    ``everything``: every variant is checked, also those that the model gives no chance.
    """

    pages: int = 60
    sample_seconds: float = 120.0
    rounds: int = 5
    seconds: float = 2.5
    everything: bool = False


def tune(loaded: Loaded, effort: Effort, say: Say) -> dict[str, Any]:
    """Find out what suits these pages and analyzers on this machine; return what ``results.json`` holds.

    Raises:
        CrawlerError: the site gives no page, or no variant works.
    """
    started_at, start, described, settings = now_utc(), time.monotonic(), machine(), chosen(loaded)
    configured = f"{loaded.config.fetch.mode}+{loaded.config.cpu.executor}"
    sample = take(loaded, effort.pages, effort.sample_seconds)
    say(f"sampled {len(sample.pages)} pages of {sample.hosts} hosts, {1e3 * sample.latency_s:.0f} ms each on average")
    with replayed(sample.pages) as replay:
        ground = Ground(settings, sample.pages, replay)
        demands = _measure(loaded, ground, say)
        site, loads = _pace(loaded, sample), dict(_loads(demands))
        pace = replace(site, delay_s=0.0)  # the replay needs no mercy
        candidates = [
            Candidate(name, best_width(load, pace, loaded.config.fetch.fixed_concurrency))
            for name, load in loads.items()
        ]
        few = [] if _politeness_decides(candidates, site.polite_rate) else _few(candidates, configured, effort)
        say(f"checking {', '.join(each.variant for each in few) or 'nothing: politeness decides'}")
        checks, others_cores = check(ground, few, effort.rounds, effort.seconds)
    tuned = Tuned(
        sample=sample,
        demands=demands,
        candidates=candidates,
        checks=checks,
        run_s=effort.seconds,
        advice=advise(checks, configured) if checks else None,
        configured=configured,
        settings=settings,
        polite_rate=site.polite_rate,
    )
    return as_json(tuned) | {
        "started_at": started_at,
        "seconds": round(time.monotonic() - start, 1),
        "machine": described,
        "others_cores": others_cores,
        "seeds": list(loaded.config.seeds),
        "by_width": {
            name: [(w.width, w.pages_per_second) for w in by_width(load, pace)] for name, load in loads.items()
        },
    }


def _measure(loaded: Loaded, ground: Ground, say: Say) -> Demands:
    """Measure what a page asks of every part; an executor that refuses the analyzers is left out."""
    modes: dict[str, Fetching] = {mode: fetching(ground, mode) for mode in FETCHES}
    found: dict[str, Analysing] = {}
    refused: dict[str, str] = {}
    for executor in CPUS:
        why = obstacle(variant(f"coroutines+{executor}"), mock=False)
        try:
            if why is None:
                found[executor] = analysing(ground.settings, executor, ground.pages)
        except StageError as error:
            why = str(error)
        if why is not None:
            refused[executor] = why
    parse_s = parsing(loaded.config, ground.pages)
    say(
        f"a page takes {1e3 * modes['coroutines'].cpu_s:.2f} ms of CPU to fetch and parse, "
        f"{1e3 * found['inline'].cpu_s:.2f} ms to analyse"
    )
    return Demands(modes, parse_s, found, refused)


def _pace(loaded: Loaded, sample: Sample) -> Pace:
    """Return what the site and the configuration allow."""
    config = loaded.config
    return Pace(sample.latency_s, sample.hosts, config.fetch.per_host, config.politeness.delay)


def _loads(demands: Demands) -> Iterator[tuple[str, Load]]:
    for mode, fetch in demands.fetching.items():
        for executor, analyse in demands.analysing.items():
            yield f"{mode}+{executor}", load_of(fetch, analyse, executor)


def load_of(fetch: Fetching, analyse: Analysing, executor: str) -> Load:
    """Put together what a page asks of one variant.

    What is analysed on the loop keeps it from fetching; threads keep the lock that the loop needs for as long as they
    take to finish a page; workers of their own take only what sending and receiving costs.
    """
    shares_the_lock = executor in {"inline", "threads"}
    return Load(
        fetch.loop_s + (analyse.page_s if shares_the_lock else analyse.loop_s),
        0.0 if executor == "inline" else analyse.page_s,
        (fetch.cpu_s + fetch.server_s + analyse.cpu_s) / cores(),
    )


def _politeness_decides(candidates: Sequence[Candidate], limit: float | None) -> bool:
    """Whether the user's manners hold every variant back."""
    return limit is not None and limit < min(each.prediction.pages_per_second for each in candidates)


def _few(candidates: Sequence[Candidate], configured: str, effort: Effort) -> list[Candidate]:
    """Choose those that are worth a check: the best few, and what is configured."""
    ranked = sorted(candidates, key=lambda each: -each.prediction.pages_per_second)
    if effort.everything:
        return ranked
    enough = _HOPELESS * ranked[0].prediction.pages_per_second
    best = [each for each in ranked[:_FEW] if each.prediction.pages_per_second >= enough]
    return best + [each for each in ranked[len(best) :] if each.variant == configured]
