"""What bad pages cost a crawl: ``python -m crawler.bench.chaos``.

Whole crawls of the synthetic web, by turns without and with bad pages: one in a hundred each loops for ever, exits its
process, crashes in C, takes memory past the limit, and returns what cannot be pickled. Every record is checked; what
is printed is the rate of the good pages, the loop's lag, and whether a process was left.
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crawler.bench.site import SiteProcess, SiteSpec

MISBEHAVIOUR = """
import ctypes
import hashlib
import os


def digest(page):
    return int.from_bytes(hashlib.sha256(page.title.encode()).digest()[:4])


def work(page):
    return {"words": len(set(page.text.split()))}


def misbehave(page):
    match digest(page) % 100:
        case 0:
            while True:
                pass
        case 1:
            os._exit(3)
        case 2:
            ctypes.string_at(0)
        case 3:
            return {"held": [bytearray(2**20) for _ in range(2**12)] and 0}
        case 4:
            return {"unpicklable": lambda: 0}
    return work(page)
"""
KINDS = {0: "timeout", 1: "crash", 2: "crash", 3: "memory", 4: "exception"}


@dataclass(frozen=True, slots=True)
class Run:
    """One crawl: seconds, good pages, which ends were right and wrong, p99 of the lag in ms, processes left."""

    seconds: float
    good: int
    right: Counter[str]
    wrong: Counter[str]
    lag_ms: float
    left: int


def crawl(site: SiteProcess, folder: Path, analyzer: str, executor: str) -> Run:
    """Crawl once; ``analyzer`` is ``work`` or ``misbehave``."""
    site.reset()
    sets = {
        "politeness.delay": 0,
        "fetch.per_host": 16,
        "cpu.executor": executor,
        "cpu.page_timeout": 0.5,
        "cpu.page_memory": "128MiB",
        "analyzers": f"[content, language, keywords, fingerprint, 'chaos_analyzers:{analyzer}']",
    }
    options = [part for key, value in sets.items() for part in ("-s", f"{key}={value}")]
    job = folder / analyzer
    command = [
        sys.executable,
        "-m",
        "crawler",
        "run",
        *site.seeds,
        "-j",
        str(job),
        "--fresh",
        "--progress",
        "none",
        "-q",
    ]
    process = subprocess.Popen(  # noqa: S603 - our own command, no shell
        [*command, *options], cwd=folder, env=_environment(folder), start_new_session=True
    )
    if process.wait() != 0:
        raise SystemExit(f"the crawl ended with {process.returncode}")
    return _judge(job, analyzer, _left(process.pid))


def _left(session: int) -> int:
    """Count the processes of a session that are there five seconds after its end."""
    give_up = time.monotonic() + 5
    while left := sum(1 for pid in Path("/proc").glob("[0-9]*") if _session(pid) == session):
        if time.monotonic() > give_up:
            break
        time.sleep(0.05)
    return left


def _judge(job: Path, analyzer: str, left: int) -> Run:
    records = [json.loads(line) for line in (job / "pages.jsonl").read_bytes().splitlines()]
    stats = json.loads((job / "stats.json").read_bytes())
    right: Counter[str] = Counter()
    wrong = Counter({"twice": len(records) - len({record["url"] for record in records})})
    for record in records:
        expected = KINDS.get(_digest(record["title"]) % 100) if analyzer == "misbehave" else None
        found = _error_of(record, f"chaos_analyzers:{analyzer}")
        if found == expected:
            right[found or "good"] += 1
        else:
            wrong[f"{found} for {expected}"] += 1
    return Run(stats["seconds"], right["good"], right, wrong, stats["loop_lag_ms"]["p99"], left)


def _error_of(record: dict[str, Any], analyzer: str) -> str | None:
    errors = record["analysis_error"] or {}
    return errors[analyzer]["kind"] if analyzer in errors else None


def _digest(title: str) -> int:
    return int.from_bytes(hashlib.sha256(title.encode()).digest()[:4])


def _session(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[3])
    except OSError:
        return 0


def _environment(folder: Path) -> dict[str, str]:
    paths = (str(folder), *(path for path in sys.path if path))
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    runs: dict[str, list[Run]] = {"work": [], "misbehave": []}
    with (
        tempfile.TemporaryDirectory() as name,
        SiteProcess(SiteSpec(pages=options.pages, hosts=4, page_size=(8_000, 32_000))) as site,
    ):
        (Path(name) / "chaos_analyzers.py").write_text(MISBEHAVIOUR)
        for _ in range(options.repeats):
            for analyzer, done in runs.items():
                run = crawl(site, Path(name), analyzer, "processes")
                done.append(run)
                print(f"{analyzer:>10}  {_line(run)}", flush=True)
    rates = {analyzer: [run.good / run.seconds for run in done] for analyzer, done in runs.items()}
    ratios = sorted(bad / clean for bad, clean in zip(rates["misbehave"], rates["work"], strict=True))
    spread = f"{ratios[0]:.0%} to {ratios[-1]:.0%}"
    print(f"good pages at {statistics.median(ratios):.0%} ({spread}) of the rate without bad ones")


def _line(run: Run) -> str:
    ends = f"right {dict(run.right)}, wrong {dict(+run.wrong)}"
    return f"{run.good / run.seconds:6.1f} good pages/s, {ends}, lag p99 {run.lag_ms:.1f} ms, {run.left} processes left"


if __name__ == "__main__":
    main()
