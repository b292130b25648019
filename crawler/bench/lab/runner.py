"""Running the claims one after another, and writing down what came out.

``results.json`` holds ``version``, ``started_at`` (UTC), ``seconds``, ``small``, ``rounds``, ``seed``, ``machine``,
``python`` (versions, build, GIL) and ``claims``, a list of::

    id, question, claim, method   who it is, what textbooks say, how it was measured
    outcome                       "holds", "does not hold", "depends" or "not measured"
    verdict                       a sentence that begins with the outcome, computed from the figures
    figures                       nested objects; a measured quantity is {median, low, high, runs}: the median of all
                                  runs, the smallest, the largest, and the runs in order; keys name units
    seconds, others_cores         how long it took, and how many cores other programs kept busy meanwhile
"""

import os
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from crawler import __version__
from crawler.bench.lab.claim import Claim, Outcome, Setting, Verdict
from crawler.bench.lab.claims import CLAIMS
from crawler.bench.lab.isolation import LabError
from crawler.bench.lab.machine import cores, machine, python_build
from crawler.bench.lab.page import report
from crawler.stats import now_utc

RESULTS, REPORT = "results.json", "report.html"
_TICKS = os.sysconf("SC_CLK_TCK")


def run(setting: Setting, say: Callable[[str], None], claims: Sequence[Claim] = CLAIMS) -> dict[str, Any]:
    """Measure and judge every claim; return what ``results.json`` holds."""
    started_at, start = now_utc(), time.monotonic()
    described = machine()
    entries = []
    for number, claim in enumerate(claims, 1):
        entry = _entry(claim, setting)
        say(f"{number:2}/{len(claims)} {claim.id} ({entry['seconds']:.0f} s): {entry['verdict']}")
        entries.append(entry)
    return {
        "version": __version__,
        "started_at": started_at,
        "seconds": round(time.monotonic() - start, 1),
        "small": setting.small,
        "rounds": setting.rounds,
        "seed": setting.seed,
        "machine": described,
        "python": python_build(),
        "claims": entries,
    }


def _entry(claim: Claim, setting: Setting) -> dict[str, Any]:
    """Measure one claim. One that cannot be measured here says why, and the others go on."""
    with _watch() as seen:
        try:
            figures = claim.measure(setting)
            verdict = claim.judge(figures)
        except LabError as error:
            figures, verdict = {}, Verdict(Outcome.UNKNOWN, str(error))
    return {
        "id": claim.id,
        "question": claim.question,
        "claim": claim.claim,
        "outcome": verdict.outcome,
        "verdict": str(verdict),
        "method": claim.method,
        "figures": figures,
        **seen,
    }


@contextmanager
def _watch() -> Iterator[dict[str, float]]:
    """Note the seconds that a claim took, and how many cores other programs kept busy meanwhile."""
    seen: dict[str, float] = {}
    start, busy, own = time.monotonic(), _busy_s(), _own_s()
    yield seen
    seconds = time.monotonic() - start
    others = (_busy_s() - busy - (_own_s() - own)) / seconds
    seen["seconds"] = round(seconds, 1)
    seen["others_cores"] = round(min(max(others, 0.0), cores()), 2)


def _busy_s() -> float:
    """Return the seconds that all cores were busy since the machine started (``cpu`` of /proc/stat without idle)."""
    user, nice, system, _, _, *rest = map(
        int, Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]
    )
    return (user + nice + system + sum(rest)) / _TICKS


def _own_s() -> float:
    """Return the CPU seconds of this process and of its children that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def write(results: dict[str, Any], directory: Path) -> Path:
    """Write ``results.json`` and the report made of it; return the report's path."""
    data = orjson.dumps(results, option=orjson.OPT_INDENT_2)
    (directory / RESULTS).write_bytes(data)
    target = directory / REPORT
    target.write_text(report(orjson.loads(data)), encoding="utf-8")
    return target
