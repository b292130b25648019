"""What the synthetic web serves, over real sockets."""

import asyncio
import gzip
import math
import time
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree as ET

import pytest

from crawler.bench.site import Kind, Resource, Site, SiteSpec, serve
from crawler.bench.site.latency import Latency
from crawler.errors import ConfigError
from tests.bench.talk import Talk, ask, get

SPEC = SiteSpec(pages=60, hosts=2, page_size=6_000)


def of_kind(site: Site, kind: Kind) -> list[Resource]:
    return [resource for resource in site.truth.resources() if resource.kind is kind and resource.hop == 0]


async def bodies(spec: SiteSpec) -> dict[str, bytes]:
    """All pages by host and path, with the hosts' names taken out."""
    async with serve(spec) as site:
        names = {base.encode(): f"http://host{i}".encode() for i, base in enumerate(site.base_urls)}
        found = {}
        for url in site.truth.urls():
            body = (await ask(url)).body
            for base, name in names.items():
                body = body.replace(base, name)
            found[f"{site.truth[url].host} {urlsplit(url).path}"] = body.replace(b" ", b"")
        return found


async def test_equal_seeds_give_equal_webs_and_other_seeds_other_ones() -> None:
    first, again, other = [await bodies(replace(SPEC, seed=seed)) for seed in (7, 7, 8)]
    assert first == again
    assert first.keys() != other.keys()
    assert not set(first.values()) & set(other.values())


@pytest.mark.parametrize("size", [20_000, (6_000, 30_000)])
async def test_pages_have_the_size_that_was_asked_for(size: int | tuple[int, int]) -> None:
    async with serve(replace(SPEC, page_size=size)) as site:
        sizes = [len((await ask(url)).body) for url in site.truth.urls()]
    if isinstance(size, int):
        assert set(sizes) == {size}
    else:
        assert size[0] <= min(sizes) < max(sizes) <= size[1]
        assert len(set(sizes)) > 30


async def test_links_are_as_many_as_asked_and_cross_hosts() -> None:
    async with serve(replace(SPEC, pages=400, links=10)) as site:
        links = {url: site.truth.links(url) for url in site.truth.urls()}
    assert all(8 <= len(found) <= 10 for found in links.values())
    crossing = [u for url, found in links.items() for u in found if site.truth[u].host != site.truth[url].host]
    assert crossing


async def test_gzip_is_served_where_it_is_accepted_and_says_the_same() -> None:
    async with serve(replace(SPEC, compress=True, page_size=150_000)) as site:
        url = site.seeds[1]
        plain = await ask(url)
        packed = await ask(url, "Accept-Encoding: br, GZIP;q=0.5")
        refused = await ask(url, "Accept-Encoding: gzip;q=0, identity")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body == refused.body
    assert len(packed.body) < 0.8 * len(plain.body)
    assert not {"content-encoding"} & (plain.headers.keys() | refused.headers.keys())


async def test_loopback_addresses_share_one_port() -> None:
    async with serve(replace(SPEC, hosts=3, addresses="loopback")) as site:
        parts = [urlsplit(base) for base in site.base_urls]
        statuses = [(await ask(seed)).status for seed in site.seeds]
    assert [part.hostname for part in parts] == ["127.0.0.2", "127.0.0.3", "127.0.0.4"]
    assert len({part.port for part in parts}) == 1
    assert statuses == [200, 200, 200]


async def test_a_page_of_one_host_is_unknown_to_another() -> None:
    async with serve(SPEC) as site:
        page = of_kind(site, Kind.PAGE)[-1]
        elsewhere = site.base_urls[1 - page.host] + urlsplit(page.url).path
        assert (await ask(page.url)).status == 200
        assert (await ask(elsewhere)).status == 404


async def test_errors() -> None:
    async with serve(replace(SPEC, not_found=0.1, server_error=0.1)) as site:
        missing = [(await ask(r.url)).status for r in of_kind(site, Kind.NOT_FOUND)]
        broken = [(await ask(r.url)).status for r in of_kind(site, Kind.SERVER_ERROR) for _ in range(3)]
    assert missing == [404] * 6
    assert broken == [500] * 18


async def test_resets_once_and_always() -> None:
    async with serve(replace(SPEC, reset_once=0.05, reset_always=0.05)) as site:
        for resource in of_kind(site, Kind.RESET_ONCE) + of_kind(site, Kind.RESET_ALWAYS):
            with pytest.raises(ConnectionResetError):
                await ask(resource.url)
        for resource in of_kind(site, Kind.RESET_ONCE):
            assert (await ask(resource.url)).status == 200
        for resource in of_kind(site, Kind.RESET_ALWAYS):
            with pytest.raises(ConnectionResetError):
                await ask(resource.url)


