"""What is compared on a site: the crawler as users start it, and the peers' programs in a Python of their own.

A peer is a program that crawls from a URL and prints one line of JSON with its ``rate``; peers are never imported.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crawler.bench.children import environment
from crawler.errors import CrawlerError

_PATIENCE_S = 600.0


class SpeedError(CrawlerError):
    """A crawl or a peer failed."""


@dataclass(frozen=True, slots=True)
class Peers:
    """The peers' folder and the Python that runs them."""

    folder: Path
    python: Path

    def run(self, program: str, *arguments: str) -> dict[str, Any]:
        """Run one; return its line of JSON.

        Raises:
            SpeedError: it is not there, or it failed.
        """
        try:
            ended = subprocess.run(  # noqa: S603 - the program that the user names, no shell
                [self.python, self.folder / program, *arguments],
                capture_output=True,
                text=True,
                timeout=_PATIENCE_S,
                check=False,
            )
            found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SpeedError(f"{self.folder / program}: {error}") from error
        except (IndexError, ValueError) as error:
            reason = (ended.stderr.strip().splitlines() or ["it printed no line of JSON"])[-1]
            raise SpeedError(f"{self.folder / program}: {reason}") from error
        return found


@dataclass(frozen=True, slots=True)
class Crawled:
    """A crawl: when its command was started (Unix time), its ``stats.json``, and the URLs that were pages."""

    started: float
    stats: dict[str, Any]
    pages: Sequence[str]


def crawl(seeds: Sequence[str], *settings: str) -> Crawled:
    """Crawl as a user would, into a job directory.

    Raises:
        SpeedError: the command failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        sets = [part for each in ("politeness.delay=0", *settings) for part in ("-s", each)]
        started = time.time()
        ended = subprocess.run(  # noqa: S603 - our own command, no shell
            [sys.executable, "-m", "crawler", "run", *seeds, "-j", "job", "--progress", "none", "-q", *sets],
            cwd=folder,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
        if ended.returncode:
            raise SpeedError(f"crawler run: exit code {ended.returncode}: {ended.stderr.strip()}")
        job = Path(folder) / "job"
        stats = json.loads((job / "stats.json").read_bytes())
        records = [json.loads(line) for line in (job / "pages.jsonl").read_bytes().splitlines()]
    pages = [record["final_url"] for record in records if record["outcome"] == "ok"]
    return Crawled(started, stats, pages)
