"""Tuning from end to end: sample, measure, predict, check, advise; what ``results.json`` holds."""

import dataclasses
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cpu_stage.types import Json, StageError
from crawler import __version__
from crawler.bench.lab.machine import cores, machine, python_build
from crawler.bench.matrix.interval import interval
from crawler.bench.matrix.variants import CPUS, FETCHES, obstacle, variant
from crawler.bench.tune import advice as advices
from crawler.bench.tune.checks import Candidate, Check, check, size
from crawler.bench.tune.demands import Analysing, Fetching, analysing, fetching, parsing
from crawler.bench.tune.ground import Ground
from crawler.bench.tune.model import Load, Pace, best_width, by_width, run_rate
from crawler.bench.tune.replay import replayed
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


@dataclass(frozen=True, slots=True)
class Demands:
    """What a page asks: by mode of fetching, to be parsed, by executor; and executors that refuse the analyzers."""

    fetching: Mapping[str, Fetching]
    parse_s: float
    analysing: Mapping[str, Analysing]
    refused: Mapping[str, str]


def tune(loaded: Loaded, effort: Effort, say: Say) -> dict[str, Any]:
    """Find out what suits these pages and analyzers on this machine; return what ``results.json`` holds.

    Raises:
        CrawlerError: the site gives no page, or no variant works.
    """
    started_at, start, described, settings = now_utc(), time.monotonic(), machine(), chosen(loaded)
    sample = take(loaded, effort.pages, effort.sample_seconds)
    say(f"sampled {len(sample.pages)} pages of {sample.hosts} hosts, {1e3 * sample.latency_s:.0f} ms each on average")
    with replayed(sample.pages) as replay:
        ground = Ground(settings, sample.pages, replay)
        demands = _measure(loaded, ground, say)
        pace = _pace(loaded, sample)
        candidates = list(_candidates(demands, pace, loaded.config.fetch.concurrency))
        limit = pace.hosts / pace.delay_s if pace.delay_s else None
        few = [] if _polite(candidates, limit) else _few(candidates, _configured(loaded), effort)
        say(f"checking {', '.join(each.variant for each in few) or 'nothing: politeness decides'}")
        checks, others_cores = check(ground, few, effort.rounds, effort.seconds)
    advice = advices.advise(checks, _configured(loaded)) if checks else None
    first_s = _first_s(sample, demands)
    entries = [_entry(each, checks, sample, effort, first_s) for each in candidates]
    recommended = advice.best.candidate if advice else _by_name(candidates, _configured(loaded))
    found = next(each for each in entries if each["variant"] == recommended.variant)
    return {
        "version": __version__,
        "started_at": started_at,
        "seconds": round(time.monotonic() - start, 1),
        "machine": described,
        "python": python_build(),
        "others_cores": others_cores,
        "seeds": list(loaded.config.seeds),
        "sample": _sample(sample),
        "demands": _demands(demands),
        "configured": _configured(loaded),
        "politeness_pages_per_second": limit,
        "variants": entries,
        "by_width": _by_width(demands, pace),
        "left_out": [{"executor": name, "why": why} for name, why in demands.refused.items()],
        "recommended": recommendation(settings, recommended),
        "predicted": found["predicted"],
        "measured": found["measured"],
        "prediction_error": found["prediction_error"],
        "confidence": _confidence(advice, limit),
    }


def _measure(loaded: Loaded, ground: Ground, say: Say) -> Demands:
    """Measure what a page asks of every part; an executor that refuses the analyzers is left out."""
    modes: dict[str, Fetching] = {mode: fetching(ground, mode) for mode in FETCHES}
    found, refused = {}, {}
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
    config = loaded.config
    return Pace(sample.latency_s, sample.hosts, config.fetch.per_host, config.politeness.delay)


def _candidates(demands: Demands, pace: Pace, configured: int) -> Iterator[Candidate]:
    """Predict every variant at the width that suits it, its replay on the same cores."""
    replay = dataclasses.replace(pace, delay_s=0.0)
    for mode, fetch in demands.fetching.items():
        for executor, analyse in demands.analysing.items():
            load = load_of(fetch, analyse, executor)
            yield Candidate(f"{mode}+{executor}", best_width(load, replay, configured))


