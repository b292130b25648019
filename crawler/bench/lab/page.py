"""The report of a lab: one self-contained page, made from ``results.json`` and nothing else."""

from collections.abc import Iterator, Mapping
from typing import Any

from crawler.bench.lab.claim import Outcome
from crawler.bench.lab.claims import CLAIMS
from crawler.report import render
from crawler.report.charts import Measured

_BY_ID = {claim.id: claim for claim in CLAIMS}
_DISTURBED = 0.1
_HIDDEN = "drawn"


def report(results: Mapping[str, Any]) -> str:
    """Return the page; every chart, caption and number in it is computed from the results."""
    entries = [
        {
            **entry,
            "badge": entry["outcome"].replace(" ", "-"),
            "exhibits": _exhibits(entry),
            "rows": list(flatten(entry["figures"])),
            "disturbed": entry["others_cores"] > _DISTURBED * results["machine"]["cores"],
        }
        for entry in results["claims"]
    ]
    counts = {str(outcome): sum(entry["outcome"] == outcome for entry in entries) for outcome in Outcome}
    return render("lab.html.j2", results=results, claims=entries, counts=counts)


def _exhibits(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    if entry["outcome"] == Outcome.UNKNOWN:
        return []
    exhibits = _BY_ID[entry["id"]].exhibits(entry["figures"])
    return [
        {"svg": exhibit.chart.svg(f"{entry['id']}-{n}"), "title": exhibit.chart.title, "caption": exhibit.caption}
        for n, exhibit in enumerate(exhibits)
    ]


def flatten(figures: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, Measured | str]]:
    """Yield every figure with its place in words; spans that a chart draws are left to the chart."""
    for key, value in figures.items():
        here = (*path, key.replace("_", " "))
        if key == _HIDDEN:
            continue
        if isinstance(value, Mapping) and "median" not in value:
            yield from flatten(value, here)
        else:
            yield " / ".join(here), _figure(value)


def _figure(value: Any) -> Measured | str:
    if isinstance(value, Mapping):
        return Measured.of(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return Measured.exactly(value)
    return "none" if value is None else str(value)