async def test_retry_after_in_seconds() -> None:
    async with serve(replace(SPEC, unavailable=0.05, unavailable_hits=2, retry_after=7)) as site:
        url = of_kind(site, Kind.UNAVAILABLE)[0].url
        replies = [await ask(url) for _ in range(3)]
    assert [reply.status for reply in replies] == [503, 503, 200]
    assert [reply.headers.get("retry-after") for reply in replies] == ["7", "7", None]


async def test_retry_after_as_a_date() -> None:
    async with serve(replace(SPEC, unavailable=0.05, retry_after=3600, retry_after_date=True)) as site:
        before = time.time()
        reply = await ask(of_kind(site, Kind.UNAVAILABLE)[0].url)
        after = time.time()
    moment = parsedate_to_datetime(reply.headers["retry-after"])
    assert reply.status == 503
    assert reply.headers["retry-after"].endswith(" GMT")
    assert math.floor(before) + 3600 <= moment.timestamp() <= math.floor(after) + 3600
    assert moment > datetime.now(UTC)


async def test_redirects_chains_and_loops() -> None:
    spec = replace(SPEC, pages=120, redirect=0.1, redirect_chain=0.1, redirect_loop=0.05, chain_length=4)
    async with serve(spec) as site:
        statuses = set()
        for resource in of_kind(site, Kind.REDIRECT):
            reply = await ask(resource.url)
            statuses.add(reply.status)
            target = urljoin(resource.url, reply.headers["location"])
            assert target == resource.target
            assert site.truth[target].kind is Kind.PAGE
        assert statuses == {301, 302, 303, 307, 308}
        for kind, end in ((Kind.REDIRECT_CHAIN, 200), (Kind.REDIRECT_LOOP, None)):
            for resource in of_kind(site, kind):
                url, hops = resource.url, 0
                while "location" in (reply := await ask(url)).headers and (hops == 0 or url != resource.url):
                    url, hops = urljoin(url, reply.headers["location"]), hops + 1
                assert hops == 4
                assert (reply.status if end else None) == end == resource.status
                assert (url == resource.url) is (end is None)


async def test_robots_and_sitemap_say_what_the_truth_says() -> None:
    async with serve(replace(SPEC, pages=200, forbidden=0.1, orphan=0.05, crawl_delay=0.5)) as site:
        robots = (await ask(f"{site.base_urls[1]}/robots.txt")).body.decode()
        sitemap = (await ask(f"{site.base_urls[1]}/sitemap.xml")).body
    assert "\nCrawl-delay: 0.5\n" in robots
    assert f"\nSitemap: {site.base_urls[1]}/sitemap.xml\n" in robots
    listed = {element.text for element in ET.fromstring(sitemap).iter() if element.tag.endswith("loc")}
    kinds = {Kind.PAGE, Kind.ORPHAN}
    assert listed == {r.url for r in site.truth.resources() if r.kind in kinds and r.host == 1}
    paths = [urlsplit(r.url) for r in of_kind(site, Kind.FORBIDDEN)]
    assert {path.path.startswith("/private/") for path in paths} == {True, False}
    allowed = [r for r in of_kind(site, Kind.PAGE) if "/private/" in r.url]
    assert allowed
    assert not any(r.forbidden for r in allowed)


async def test_no_sitemap_where_none_is_wanted() -> None:
    async with serve(replace(SPEC, sitemap=False)) as site:
        assert b"Sitemap" not in (await ask(f"{site.base_urls[0]}/robots.txt")).body
        assert (await ask(f"{site.base_urls[0]}/sitemap.xml")).status == 404


async def test_an_asset_need_not_be_downloaded_whole() -> None:
    size = 64 * 1024 * 1024
    async with serve(replace(SPEC, asset=0.1, asset_size=size)) as site:
        asset = of_kind(site, Kind.ASSET)[0]
        async with await Talk.to(asset.url) as talk:
            reply = await talk.ask(get(asset.url), head_only=True)
        sent = site.audit().bytes_sent
        whole = await ask(asset.url)
    assert reply.headers["content-type"] == asset.content_type
    assert int(reply.headers["content-length"]) == size == len(whole.body)
    assert whole.body.startswith(b"%PDF" if asset.content_type == "application/pdf" else b"\x89PNG")
    assert sent < size / 2


async def test_nofollow_links_are_marked_and_alone() -> None:
    async with serve(replace(SPEC, nofollow=0.1)) as site:
        marked = {resource.url for resource in of_kind(site, Kind.NOFOLLOW)}
        for url in site.truth.urls():
            body = (await ask(url)).body.decode()
            for link, nofollow in site.truth.links(url).items():
                path = urlsplit(link).path
                assert nofollow is (link in marked)
                assert (f'{path}" rel="nofollow"' in body or f'{path}#about" rel="nofollow"' in body) is nofollow


