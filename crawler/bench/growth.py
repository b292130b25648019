"""What a crawl costs as its queue grows: ``python -m crawler.bench.growth``.

Whole crawls of the same synthetic web, by turns from a ledger with few and with many URLs in its queue. Each fetches
8,000 of them and follows no link; what is printed is the rate, the loop's time for a page, and the memory.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crawler.bench.site import SiteProcess, SiteSpec
from crawler.frontier.sqlite import FrontierSettings, SqliteFrontier
from crawler.types import CrawlRequest
from crawler.urls import host_key

FEW = 10_000
PAGES = 8_000
_SETTINGS = ("analyzers=[]", "politeness.delay=0", "politeness.obey_robots=false", "fetch.concurrency=128")
_STEP = 10_000


async def fill(ledger: Path, urls: Sequence[str]) -> None:
    """Queue all of the URLs."""
    frontier = SqliteFrontier(ledger, FrontierSettings(per_host=4, delay=0.0))
    await frontier.open()
    for start in range(0, len(urls), _STEP):
        await frontier.add([CrawlRequest(url, host_key(url)) for url in urls[start : start + _STEP]])
    await frontier.aclose()


def crawl(seeds: Sequence[str], job: Path, urls: Sequence[str]) -> dict[str, Any]:
    """Crawl with these URLs in the queue; return the job's statistics."""
    job.mkdir()
    asyncio.run(fill(job / "job.db", urls))
    options = [part for setting in _SETTINGS for part in ("-s", setting)]
    command = [sys.executable, "-m", "crawler", "run", *seeds, "-j", str(job), "-q", "-n", str(PAGES), "-d", "0"]
    subprocess.run([*command, *options], check=True)  # noqa: S603 - our own command, no shell
    stats: dict[str, Any] = json.loads((job / "stats.json").read_bytes())
    return stats


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--urls", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    rates: dict[int, list[float]] = {FEW: [], options.urls: []}
    with (
        tempfile.TemporaryDirectory() as name,
        SiteProcess(SiteSpec(pages=options.urls, hosts=100, page_size=3_000, links=10)) as site,
    ):
        urls = list(site.truth.reachable())
        for number in range(options.repeats):
            for count, done in rates.items():
                stats = crawl(site.seeds, Path(name) / f"{count}-{number}", urls[:: len(urls) // count][:count])
                done.append(stats["pages_per_second"])
                loop_ms = 1e3 * stats["use"]["loop"] * stats["seconds"] / stats["pages"]
                print(
                    f"{count:>9,} queued: {done[-1]:,.0f} pages/s, {loop_ms:.3f} ms of the loop a page,"
                    f" {stats['peak_rss_mb']:.0f} MB",
                    flush=True,
                )
    ratios = sorted(many / few for few, many in zip(*rates.values(), strict=True))
    print(
        f"with {options.urls:,} queued {statistics.median(ratios):.0%} of the rate"
        f" ({ratios[0]:.0%} to {ratios[-1]:.0%} in pairs)"
    )


if __name__ == "__main__":
    main()
