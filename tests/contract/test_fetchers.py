"""The fetcher suite, bound to each backend; and that they say the same of the same failure."""

import gzip

import pytest

from crawler.exchange import FetchSettings
from crawler.fetch.aio import AioFetcher
from crawler.fetch.threads import ThreadsFetcher
from crawler.guard import Guard
from crawler.protocols import Fetcher
from crawler.types import CrawlRequest, Failed
from tests.contract.fetcher_suite import HTML, PAGE, FetcherSuite, script, server
from tests.wire import Script, WireServer, response

__all__ = ["server"]  # the suite's fixture


class TestAioFetcher(FetcherSuite):
    def make(self, settings: FetchSettings, guard: Guard) -> Fetcher:
        return AioFetcher(settings, guard)


class TestThreadsFetcher(FetcherSuite):
    def make(self, settings: FetchSettings, guard: Guard) -> Fetcher:
        return ThreadsFetcher(settings, guard)


FAILURES: dict[str, tuple[str, bytes | Script]] = {
    "no name": ("http://a..b/", b""),
    "refused": ("http://127.0.0.1:1/", b""),
    "private": ("http://127.0.0.2/", b""),
    "no TLS": ("https://127.0.0.1:{port}/", b""),
    "closed": ("http://127.0.0.1:{port}/", script("close")),
    "closed in the body": ("http://127.0.0.1:{port}/", script(response(content_length="9"), "close")),
    "truncated gzip": (
        "http://127.0.0.1:{port}/",
        response(gzip.compress(PAGE)[:-9], content_encoding="gzip"),
    ),
    "large": ("http://127.0.0.1:{port}/", response(content_length="9999999")),
    "no URL": ("http:///", b""),
}


@pytest.mark.parametrize(("url", "page"), FAILURES.values(), ids=FAILURES)
async def test_failures_read_alike(server: WireServer, url: str, page: bytes | Script) -> None:
    server.pages["/"], server.greeting = page, b"220 no TLS\r\n" if url.startswith("https") else b""
    guard, settings = Guard([f"127.0.0.1:{server.port}", "127.0.0.1:1"]), FetchSettings("TestCrawler/1.0")
    request = CrawlRequest(url.format(port=server.port), "x")
    async with AioFetcher(settings, guard) as one, ThreadsFetcher(settings, guard) as other:
        results = [await fetcher.fetch(request, HTML) for fetcher in (one, other)]
    failures = [(result.kind, result.message) for result in results if isinstance(result, Failed)]
    assert failures == [failures[0]] * 2