async def test_latency_decides_the_order_of_answers() -> None:
    async with serve(replace(SPEC, latency="uniform:0,1")) as site:
        resources = sorted(site.truth.resources(), key=lambda resource: resource.latency_s)
        slow, middle, fast = resources[-1].url, resources[30].url, resources[0].url
        done: list[str] = []

        async def visit(url: str) -> None:
            await ask(url)
            done.append(url)

        await asyncio.gather(*map(visit, (slow, middle, fast)))
    assert done == [fast, middle, slow]


async def test_pipelined_requests_are_answered_in_order() -> None:
    async with serve(replace(SPEC, latency="uniform:0,0.1")) as site:
        resources = sorted((r for r in site.truth.resources() if r.host == 0), key=lambda r: -r.latency_s)
        urls = [resources[0].url, resources[-1].url, f"{site.base_urls[0]}/nowhere", resources[1].url]
        async with await Talk.to(urls[0]) as talk:
            for request in map(get, urls):  # also torn to pieces
                talk.writer.write(request[:10])
                await talk.writer.drain()
                talk.writer.write(request[10:])
            replies = [await talk.reply() for _ in urls]
        expected = [await ask(url) for url in urls]
    assert replies == expected
    assert [reply.status for reply in replies] == [200, 200, 404, 200]


async def test_http_basics() -> None:
    async with serve(SPEC) as site:
        url = site.seeds[0]
        page = await ask(url)
        head = await ask(url, method="HEAD")
        assert (head.status, head.headers, head.body) == (200, page.headers, b"")
        assert (await ask(url, "Content-Length: 0", method="POST")).status == 405
        async with await Talk.to(url) as talk:
            posted = await talk.ask(get(url, "content-length: 3", method="POST") + b"abc")
            assert (posted.status, posted.headers["allow"]) == (405, "GET, HEAD")
            absolute = await talk.ask(b"\r\n" + get(url).replace(b"GET /", f"GET {url}".encode()))
            assert absolute.body == page.body
            last = await talk.ask(get(url, "Connection: close"))
            assert last.headers["connection"] == "close"
            assert await talk.at_end()
        async with await Talk.to(url) as talk:
            assert (await talk.ask(get(url).replace(b"1.1", b"1.0"))).status == 200
            assert await talk.at_end()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"hello\r\n\r\n", 400),
        (b"GET / SPDY/3\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000, 431),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 501),
    ],
)
async def test_what_is_no_request_ends_the_connection(data: bytes, status: int) -> None:
    async with serve(SPEC) as site, await Talk.to(site.seeds[0]) as talk:
        assert (await talk.ask(data)).status == status
        assert await talk.at_end()


@pytest.mark.parametrize(
    "text", ["", "fast", "constant", "constant:x", "constant:-1", "uniform:1", "uniform:1,2,3", "lognormal:nan,1"]
)
def test_a_latency_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="latency"):
        SiteSpec(latency=text)


def test_latency_distributions_have_their_moments() -> None:
    assert Latency.parse("constant:0.1").quantiles[::4095] == (0.1, 0.1)
    uniform = Latency.parse("uniform:0.1,0.3")
    assert uniform.mean == pytest.approx(0.2)
    assert 0.1 <= min(uniform.quantiles) < max(uniform.quantiles) <= 0.3
    tailed = Latency.parse("lognormal:0.1,0.6")
    assert tailed.mean == pytest.approx(0.1 * math.exp(0.6**2 / 2), rel=0.01)
    assert tailed.at(2048) == pytest.approx(0.1, rel=0.001)
    assert tailed.quantiles[int(4096 * 0.99)] > 0.4


@pytest.mark.parametrize(
    "changes",
    [
        {"hosts": 0},
        {"hosts": 300},
        {"links": 2},
        {"page_size": (5, 4)},
        {"languages": ("en", "tlh")},
        {"forbidden": 1.5},
        {"asset": 0.6, "orphan": 0.6},
        {"chain_length": 1},
        {"retry_after": -1},
        {"robots_status": 99},
    ],
    ids=str,
)
def test_a_spec_that_makes_no_sense_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="synthetic web"):
        replace(SPEC, addresses="loopback" if changes.get("hosts") == 300 else "ports", **changes)


def test_a_spec_survives_the_way_to_another_process() -> None:
    spec = replace(SPEC, page_size=(5_000, 9_000), languages=("de", "ja"), crawl_delay=0.5)
    assert SiteSpec.from_json(spec.to_json()) == spec
