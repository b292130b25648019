"""What the server counts, with manners planted that it has to notice."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import orjson

from crawler.bench.site import AuditReport, Kind, Site, SiteSpec, serve
from tests.bench.talk import Talk, ask, get

SPEC = SiteSpec(pages=60, hosts=2, page_size=6_000)


async def until(condition: Callable[[], bool]) -> None:
    """Let the server run until it has seen something."""
    while not condition():  # noqa: ASYNC110 - the server has no event for it, and needs none
        await asyncio.sleep(0)


def first(site: Site, kind: Kind) -> str:
    return next(r.url for r in site.truth.resources() if r.kind is kind)


async def test_hits_bytes_and_user_agents_are_counted() -> None:
    async with serve(SPEC) as site:
        url, other = site.seeds
        async with await Talk.to(url) as talk:
            replies = [await talk.ask(get(url, "User-Agent: one")) for _ in range(3)]
        await ask(other, "user-agent: two")
        await ask(f"{url}nowhere?x=1")
        audit = site.audit()
    assert audit.hits == {url: 3, other: 1, f"{url}nowhere?x=1": 1}
    assert audit.requests == 5
    assert audit.user_agents == {"one": 3, "two": 1, "": 1}
    assert audit.strays == {f"{url}nowhere?x=1": 1}
    assert sum(host.requests for host in audit.hosts.values()) == 5
    assert sum(host.bytes_sent for host in audit.hosts.values()) == audit.bytes_sent
    assert audit.hosts[site.base_urls[1]].requests == 1
    assert 4 * len(replies[0].body) < audit.bytes_sent < 4 * len(replies[0].body) + 2_000


async def test_hits_before_robots_was_answered() -> None:
    async with serve(replace(SPEC, latency="constant:0.01")) as site:
        robots = f"{site.base_urls[0]}/robots.txt"
        await ask(site.seeds[0])
        await asyncio.gather(ask(robots), ask(site.seeds[0]))
        await ask(robots)
        await ask(site.seeds[0])
        host, other = site.audit().hosts.values()
    assert (host.robots_fetches, host.before_robots) == (2, 2)
    assert (other.robots_fetches, other.before_robots) == (0, 0)


async def test_violations_of_robots() -> None:
    async with serve(replace(SPEC, forbidden=0.05)) as site:
        forbidden = first(site, Kind.FORBIDDEN)
        for url in (f"{site.base_urls[0]}/robots.txt", site.seeds[0], forbidden, forbidden):
            await ask(url)
        assert site.audit().violations == {forbidden: 2}


async def test_where_robots_is_broken_everything_but_it_is_forbidden() -> None:
    async with serve(replace(SPEC, robots_status=500)) as site:
        for url in (f"{site.base_urls[0]}/robots.txt", site.seeds[0]):
            await ask(url)
        assert site.audit().violations == {site.seeds[0]: 1}


async def test_hits_before_retry_after_is_over() -> None:
    for as_date in (False, True):
        spec = replace(SPEC, unavailable=0.05, unavailable_hits=2, retry_after=60, retry_after_date=as_date)
        async with serve(spec) as site:
            url = first(site, Kind.UNAVAILABLE)
            for _ in range(4):
                await ask(url)
            assert site.audit().early == {url: 3}


async def test_no_hit_is_early_where_there_is_nothing_to_wait_for() -> None:
    async with serve(replace(SPEC, unavailable=0.05, retry_after=0)) as site:
        url = first(site, Kind.UNAVAILABLE)
        await ask(url)
        await ask(url)
        assert site.audit().early == {}


async def test_concurrency_and_connections() -> None:
    async with serve(replace(SPEC, latency="constant:600")) as site:
        talks = [await Talk.to(seed) for seed in (*site.seeds[:1] * 5, *site.seeds[1:] * 2)]
        for talk in talks:
            talk.writer.write(get(site.seeds[0]) * 3)  # pipelined: one at a time is being answered
        await until(lambda: site.audit().requests == 7)
        for talk in talks:
            talk.writer.close()
        await until(lambda: not site.web.open)
        host, other = site.audit().hosts.values()
        assert (host.peak_concurrency, other.peak_concurrency) == (5, 2)
        assert (host.connections, host.peak_connections, other.peak_connections) == (5, 5, 2)
        assert site.audit().peak_connections == 7
        async with await Talk.to(site.seeds[0]) as talk:
            talk.writer.write(get(site.seeds[0]))
            await until(lambda: site.audit().requests == 8)
        host = site.audit().hosts[site.base_urls[0]]
        assert (host.connections, host.peak_connections, host.peak_concurrency) == (6, 5, 5)


async def test_the_smallest_gap_is_between_starts_of_requests() -> None:
    loop = asyncio.get_running_loop()
    async with serve(SPEC) as site:
        url, other = site.seeds
        starts = []
        for wait in (0.1, 0.03, 0.1):
            starts.append(loop.time())
            await ask(url)
            await ask(f"{site.base_urls[0]}/robots.txt")
            await asyncio.sleep(wait)
        starts.append(loop.time())
        await ask(url)
        await ask(other)
        host, alone = site.audit().hosts.values()
    assert host.min_gap_s is not None
    assert host.min_page_gap_s is not None
    assert 0 < host.min_gap_s < host.min_page_gap_s <= starts[-1] - starts[0]
    assert host.min_page_gap_s >= 0.025
    assert alone.min_gap_s is None


async def test_the_audit_is_served_by_every_host_and_not_counted() -> None:
    async with serve(replace(SPEC, latency="constant:0.001")) as site:
        for url in (site.seeds[0], f"{site.base_urls[1]}/robots.txt", f"{site.base_urls[1]}/x"):
            await ask(url)
        reports = [AuditReport.from_json((await ask(f"{base}/__audit__")).body) for base in site.base_urls]
        raw = orjson.loads((await ask(f"{site.base_urls[0]}/__audit__")).body)
        assert reports == [site.audit(), site.audit()]
    assert raw["hits"][site.seeds[0]] == 1
    assert raw["hosts"][site.base_urls[1]]["before_robots"] == 0
    assert raw["connections"] == 3


async def test_reset_starts_anew_and_keeps_what_is_open() -> None:
    async with serve(replace(SPEC, unavailable=0.05, retry_after=60)) as site:
        url = first(site, Kind.UNAVAILABLE)
        async with await Talk.to(url) as talk:
            assert [(await talk.ask(get(url))).status for _ in range(2)] == [503, 200]
            assert (await talk.ask(get(f"{site.base_urls[0]}/__reset__"))).status == 405
            assert site.audit().requests == 2
            assert (await talk.ask(get(f"{site.base_urls[0]}/__reset__", method="POST"))).status == 200
            empty = site.audit()
            assert (await talk.ask(get(url))).status == 503
            again = site.audit()
    assert (empty.requests, empty.hits, empty.early, empty.user_agents) == (0, {}, {}, {})
    assert (empty.connections, empty.peak_connections) == (0, 1)
    assert (again.requests, again.hits, again.early) == (1, {url: 1}, {})
