"""The cache of robots.txt answers, against a real server, on a clock that the tests turn."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from crawler.robots import Allowed, Disallowed, GivenUp, RobotsCache, RobotsPolicy, Unavailable
from crawler.types import BodyRule, CrawlRequest, ErrorKind, Failed, Fetched

RULES = "User-agent: foobot\nDisallow: /private/\nCrawl-delay: 7\nSitemap: http://example.com/map.xml\n"
Reply = Callable[[], Awaitable[web.Response]]


class PlainFetcher:
    """The protocol's contract on a bare client session."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def fetch(self, request: CrawlRequest, rule: BodyRule) -> Fetched | Failed:
        assert rule.truncate
        try:
            async with self._session.get(request.target, allow_redirects=False) as response:
                body = (await response.read())[: rule.max_bytes] if 200 <= response.status < 300 else None
                headers = {name.lower(): value for name, value in response.headers.items()}
                return Fetched(request, request.target, response.status, headers, body, 0.0, 0.0, 0)
        except aiohttp.ClientError as error:
            return Failed(request, ErrorKind.CONNECT, str(error))

    async def aclose(self) -> None:
        await self._session.close()


@dataclass
class Site:
    """A server whose answers the test sets by path; it counts what it was asked."""

    replies: dict[str, Reply] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    base: str = ""

    async def serve(self, request: web.Request) -> web.Response:
        self.asked[request.path] += 1
        reply = self.replies.get(request.path)
        return web.Response(status=404) if reply is None else await reply()

    def page(self, path: str = "/page") -> str:
        return f"{self.base}{path}"

    def says(self, text: str | bytes = "", status: int = 200, path: str = "/robots.txt", **headers: str) -> None:
        body = text if isinstance(text, bytes) else text.encode()
        set_headers = {name.title(): value for name, value in headers.items()}

        async def reply() -> web.Response:
            return web.Response(body=body, status=status, headers=set_headers)

        self.replies[path] = reply


@dataclass
class Clock:
    time: float = 1000.0

    def __call__(self) -> float:
        return self.time


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[Site]:
    site = Site()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", site.serve)
    async with TestServer(app, host="127.0.0.1") as server:
        site.base = f"http://127.0.0.1:{server.port}"
        yield site


@contextlib.asynccontextmanager
async def asking(clock: Clock | None = None, **policy: Any) -> AsyncIterator[RobotsCache]:
    async with aiohttp.ClientSession() as session:
        rules = RobotsPolicy(**{"agent": "foobot", **policy})
        yield RobotsCache(PlainFetcher(session), rules, clock or Clock())


async def test_rules_are_asked_for_once_and_then_decide() -> None:
    async with serving() as site, asking() as robots:
        site.says(RULES)
        assert not robots.known(site.page())
        assert robots.decide(site.page()) == Unavailable(0.0)
        await robots.load(site.page())
        await robots.load(site.page("/private/x"))
        assert robots.known(site.page("/any"))
        assert robots.decide(site.page("/private/x?y")) == Disallowed()
        assert robots.decide(site.page("/public")) == Allowed()
        assert robots.decide(site.page("/robots.txt")) == Allowed()
        assert robots.crawl_delay(site.page()) == 7.0
        assert robots.sitemaps(site.page()) == ("http://example.com/map.xml",)
        assert site.asked == {"/robots.txt": 1}


@pytest.mark.parametrize("agent", ["foobot", "FooBot/1.0 (+http://example.com/bot)", "FOOBOT 1.0"])
async def test_groups_are_chosen_by_the_product_token_of_the_user_agent(agent: str) -> None:
    async with serving() as site, asking(agent=agent) as robots:
        site.says("User-agent: *\nDisallow: /\n\nUser-agent: foobot\nDisallow: /private/")
        await robots.load(site.page())
        assert robots.decide(site.page()) == Allowed()
        assert robots.decide(site.page("/private/")) == Disallowed()


async def test_origins_have_rules_of_their_own() -> None:
    async with serving() as one, serving() as other, asking() as robots:
        one.says("User-agent: *\nDisallow: /")
        await robots.load(one.page())
        assert not robots.known(other.page())
        await robots.load(other.page())
        assert robots.decide(one.page()) == Disallowed()
        assert robots.decide(other.page()) == Allowed()


