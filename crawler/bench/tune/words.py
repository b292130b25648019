"""The advice in words, and as the YAML of a configuration; made from ``results.json`` alone."""

import textwrap
from collections.abc import Mapping
from typing import Any

import yaml

from crawler.display import number
from crawler.report.charts import Measured


def verdict(results: Mapping[str, Any]) -> str:
    """Say in a sentence or two what is recommended, and how sure that is."""
    confidence, found, measured = results["confidence"], recommended(results), results["measured"]
    wide = f"{found['variant']}, {found['width']} requests at once"
    rate = f": {Measured.of(measured)} pages/s, {number(results['predicted'])} predicted" if measured else ""
    verdict: str = confidence["verdict"]
    return f"{verdict.capitalize()}: {confidence['because']}. Recommended: {wide}{rate}."


def configuration(results: Mapping[str, Any]) -> str:
    """Return the recommended configuration as YAML, with the reason above it."""
    reason = f"crawler tune, {results['started_at'][:10]}: {results['confidence']['because']}"
    head = textwrap.fill(reason, 100, initial_indent="# ", subsequent_indent="# ") + "\n"
    return head + yaml.safe_dump(dict(results["recommended"]), sort_keys=False, allow_unicode=True, width=110)


def accuracy(results: Mapping[str, Any]) -> str:
    """Say how far the predictions lay from what was measured."""
    errors = [each["prediction_error"] for each in results["variants"] if each["prediction_error"] is not None]
    if not errors:
        return "Nothing was checked by a real crawl."
    worst = max(errors, key=abs)
    return f"Of {len(errors)} variants that were checked, the prediction was off by {worst:+.0%} at most."


def costs(results: Mapping[str, Any]) -> str:
    """Say what a page costs most for."""
    demands = results["demands"]
    fetch, analyse = demands["fetching"]["coroutines"]["cpu_ms"], demands["analysing"]["inline"]["cpu_ms"]
    larger, smaller = ("to analyse", "to fetch and parse") if analyse > fetch else ("to fetch and parse", "to analyse")
    times = max(fetch, analyse) / max(1e-9, min(fetch, analyse))
    parsing = f"parsing it takes {number(demands['parse_ms'])} ms"
    return f"A page takes {number(times)} times as much CPU {larger} as {smaller}; {parsing}."


def widths(results: Mapping[str, Any]) -> str:
    """Say how many requests at once are enough."""
    found = recommended(results)
    return (
        f"At {found['width']} requests at once, {found['variant']} is held back by its {found['bottleneck']}; "
        "a wider one is not chosen where it brings less than 2 %."
    )


def recommended(results: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the entry of the variant that is recommended."""
    chosen = results["recommended"]
    name = f"{chosen['fetch']['mode']}+{chosen['cpu']['executor']}"
    found: Mapping[str, Any] = next(each for each in results["variants"] if each["variant"] == name)
    return found