def _by_width(demands: Demands, pace: Pace) -> dict[str, list[tuple[int, float]]]:
    """Predict every variant at all widths that the user's limit for each host allows."""
    replay = dataclasses.replace(pace, delay_s=0.0)
    loads = {
        f"{mode}+{executor}": load_of(fetch, analyse, executor)
        for mode, fetch in demands.fetching.items()
        for executor, analyse in demands.analysing.items()
    }
    return {
        name: [(each.width, _rounded(each.pages_per_second)) for each in by_width(load, replay)]
        for name, load in loads.items()
    }


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


def _polite(candidates: Sequence[Candidate], limit: float | None) -> bool:
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


def _configured(loaded: Loaded) -> str:
    return f"{loaded.config.fetch.mode}+{loaded.config.cpu.executor}"


def _by_name(candidates: Sequence[Candidate], name: str) -> Candidate:
    return next((each for each in candidates if each.variant == name), candidates[0])


def _first_s(sample: Sample, demands: Demands) -> float:
    """Return how long one page takes by itself."""
    return sample.latency_s + demands.fetching["coroutines"].loop_s + demands.analysing["inline"].page_s


def _entry(
    candidate: Candidate, checks: Sequence[Check], sample: Sample, effort: Effort, first_s: float
) -> dict[str, Any]:
    prediction = candidate.prediction
    predicted = run_rate(prediction, size(prediction, len(sample.pages), effort.seconds), first_s)
    found = next((each for each in checks if each.candidate is candidate), None)
    measured = interval(found.rates) if found and found.rates and found.why is None else None
    return {
        "variant": candidate.variant,
        "concurrency": prediction.concurrency,
        "predicted": _rounded(predicted),
        "bottleneck": prediction.bottleneck,
        "bounds": {name: _rounded(bound) for name, bound in prediction.bounds.items()},
        "measured": measured,
        "prediction_error": _rounded(predicted / measured["median"] - 1) if measured else None,
        "why": found.why if found else None,
    }


def _sample(sample: Sample) -> dict[str, Any]:
    return {
        "pages": len(sample.pages),
        "hosts": sample.hosts,
        "asked": sample.asked,
        "latency_ms": _quantiles([1e3 * page.latency_s for page in sample.pages]),
        "bytes": _quantiles([len(page.body) for page in sample.pages]),
    }


def _quantiles(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    at = {name: ordered[min(len(ordered) - 1, int(share * len(ordered)))] for name, share in _SHARES.items()}
    return {"mean": _rounded(statistics.fmean(values)), **{name: _rounded(value) for name, value in at.items()}}


_SHARES = {"p10": 0.1, "p50": 0.5, "p90": 0.9}


def _demands(demands: Demands) -> dict[str, Any]:
    """Return what a page asks, in milliseconds."""

    def in_ms(found: Fetching | Analysing) -> dict[str, float]:
        return {name.replace("_s", "_ms"): _rounded(1e3 * s) for name, s in dataclasses.asdict(found).items()}

    return {
        "fetching": {mode: in_ms(found) for mode, found in demands.fetching.items()},
        "parse_ms": _rounded(1e3 * demands.parse_s),
        "analysing": {executor: in_ms(found) for executor, found in demands.analysing.items()},
    }


def recommendation(settings: Mapping[str, Json], candidate: Candidate) -> dict[str, Any]:
    """Return the configuration that is recommended, nested: the user's own, with what was tuned."""
    mode, executor = candidate.variant.split("+")
    tuned = {"fetch.mode": mode, "fetch.concurrency": candidate.prediction.concurrency, "cpu.executor": executor}
    tree: dict[str, Any] = {}
    for key, value in {**settings, **tuned}.items():
        if not key.startswith("fetch.headers"):
            *sections, name = key.split(".")
            branch = tree
            for section in sections:
                branch = branch.setdefault(section, {})
            branch[name] = value
    return tree


def _confidence(advice: advices.Advice | None, limit: float | None) -> dict[str, Any]:
    if advice is None:
        because = f"politeness.delay allows {limit:.3g} pages/s, and every variant does more"
        return {"verdict": advices.TOO_CLOSE, "because": because, "as_good": [], "lead": None}
    return {
        "verdict": advice.verdict,
        "because": advice.because,
        "as_good": list(advice.as_good),
        "lead": advice.lead and dict(advice.lead),
    }


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
