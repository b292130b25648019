"""A stream of pages of which five in a hundred are malign, each in another way.

``CHAOS_PAGES=2000`` makes it as long as the crawl that it stands for; the suite runs a short one.
"""

import asyncio
import os
import random
from collections import Counter

from cpu_stage.stage import CpuStage, StageSettings
from cpu_stage.types import Page
from cpu_stage.worker import Processed
from tests.contract.executor_suite import PLAN, page
from tests.processes import descendants, fork_servers

COUNT = int(os.environ.get("CHAOS_PAGES", "400"))
WIDTH = 2
IN_FLIGHT = 200
MALIGN = {
    "hang": "timeout",
    "_exit": "crash",
    "segfault": "crash",
    "allocate": "memory",
    "unpicklable": "exception",
}
SETTINGS = StageSettings("processes", WIDTH, page_timeout=3.0, page_memory=16 * 2**20)


def stream() -> list[Page]:
    """One page in a hundred of each kind; the others are good."""
    titles = [title for title in MALIGN for _ in range(COUNT // 100)]
    titles += ["good"] * (COUNT - len(titles))
    random.Random(2026).shuffle(titles)
    return [page(f"{title} {n}") for n, title in enumerate(titles)]


async def process(items: list[Page]) -> tuple[list[Processed], int]:
    """Process the pages as a crawl does: bounded in flight, results as they come."""
    room = asyncio.Semaphore(IN_FLIGHT)
    results = []

    async def visit(item: Page) -> None:
        async with room:
            results.append(await stage.submit(item))

    async with CpuStage(PLAN, SETTINGS) as stage:
        await asyncio.gather(*map(visit, items))
        await stage.warm()
        workers = stage.counts().workers
    return results, workers


def test_every_good_page_is_analysed_once_and_every_bad_one_says_what_it_did() -> None:
    items = stream()
    results, workers = asyncio.run(process(items))
    by_url = {r.analysis.url: r.analysis for r in results}
    assert len(results) == len(by_url) == COUNT
    for each in items:
        kind, analysis = MALIGN.get((each.title or "").split()[0]), by_url[each.url]
        assert {name: str(error.kind) for name, error in analysis.errors.items()} == (
            {"misbehave": kind} if kind else {}
        )
        assert list(analysis.values) == (["length"] if kind else ["length", "misbehave"])
    assert Counter(bool(a.errors) for a in by_url.values())[True] == 5 * (COUNT // 100)
    assert workers == WIDTH
    assert [pid for server in fork_servers() for pid in descendants(server)] == []
