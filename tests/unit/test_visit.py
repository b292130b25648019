"""Where a fetched page is parsed: with a real frontier and a real stage, on a loop that says that it is busy."""

import asyncio
import itertools
import time

import pytest

from cpu_stage.parse import ParseOptions
from cpu_stage.stage import CpuStage, StageSettings
from cpu_stage.worker import Plan
from crawler.exchange import FetchSettings
from crawler.fetch.aio import AioFetcher
from crawler.frontier.sqlite import FrontierSettings, SqliteFrontier
from crawler.guard import Guard
from crawler.metrics import Metrics
from crawler.placement import LoopLoad, Placement
from crawler.politeness import RetryPolicy
from crawler.robots import RobotsCache, RobotsPolicy
from crawler.scope import Scope, ScopeRules
from crawler.traps import TrapRules, Traps
from crawler.types import BodyRule, CrawlRequest, Fetched, Outcome, Record
from crawler.visit import Tools, Visit, VisitRules

URL = "http://example.test/"
PAGE = b"<title>T</title><a href=/next>next</a>"
RULES = VisitRules(
    BodyRule(frozenset({"text/html"}), 1_000_000),
    ParseOptions(),
    analyse=False,
    max_redirects=5,
    delay=0.0,
    obey_robots=True,
    follow_nofollow=False,
    sitemaps=False,
)


def busy_loop() -> LoopLoad:
    """A loop that takes all of a core: each second of the clock is one of its own."""
    return LoopLoad(clock=map(float, itertools.count()).__next__, cpu=map(float, itertools.count()).__next__)


async def finish(*room: int) -> list[Record]:
    """Return the records of two pages that come at once; ``room`` is what the workers have, each time it is asked."""
    settings, frontier = FetchSettings("tests"), SqliteFrontier(None, FrontierSettings(per_host=1, delay=0.0))
    await frontier.open()
    answers, found = itertools.chain(room, itertools.repeat(0)), list[int]()
    try:
        async with CpuStage(Plan(), StageSettings("threads", workers=1)) as stage, AioFetcher(settings, Guard()) as web:
            tools = Tools(
                frontier,
                web,
                RobotsCache(web, RobotsPolicy("tests"), time.monotonic),
                Scope(ScopeRules(), [URL]),
                stage,
                Placement(1_000, answers.__next__, busy_loop()),
                RetryPolicy(),
                Metrics(),
                Traps(TrapRules(), {}),
                original_of=None,
            )
            visit = Visit(tools, RULES)
            visit.queued = lambda: found.append(1)
            pages = [
                Fetched(CrawlRequest(url, "example.test"), url, 200, {"content-type": "text/html"}, body, 0.0, 0.0, 1)
                for url, body in ((URL, PAGE), (f"{URL}other", PAGE.replace(b"next", b"more")))
            ]
            records = await asyncio.gather(*(visit.finish(page) for page in pages))
        assert frontier.counts().known == 2, "their links are queued"
        assert len(found) == 2, "which is told"
        return records
    finally:
        await frontier.aclose()


@pytest.mark.parametrize(
    ("room", "by_worker"),
    [((1, 1), [True, True]), ((), [False, False]), ((0, 1), [False, True]), ((0, 0, 1), [False, True])],
    ids=["there is room when they come", "there is none", "there is for the second", "there is while the second waits"],
)
async def test_a_page_goes_to_a_worker_with_room_until_the_loop_begins_it(
    room: tuple[int, ...], by_worker: list[bool]
) -> None:
    records = await finish(*room)
    assert [record.analysis is not None for record in records] == by_worker
    assert [record.outcome for record in records] == [Outcome.OK, Outcome.OK]
    assert [record.page.title for record in records if record.page] == ["T", "T"]
