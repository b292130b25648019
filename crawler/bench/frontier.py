"""How a frontier grows: ``python -m crawler.bench.frontier``.

It queues URLs as pages would discover them, while a crawl goes on leasing, and prints what a step of growth costs: the
resident memory of the process per known URL, the time per URL, and the rate of leases and commits at that size.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import uvloop

from crawler.frontier.sqlite import FrontierSettings, SqliteFrontier
from crawler.types import CrawlRequest, Done, Outcome

_LINKS = 100  # per page: real ones have about as many
_BATCH = 500  # leases per commit
_PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")


def rss() -> int:
    """Return the resident memory of this process in bytes (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_SIZE


def requests(first: int, last: int, hosts: int) -> Iterator[list[CrawlRequest]]:
    """Yield the links of one page after the other; a URL has some 70 characters."""
    for start in range(first, last, _LINKS):
        yield [
            CrawlRequest(
                f"https://www.host-{n % hosts:05}.example/articles/{n:09}/a-title-of-some-words-{n % 97}.html",
                f"www.host-{n % hosts:05}.example",
                depth=1 + n % 7,
                parent=f"https://www.host-{start % hosts:05}.example/",
            )
            for n in range(start, min(start + _LINKS, last))
        ]


async def crawl(frontier: SqliteFrontier, pages: int) -> float:
    """Lease and commit so many pages without a network; return pages per second."""
    start, done = time.perf_counter(), 0
    while done < pages:
        leased = await frontier.lease(_BATCH)
        for request in leased:
            frontier.fetched(request)
        await frontier.commit([Done(request, Outcome.OK) for request in leased], {"jsonl": done})
        done += len(leased)
    return done / (time.perf_counter() - start)


async def grow(path: Path, sizes: list[int], hosts: int, pages: int) -> None:
    """Print one line for each size."""
    frontier = SqliteFrontier(path, FrontierSettings(per_host=64, delay=0.0))
    await frontier.open()
    print(f"{'URLs':>10} {'RSS MB':>8} {'bytes/URL':>10} {'us/add':>8} {'crawl/s':>9}")
    known, base = 0, rss()
    for size in sizes:
        start = time.perf_counter()
        for links in requests(known, size, hosts):
            await frontier.add(links)
        await frontier.commit([], {})
        cost = (time.perf_counter() - start) / (size - known) * 1e6
        known, memory = size, rss()
        rate = await crawl(frontier, pages)
        print(f"{size:>10,} {memory / 2**20:>8.1f} {(memory - base) / size:>10.1f} {cost:>8.2f} {rate:>9,.0f}")
    await frontier.aclose()


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--pages", type=int, default=5_000, help="crawled at each size")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        uvloop.run(grow(Path(folder) / "job.db", options.sizes, options.hosts, options.pages))


if __name__ == "__main__":
    main()
