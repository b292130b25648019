"""Look at a job from outside, also while it runs: its counts, its report."""

from pathlib import Path
from typing import Any

import click
import orjson

from crawler import job as jobs
from crawler.errors import JobError
from crawler.frontier.sqlite import read_counts
from crawler.report import job_report
from crawler.summary import summary


def print_status(path: Path, *, as_json: bool) -> None:
    """Print a job's counts: the ledger's, which are exact, and the last ``stats.json``."""
    stats = _stats(path)
    if as_json:
        click.echo(orjson.dumps(stats, option=orjson.OPT_INDENT_2).decode())
        return
    click.echo(f"{path}: {stats['state']}, {stats['queued']:,} queued of {stats['known']:,} known URLs")
    click.echo(summary(stats))


def write_report(path: Path) -> Path:
    """Write ``report.html`` of a job; return its path."""
    target = path / jobs.REPORT
    jobs.write_atomically(target, job_report(path.resolve().name, _stats(path)).encode())
    return target


def _stats(path: Path) -> dict[str, Any]:
    """Return the job's last statistics with the ledger's counts of now.

    Raises:
        JobError: there is no job, or it holds no statistics yet.
    """
    if not (path / jobs.LEDGER).is_file():
        raise JobError(f"{path}: no job here ({jobs.LEDGER} is missing)")
    counts = read_counts(path / jobs.LEDGER)
    stats = jobs.read_stats(path)
    if stats is None:
        raise JobError(f"{path}: no {jobs.STATS} yet; a crawl writes it in its first second")
    if stats.get("state") == "running" and not jobs.is_locked(path):
        stats["state"] = "interrupted"
    outcomes = {str(outcome): n for outcome, n in sorted(counts.outcomes.items())}
    live = {"pages": sum(outcomes.values()), "queued": counts.queued, "known": counts.known}
    return {**stats, **live, "outcomes": outcomes}
