"""Where a fetched page is parsed: with a real frontier and a real stage, on a loop that says that it is busy."""

import itertools
import time
from collections.abc import Callable

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


async def finish(room: Callable[[], bool]) -> tuple[Record, int]:
    """Return the record of a page that has come, and how many URLs are known then."""
    settings, frontier = FetchSettings("tests"), SqliteFrontier(None, FrontierSettings(per_host=1, delay=0.0))
    await frontier.open()
    request = CrawlRequest(URL, "example.test")
    try:
        async with CpuStage(Plan(), StageSettings("threads", workers=1)) as stage, AioFetcher(settings, Guard()) as web:
            tools = Tools(
                frontier,
                web,
                RobotsCache(web, RobotsPolicy("tests"), time.monotonic),
                Scope(ScopeRules(), [URL]),
                stage,
                Placement(1_000, room, busy_loop()),
                RetryPolicy(),
                Metrics(),
                Traps(TrapRules(), {}),
                original_of=None,
            )
            fetched = Fetched(request, URL, 200, {"content-type": "text/html"}, PAGE, 0.0, 0.0, len(PAGE))
            record = await Visit(tools, RULES).finish(fetched)
        return record, frontier.counts().known
    finally:
        await frontier.aclose()


@pytest.mark.parametrize(
    ("room", "by_worker"),
    [((True,), True), ((False, False), False), ((False, True), True)],
    ids=["there is room when it comes", "there is none", "there is room when it has its turn on the loop"],
)
async def test_a_page_goes_to_a_worker_with_room_until_the_loop_begins_it(
    room: tuple[bool, ...], by_worker: bool
) -> None:
    record, known = await finish(iter(room).__next__)
    assert (record.analysis is not None) is by_worker
    assert record.outcome is Outcome.OK
    assert record.page is not None
    assert record.page.title == "T"
    assert known == 1, "its link is queued"