async def test_many_callers_share_one_fetch() -> None:
    async with serving() as site, asking() as robots:
        arrived, go = asyncio.Event(), asyncio.Event()

        async def reply() -> web.Response:
            arrived.set()
            await go.wait()
            return web.Response(text=RULES)

        site.replies["/robots.txt"] = reply
        callers = [asyncio.create_task(robots.load(site.page(f"/{n}"))) for n in range(20)]
        await arrived.wait()
        go.set()
        await asyncio.gather(*callers)
        assert site.asked == {"/robots.txt": 1}


async def test_a_caller_that_is_cancelled_leaves_the_fetch_to_the_next() -> None:
    async with serving() as site, asking() as robots:
        arrived, never = asyncio.Event(), asyncio.Event()

        async def stuck() -> web.Response:
            arrived.set()
            await never.wait()
            return web.Response()

        site.replies["/robots.txt"] = stuck
        first, second = (asyncio.create_task(robots.load(site.page())) for _ in range(2))
        await arrived.wait()
        site.says(RULES)
        first.cancel()
        await second
        assert first.cancelled()
        assert robots.decide(site.page("/private/")) == Disallowed()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
async def test_a_file_that_is_not_there_allows_everything(status: int) -> None:
    async with serving() as site, asking() as robots:
        site.says("User-agent: *\nDisallow: /", status)
        await robots.load(site.page())
        assert robots.known(site.page())
        assert robots.decide(site.page("/private/")) == Allowed()
        assert robots.crawl_delay(site.page()) is None
        assert robots.sitemaps(site.page()) == ()


@pytest.mark.parametrize("status", [429, 500, 502, 503, 599])
async def test_a_site_that_cannot_answer_is_asked_again_with_growing_pauses_and_given_up(status: int) -> None:
    clock = Clock()
    async with serving() as site, asking(clock, retry_s=5.0, give_up_after=4, ttl_s=1000.0) as robots:
        site.says("", status)
        for pause in (5.0, 10.0, 20.0):
            await robots.load(site.page())
            assert robots.known(site.page())
            assert robots.decide(site.page()) == Unavailable(pause)
            clock.time += pause - 1.0
            assert robots.decide(site.page()) == Unavailable(1.0)
            clock.time += 1.0
            assert not robots.known(site.page())
        await robots.load(site.page())
        assert robots.decide(site.page()) == GivenUp()
        assert robots.known(site.page())
        assert site.asked == {"/robots.txt": 4}
        clock.time += 1000.0
        site.says(RULES)
        await robots.load(site.page())
        assert robots.decide(site.page()) == Allowed()


async def test_pauses_grow_to_300_seconds() -> None:
    clock = Clock()
    async with serving() as site, asking(clock, retry_s=100.0, give_up_after=100) as robots:
        site.says("", 500)
        for pause in (100.0, 200.0, 300.0, 300.0):
            await robots.load(site.page())
            assert robots.decide(site.page()) == Unavailable(pause)
            clock.time += pause


async def test_a_site_that_is_not_there_cannot_answer() -> None:
    async with serving() as site:
        gone = site.page()
    async with asking(retry_s=3.0) as robots:
        await robots.load(gone)
        assert robots.decide(gone) == Unavailable(3.0)


async def test_an_answer_is_good_for_its_time_and_longer_while_the_site_cannot_answer() -> None:
    clock = Clock()
    async with serving() as site, asking(clock, ttl_s=100.0) as robots:
        site.says(RULES)
        await robots.load(site.page())
        clock.time += 99.0
        assert robots.known(site.page())
        clock.time += 1.0
        assert not robots.known(site.page())
        site.says("", 503)
        for _ in range(5):
            await robots.load(site.page())
            assert robots.known(site.page())
            assert robots.decide(site.page("/private/")) == Disallowed()
            assert robots.decide(site.page()) == Allowed()
            clock.time += 100.0
        site.says("")
        await robots.load(site.page())
        assert robots.decide(site.page("/private/")) == Allowed()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_followed_and_the_rules_are_those_of_the_first_site(status: int) -> None:
    async with serving() as site, serving() as other, asking() as robots:
        site.says(status=status, location="/first")
        site.says(status=status, path="/first", location=other.page("/second?x#y"))
        other.says(RULES, path="/second")
        await robots.load(site.page())
        assert robots.decide(site.page("/private/")) == Disallowed()
        assert not robots.known(other.page())


