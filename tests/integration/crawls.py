"""Crawls as users start them: the command in a process of its own, judged by what it wrote and said."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0
"""Seconds after which a command hangs for good; a busy machine is not its fault."""

Json = dict[str, Any]


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment without a user's settings, and with this very code first on the path."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("CRAWLER_")}
    return {**clean, "PYTHONPATH": str(ROOT), **extra}


@contextmanager
def running(*arguments: object, cwd: Path | None = None) -> "Iterator[subprocess.Popen[str]]":
    """Run ``crawler ARGUMENTS`` beside the block; whatever is left of it at the end is killed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "crawler", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        cwd=cwd,
        env=environment({}),
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def breathe(process: "subprocess.Popen[str]") -> None:
    """Leave the cores to the process for a moment, between two looks at what it does."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(0.005)


def crawler(
    *arguments: object, cwd: Path | None = None, env: Mapping[str, str] | None = None, text: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``crawler ARGUMENTS`` to its end, with ``text`` as its standard input."""
    return subprocess.run(
        [sys.executable, "-m", "crawler", *map(str, arguments)],
        capture_output=True,
        input=text or "",
        text=True,
        timeout=PATIENCE,
        check=False,
        cwd=cwd,
        env=environment(env or {}),
    )


def impatient(*settings: str) -> list[str]:
    """Return the options of a crawl of a web on this machine: no delay, short pauses, no progress."""
    sets = ("politeness.delay=0", "fetch.backoff=50ms", "frontier.commit_interval=20ms", *settings)
    return ["--progress", "none", *(part for setting in sets for part in ("-s", setting))]


def records(job: Path) -> list[Json]:
    """Read a job's records."""
    return [json.loads(line) for line in (job / "pages.jsonl").read_bytes().splitlines()]


def stats(job: Path) -> Json:
    """Read a job's statistics."""
    found: Json = json.loads((job / "stats.json").read_bytes())
    return found


def covered(found: Sequence[Json]) -> set[str]:
    """Return every URL that the records deal with: their own, their redirects, where they ended."""
    return {url for record in found for url in (record["url"], *record["redirects"], record["final_url"]) if url}
