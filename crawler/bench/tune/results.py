"""What came of a tuning, as ``results.json`` holds it; ``docs/tune.md`` says what each key means."""

import dataclasses
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cpu_stage.types import Json
from crawler import __version__
from crawler.bench.lab.machine import python_build
from crawler.bench.matrix.interval import interval
from crawler.bench.tune.advice import TOO_CLOSE, Advice
from crawler.bench.tune.checks import Candidate, Check, size
from crawler.bench.tune.demands import Analysing, Fetching
from crawler.bench.tune.model import run_rate
from crawler.bench.tune.sample import Sample

_SHARES = {"p10": 0.1, "p50": 0.5, "p90": 0.9}


@dataclass(frozen=True, slots=True)
class Demands:
    """What a page asks: by mode of fetching, to be parsed, by executor; and executors that refuse the analyzers."""

    fetching: Mapping[str, Fetching]
    parse_s: float
    analysing: Mapping[str, Analysing]
    refused: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """Everything that was found out. ``run_s`` is the length of a check, ``settings`` the user's own by dotted key."""

    sample: Sample
    demands: Demands
    candidates: Sequence[Candidate]
    checks: Sequence[Check]
    run_s: float
    advice: Advice | None
    configured: str
    settings: Mapping[str, Json]
    polite_rate: float | None

    @property
    def recommended(self) -> Candidate:
        """The variant of the advice; without one, what is configured."""
        if self.advice:
            return self.advice.best.candidate
        return next((each for each in self.candidates if each.variant == self.configured), self.candidates[0])

    @property
    def first_s(self) -> float:
        """How long one page takes by itself."""
        demands = self.demands
        return self.sample.latency_s + demands.fetching["coroutines"].loop_s + demands.analysing["inline"].page_s


def as_json(tuned: Tuned) -> dict[str, Any]:
    """Return all that follows from what was found out."""
    entries = {each.variant: _entry(each, tuned) for each in tuned.candidates}
    found = entries[tuned.recommended.variant]
    return {
        "version": __version__,
        "python": python_build(),
        "sample": _sample(tuned.sample),
        "demands": _demands(tuned.demands),
        "configured": tuned.configured,
        "politeness_pages_per_second": tuned.polite_rate,
        "variants": list(entries.values()),
        "left_out": [{"executor": name, "why": why} for name, why in tuned.demands.refused.items()],
        "recommended": _recommendation(tuned),
        **{key: found[key] for key in ("predicted", "measured", "prediction_error")},
        "confidence": _confidence(tuned),
    }


def _entry(candidate: Candidate, tuned: Tuned) -> dict[str, Any]:
    prediction = candidate.prediction
    pages = size(prediction, len(tuned.sample.pages), tuned.run_s)
    predicted = run_rate(prediction, pages, tuned.first_s)
    found = next((each for each in tuned.checks if each.candidate is candidate), None)
    measured = interval(found.rates) if found and found.rates and found.why is None else None
    return {
        "variant": candidate.variant,
        "concurrency": prediction.concurrency,
        "width": prediction.width,
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


def _demands(demands: Demands) -> dict[str, Any]:
    """Return what a page asks, in milliseconds."""

    def in_ms(found: Fetching | Analysing) -> dict[str, float]:
        return {f"{name.removesuffix('_s')}_ms": _rounded(1e3 * s) for name, s in dataclasses.asdict(found).items()}

    return {
        "fetching": {mode: in_ms(found) for mode, found in demands.fetching.items()},
        "parse_ms": _rounded(1e3 * demands.parse_s),
        "analysing": {executor: in_ms(found) for executor, found in demands.analysing.items()},
    }


def _recommendation(tuned: Tuned) -> dict[str, Any]:
    """Return the configuration that is recommended, nested: the user's own, with what was tuned."""
    mode, executor = tuned.recommended.variant.split("+")
    width = tuned.recommended.prediction.concurrency
    tree: dict[str, Any] = {}
    for key, value in {
        **tuned.settings,
        "fetch.mode": mode,
        "fetch.concurrency": width,
        "cpu.executor": executor,
    }.items():
        if not key.startswith("fetch.headers"):
            *sections, name = key.split(".")
            branch = tree
            for section in sections:
                branch = branch.setdefault(section, {})
            branch[name] = value
    return tree


def _confidence(tuned: Tuned) -> dict[str, Any]:
    advice = tuned.advice
    if advice is None:
        because = f"politeness.delay allows {tuned.polite_rate:.3g} pages/s, and every variant does more"
        return {"verdict": TOO_CLOSE, "because": because, "as_good": [], "lead": None}
    return {
        "verdict": advice.verdict,
        "because": advice.because,
        "as_good": list(advice.as_good),
        "lead": advice.lead and dict(advice.lead),
    }


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