async def test_five_hops_are_followed_and_no_more() -> None:
    async with serving() as site, asking() as robots:
        site.says(status=301, location="/1")
        for hop in range(1, 5):
            site.says(status=301, path=f"/{hop}", location=f"/{hop + 1}")
        site.says(RULES, path="/5")
        await robots.load(site.page())
        assert robots.decide(site.page("/private/")) == Disallowed()
    async with serving() as site, asking() as robots:
        site.says(status=301, location="/robots.txt")
        await robots.load(site.page())
        assert robots.decide(site.page("/private/")) == Allowed()
        assert site.asked == {"/robots.txt": 6}


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (302, {}),
        (302, {"location": "mailto:a@example.com"}),
        (302, {"location": "http://["}),
        (302, {"location": "http://a../"}),
        (300, {"location": "/choice"}),
        (304, {}),
    ],
)
async def test_a_redirect_that_leads_nowhere_is_a_file_that_is_not_there(status: int, headers: dict[str, str]) -> None:
    async with serving() as site, asking() as robots:
        site.says("", status, **headers)
        site.says("User-agent: *\nDisallow: /", path="/choice")
        await robots.load(site.page())
        assert robots.decide(site.page()) == Allowed()
        assert site.asked == {"/robots.txt": 1}


async def test_a_redirect_to_a_site_that_cannot_answer_is_no_answer() -> None:
    async with serving() as gone:
        target = gone.page()
    async with serving() as site, asking() as robots:
        site.says(status=301, location=target)
        await robots.load(site.page())
        assert robots.decide(site.page()) == Unavailable(5.0)


async def test_a_large_file_counts_up_to_its_limit() -> None:
    async with serving() as site, asking() as robots:
        site.says(b"User-agent: *\n" + b"Disallow: /a\n" * 38_000 + b"Disallow: /b\n" + b"#" * 2_000_000)
        await robots.load(site.page())
        assert robots.decide(site.page("/a")) == Disallowed()
        assert robots.decide(site.page("/b")) == Disallowed()
        assert robots.decide(site.page("/c")) == Allowed()


async def test_a_crawl_delay_is_bounded() -> None:
    async with serving() as site, asking(max_crawl_delay=2.0) as robots:
        site.says(RULES)
        await robots.load(site.page())
        assert robots.crawl_delay(site.page()) == 2.0


async def test_the_least_recently_used_answers_are_forgotten() -> None:
    async with serving() as a, serving() as b, serving() as c, asking(max_hosts=2) as robots:
        await robots.load(a.page())
        await robots.load(b.page())
        robots.decide(a.page())
        await robots.load(c.page())
        assert [robots.known(site.page()) for site in (a, b, c)] == [True, False, True]


async def test_large_answers_are_forgotten_before_they_fill_the_memory() -> None:
    large = "User-agent: other\n" + "Disallow: /some/long/path" + "/of/a/file" * 45_000
    async with contextlib.AsyncExitStack() as stack:
        robots = await stack.enter_async_context(asking())
        sites = [await stack.enter_async_context(serving()) for _ in range(80)]
        for site in sites:
            site.says(large)
            await robots.load(site.page())
        known = [robots.known(site.page()) for site in sites]
        assert known == sorted(known), "the oldest go first"
        assert 60 < sum(known) < 80


async def test_nothing_is_asked_where_rules_are_not_obeyed() -> None:
    async with serving() as site, asking(obey=False) as robots:
        site.says(RULES)
        assert robots.known(site.page("/private/"))
        await robots.load(site.page("/private/"))
        assert robots.decide(site.page("/private/")) == Allowed()
        assert robots.crawl_delay(site.page()) is None
        assert robots.sitemaps(site.page()) == ()
        assert not site.asked
