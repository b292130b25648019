"""Whether ``crawler tune`` is right: ``python -m crawler.bench.planted``.

Three webs of which it is known what they cost: slow answers, 20 ms of CPU a page, and 2 ms with bodies of 1 MB. Each is
tuned twice, and then all variants are tried. The advice must be among the variants that the sweep cannot tell from its
best (or that are within 5 % of it), both runs must agree, and what was predicted for the chosen one is compared with
what it did.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cpu_stage.types import Json
from crawler.bench.lab.experiments.analyzer import Burner
from crawler.bench.lab.experiments.burn import units_per_second
from crawler.bench.site import SiteProcess, SiteSpec
from crawler.bench.tune.advice import is_as_good
from crawler.bench.tune.runner import Effort, tune
from crawler.bench.tune.words import recommended
from crawler.config import load


@dataclass(frozen=True, slots=True)
class Workload:
    """A web, and the CPU seconds that a page is to cost."""

    name: str
    site: SiteSpec
    cpu_s: float


WORKLOADS = (
    Workload("I/O-bound", SiteSpec(pages=300, hosts=1, page_size=10_000, latency="constant:0.1"), 0.0001),
    Workload("20 ms of CPU a page", SiteSpec(pages=300, hosts=1, page_size=20_000, latency="constant:0.02"), 0.02),
    Workload("2 ms, bodies of 1 MB", SiteSpec(pages=80, hosts=1, page_size=1_000_000, latency="constant:0.05"), 0.002),
)


def main() -> None:
    """Read the options and try them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", type=int, help="number of one workload, from 1")
    options = parser.parse_args()
    speed = units_per_second()
    for number, work in enumerate(WORKLOADS, 1):
        if options.only in {None, number}:
            print(f"\n{number}. {work.name}", flush=True)
            for line in _tried(work, speed):
                print(f"   {line}", flush=True)


def _tried(work: Workload, speed: float) -> Iterator[str]:
    with SiteProcess(work.site) as site:
        loaded = load([], {}, [], _settings(site, max(1, round(speed * work.cpu_s))))
        advised = []
        for run in (1, 2):
            found = tune(loaded, Effort(), lambda _: None)
            advised.append(recommended(found)["variant"])
            yield f"run {run}: {_line(found)}"
        sweep = tune(loaded, Effort(everything=True), lambda _: None)
    best = list(_as_good(sweep["variants"]))
    for each in sweep["variants"]:
        spread = each["measured"]
        shown = f"{spread['median']:.1f} ({spread['low']:.1f} to {spread['high']:.1f})" if spread else each["why"]
        yield f"sweep: {each['variant']:<22} {shown} pages/s, {each['predicted']:.1f} predicted"
    yield f"best of the sweep, or within 5 % of it: {', '.join(best)}"
    yield f"two runs agree: {advised[0] == advised[1]}; the advice is among the best: {set(advised) <= set(best)}"


def _settings(site: SiteProcess, units: int) -> dict[str, Json]:
    return {
        "seeds": list(site.seeds),
        "politeness.delay": 0,
        "fetch.per_host": 64,
        "analyzers": [{"name": f"{Burner.__module__}:{Burner.__name__}", "as": "burn", "options": {"units": units}}],
    }


def _line(results: Mapping[str, Any]) -> str:
    name, measured, error = recommended(results)["variant"], results["measured"], results["prediction_error"]
    rate = f"{measured['median']:.1f} ({measured['low']:.1f} to {measured['high']:.1f})"
    confidence, others = results["confidence"]["verdict"], results["others_cores"]
    return f"{name}, {confidence}: {rate} pages/s, prediction {error:+.1%}; {others} cores were others'"


def _as_good(variants: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Name those that may be within 5 % of the best."""
    measured = [each for each in variants if each["measured"]]
    fastest = max(measured, key=lambda each: float(each["measured"]["median"]))
    for each in measured:
        if is_as_good(each["measured"]["runs"], fastest["measured"]["runs"]):
            yield each["variant"]


if __name__ == "__main__":
    main()
