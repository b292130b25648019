"""What becomes of aiohttp's errors, also of those that no server can be made to cause."""

import ssl
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey, RequestInfo
from aioresponses import aioresponses
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from crawler.exchange import FetchSettings
from crawler.fetch.aio import AioFetcher
from crawler.guard import Guard
from crawler.types import BodyRule, CrawlRequest, ErrorKind, Failed, Fetched
from tests.aioresponses_shim import mocked

__all__ = ["mocked"]

URL_ = "https://a.example/page"
REQUEST = CrawlRequest(URL_, "a.example")
RULE = BodyRule(frozenset({"text/html"}), 4 * 1024 * 1024)
KEY = ConnectionKey("a.example", 443, True, True, None, None, None)
INFO = RequestInfo(URL(URL_), "GET", CIMultiDictProxy(CIMultiDict()), URL(URL_))

ERRORS: dict[str, tuple[Exception, ErrorKind, str]] = {
    "no name": (
        aiohttp.ClientConnectorDNSError(KEY, OSError(-2, "Name or service not known")),
        ErrorKind.DNS,
        "Name or service not known",
    ),
    "refused": (aiohttp.ClientConnectorError(KEY, OSError(111, "x")), ErrorKind.CONNECT, "connection refused"),
    "unreachable": (aiohttp.ClientConnectorError(KEY, OSError(101, "x")), ErrorKind.CONNECT, "network is unreachable"),
    "several reasons": (
        aiohttp.ClientConnectorError(KEY, OSError("Multiple exceptions: a, b")),
        ErrorKind.CONNECT,
        "Multiple exceptions: a, b",
    ),
    "no TLS": (
        aiohttp.ClientConnectorSSLError(KEY, ssl.SSLError(1, "wrong version number")),
        ErrorKind.TLS,
        "wrong version number",
    ),
    "bad certificate": (
        aiohttp.ClientConnectorCertificateError(KEY, ssl.SSLCertVerificationError(1, "certificate has expired")),
        ErrorKind.TLS,
        "certificate has expired",
    ),
    "closed": (aiohttp.ServerDisconnectedError(), ErrorKind.RESET, "before the response"),
    "reset": (aiohttp.ClientOSError(104, "Connection reset by peer"), ErrorKind.RESET, "before the response"),
    "reset while sending": (aiohttp.ClientConnectionResetError("x"), ErrorKind.RESET, "before the response"),
    "broken body": (aiohttp.ClientPayloadError("x"), ErrorKind.RESET, "lost"),
    "no HTTP": (
        aiohttp.ClientResponseError(INFO, (), status=400, message="Bad status line:\n  'SSH-2.0'\n  ^"),
        ErrorKind.PROTOCOL,
        "Bad status line",
    ),
    "no URL": (aiohttp.InvalidURL("x"), ErrorKind.INTERNAL, "not a URL"),
    "a bug": (RuntimeError("something\nunheard of"), ErrorKind.INTERNAL, "RuntimeError: something"),
    "another bug": (AssertionError(), ErrorKind.INTERNAL, "AssertionError"),
}


@pytest.fixture
async def fetcher() -> AsyncIterator[AioFetcher]:
    async with AioFetcher(FetchSettings("TestCrawler/1.0"), Guard()) as running:
        yield running


@pytest.mark.parametrize(("error", "kind", "words"), ERRORS.values(), ids=ERRORS)
async def test_errors_are_values(
    fetcher: AioFetcher, mocked: aioresponses, error: Exception, kind: ErrorKind, words: str
) -> None:
    mocked.get(URL_, exception=error)
    result = await fetcher.fetch(REQUEST, RULE)
    assert isinstance(result, Failed)
    assert result.kind is kind
    assert words in result.message
    assert "\n" not in result.message


async def test_a_page(fetcher: AioFetcher, mocked: aioresponses) -> None:
    body = b"x" * (3 * 1024 * 1024)
    mocked.get(URL_, body=body, content_type="text/html")
    result = await fetcher.fetch(REQUEST, RULE)
    assert isinstance(result, Fetched)
    assert result.body == body


async def test_a_redirect_is_a_result(fetcher: AioFetcher, mocked: aioresponses) -> None:
    mocked.get(URL_, status=302, headers={"Location": "/next"})
    result = await fetcher.fetch(REQUEST, RULE)
    assert isinstance(result, Fetched)
    assert (result.status, result.headers["location"], result.body) == (302, "/next", None)
