"""What every fetcher promises: one suite, bound to each backend in ``test_fetchers.py``."""

import asyncio
import gzip
import threading
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import brotli
import pytest

from crawler.exchange import DRAIN_BYTES, FetchSettings
from crawler.guard import Guard
from crawler.protocols import Fetcher
from crawler.types import BodyRule, CrawlRequest, ErrorKind, Failed, Fetched
from tests.wire import Peer, Script, WireServer, chunked, response

MIB = 1024 * 1024
HTML = BodyRule(frozenset({"text/html"}), MIB)
ANY = BodyRule(None, MIB)
PAGE = b"<title>page</title>" + b"<p>text</p>" * 100
EVIL = response(b"evil")


def kind_of(result: Fetched | Failed) -> ErrorKind | None:
    return result.kind if isinstance(result, Failed) else None


def body_of(result: Fetched | Failed) -> bytes | None:
    assert isinstance(result, Fetched), result
    return result.body


def script(*steps: bytes | str) -> Script:
    """Return a page that sends bytes and does, by name, what a :class:`Peer` can do."""

    def run(peer: Peer) -> None:
        for step in steps:
            if isinstance(step, bytes):
                peer.send(step)
            else:
                getattr(peer, step)()

    return run


def endless(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        peer.send(bytes(65536))


BROKEN: dict[str, tuple[bytes | Script, ErrorKind]] = {
    "closed at once": (script("close"), ErrorKind.RESET),
    "reset at once": (script("reset"), ErrorKind.RESET),
    "closed in the status line": (script(b"HTTP/1.1 2", "close"), ErrorKind.RESET),
    "closed in the header": (script(b"HTTP/1.1 200 OK\r\nContent-", "close"), ErrorKind.RESET),
    "reset in the header": (script(b"HTTP/1.1 200 OK\r\nContent-", "reset"), ErrorKind.RESET),
    "closed after the header": (script(response(content_length="9"), "close"), ErrorKind.RESET),
    "short body": (script(response(b"half", content_length="9"), "close"), ErrorKind.RESET),
    "reset in the body": (script(response(b"half", content_length="9"), "reset"), ErrorKind.RESET),
    "short large body": (script(response(bytes(MIB - 1), content_length=str(MIB)), "close"), ErrorKind.RESET),
    "closed between chunks": (script(chunked(b"half", end=b""), "close"), ErrorKind.RESET),
    "closed inside of a chunk": (script(chunked(b"half", end=b"9\r\nhalf"), "close"), ErrorKind.RESET),
    "reset before the last chunk": (script(chunked(b"half", end=b""), "reset"), ErrorKind.RESET),
    "closed before the last line": (script(chunked(b"half", end=b"0\r\n"), "close"), ErrorKind.RESET),
    "reset where only the end of the connection ends the body": (
        script(b"HTTP/1.1 200 OK\r\n\r\nhalf", "reset"),
        ErrorKind.RESET,
    ),
    "no HTTP": (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", ErrorKind.PROTOCOL),
    "HTTP/0.9": (script(PAGE, "close"), ErrorKind.PROTOCOL),
    "TLS": (b"\x15\x03\x01\x00\x02\x02\x46" * 9, ErrorKind.PROTOCOL),
    "bad status": (b"HTTP/1.1 twohundred OK\r\n\r\n", ErrorKind.PROTOCOL),
    "no colon in a field": (b"HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 0\r\n\r\n", ErrorKind.PROTOCOL),
    "bad length": (response(b"abc", content_length="three"), ErrorKind.PROTOCOL),
    "negative length": (response(b"abc", content_length="-3"), ErrorKind.PROTOCOL),
    "two framings": (response(b"abc", transfer_encoding="chunked"), ErrorKind.PROTOCOL),
    "bad chunk": (chunked(b"half", end=b"xyz\r\n"), ErrorKind.PROTOCOL),
    "bad chunk after much": (chunked(bytes(MIB - 9), end=b"xyz\r\n"), ErrorKind.PROTOCOL),
    "too many fields": (b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 10_000 + b"\r\n", ErrorKind.PROTOCOL),
    "a field too long": (b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * 100_000 + b"\r\n\r\n", ErrorKind.PROTOCOL),
    "a status line too long": (b"HTTP/1.1 200 " + b"K" * 100_000 + b"\r\n\r\n", ErrorKind.PROTOCOL),
    "truncated gzip": (response(gzip.compress(PAGE)[:-9], content_encoding="gzip"), ErrorKind.DECODE),
    "damaged gzip": (response(gzip.compress(PAGE)[:-9] + bytes(9), content_encoding="gzip"), ErrorKind.DECODE),
    "truncated brotli": (response(brotli.compress(PAGE)[:-1], content_encoding="br"), ErrorKind.DECODE),
    "no gzip": (response(PAGE, content_encoding="gzip"), ErrorKind.DECODE),
    "unknown coding": (response(PAGE, content_encoding="pack200"), ErrorKind.DECODE),
    "three codings": (response(PAGE, content_encoding="gzip, gzip, gzip"), ErrorKind.DECODE),
    "large announced": (response(content_length=str(MIB + 1)), ErrorKind.BODY_TOO_LARGE),
    "large unannounced": (chunked(*[bytes(MIB // 4)] * 5), ErrorKind.BODY_TOO_LARGE),
    "endless": (endless, ErrorKind.BODY_TOO_LARGE),
    "gzip bomb": (response(gzip.compress(bytes(32 * MIB)), content_encoding="gzip"), ErrorKind.BODY_TOO_LARGE),
    "brotli bomb": (
        response(brotli.compress(bytes(32 * MIB), quality=4), content_encoding="br"),
        ErrorKind.BODY_TOO_LARGE,
    ),
}


@pytest.fixture
def server() -> Iterator[WireServer]:
    with WireServer() as running:
        yield running


class FetcherSuite:
    """Subclasses make the fetcher."""

    def make(self, settings: FetchSettings, guard: Guard) -> Fetcher:
        """Return a fetcher; called inside of a running loop."""
        raise NotImplementedError

    @asynccontextmanager
    async def opened(self, server: WireServer, guard: Guard | None = None, **settings: Any) -> AsyncIterator[Fetcher]:
        fetcher = self.make(
            FetchSettings(
                "TestCrawler/1.0 (+https://crawler.example/)", **({"own_origins": frozenset({server.url})} | settings)
            ),
            guard or Guard([f"127.0.0.1:{server.port}"]),
        )
        try:
            yield fetcher
        finally:
            await fetcher.aclose()

    async def get(
        self, server: WireServer, page: bytes | Script, rule: BodyRule = HTML, **settings: Any
    ) -> Fetched | Failed:
        """Fetch one page by a fetcher of its own."""
        server.pages["/"] = page
        async with self.opened(server, **settings) as fetcher:
            return await fetcher.fetch(self.request(server), rule)

    def request(self, server: WireServer, path: str = "/") -> CrawlRequest:
        return CrawlRequest(server.url + path, f"127.0.0.1:{server.port}")

    # --- what a page looks like

    async def test_a_page(self, server: WireServer) -> None:
        result = await self.get(server, response(PAGE, ETag='"x"'))
        assert isinstance(result, Fetched)
        assert result.request == self.request(server)
        assert result.final_url == server.url + "/"
        assert (result.status, result.body, result.wire_bytes) == (200, PAGE, len(PAGE))
        assert result.headers == {"content-type": "text/html", "content-length": str(len(PAGE)), "etag": '"x"'}
        assert 0 < result.ttfb_s <= result.total_s

    async def test_what_is_asked(self, server: WireServer) -> None:
        await self.get(server, response(PAGE))
        line, *fields = server.heads[0].decode().split("\r\n")
        sent = {name.lower(): value for name, _, value in (field.partition(": ") for field in fields)}
        assert line == "GET / HTTP/1.1"
        assert sent["host"] == f"127.0.0.1:{server.port}"
        assert sent["user-agent"] == "TestCrawler/1.0 (+https://crawler.example/)"
        assert sent["accept-encoding"] == "gzip, deflate, br, zstd"
        assert sent["accept"].startswith("text/html")
        assert "cookie" not in sent
        assert "referer" not in sent

    async def test_headers_of_the_user_win(self, server: WireServer) -> None:
        await self.get(server, response(PAGE), headers={"accept": "text/plain", "x-mine": "yes"})
        assert server.heads[0].lower().count(b"\r\naccept: ") == 1
        assert b"accept: text/plain" in server.heads[0].lower()
        assert b"x-mine: yes" in server.heads[0].lower()

    async def test_what_may_be_secret_is_told_to_its_own_origin_alone(self, server: WireServer) -> None:
        secrets = {
            "authorization": "Basic c2VjcmV0",
            "cookie": "id=secret",
            "x-api-key": "secret",
            "from": "me@x.example",
        }
        with WireServer() as other:
            server.pages = other.pages = {"/": response(PAGE)}
            ports = f"127.0.0.1:{server.port}", f"127.0.0.1:{other.port}"
            async with self.opened(server, Guard(ports), headers=secrets) as fetcher:
                for each in (server, other, server):
                    assert body_of(await fetcher.fetch(self.request(each), HTML)) == PAGE
            told, others = server.heads[-1].lower(), other.heads[0].lower()
        assert all(f"\r\n{name}: {value}".lower().encode() in told for name, value in secrets.items())
        assert not any(word in others for word in (b"c2vjcmv0", b"secret", b"x-api-key"))
        assert b"\r\nfrom: me@x.example" in others

    async def test_what_may_be_secret_is_not_told_without_tls(self, server: WireServer) -> None:
        origins = frozenset({server.url.replace("http:", "https:")})
        await self.get(server, response(PAGE), headers={"authorization": "Basic c2VjcmV0"}, own_origins=origins)
        assert b"c2VjcmV0" not in server.heads[0]

    @pytest.mark.parametrize(
        "path", ["/%7Euser/%41?q=%20a+b&c=%2F", "/a//b/./c", "/?a=&b", "/%C3%A9?%zz", "/;p=1?a=b;c"]
    )
    async def test_the_url_is_sent_as_it_is(self, server: WireServer, path: str) -> None:
        server.pages[path] = response(PAGE)
        async with self.opened(server) as fetcher:
            assert body_of(await fetcher.fetch(self.request(server, path), HTML)) == PAGE

    async def test_the_last_redirect_is_asked(self, server: WireServer) -> None:
        server.pages["/hop"] = response(PAGE)
        request = CrawlRequest(server.url + "/", "127.0.0.1", redirects=(server.url + "/hop",))
        async with self.opened(server) as fetcher:
            result = await fetcher.fetch(request, HTML)
        assert isinstance(result, Fetched)
        assert (result.final_url, result.body) == (server.url + "/hop", PAGE)

    async def test_a_redirect_is_not_followed(self, server: WireServer) -> None:
        result = await self.get(server, response(b"moved", "302 Found", location="/elsewhere"))
        assert isinstance(result, Fetched)
        assert (result.status, result.headers["location"], result.body) == (302, "/elsewhere", None)
        assert server.requests == ["/"]

    async def test_repeated_fields(self, server: WireServer) -> None:
        fields = b"Link: <a>\r\nlink: <b>\r\nContent-Type: text/html\r\ncontent-type: text/html\r\nContent-Length: 0"
        result = await self.get(server, b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n\r\n")
        assert isinstance(result, Fetched)
        assert (result.headers["link"], result.headers["content-type"]) == ("<a>, <b>", "text/html")

    async def test_fields_beyond_ascii(self, server: WireServer) -> None:
        result = await self.get(
            server, response(PAGE, "200 OK").replace(b"\r\n", b"\r\nX-U: \xc3\xa9\r\nX-L: \xe9\r\n", 1)
        )
        assert isinstance(result, Fetched)
        assert (result.headers["x-u"], result.headers["x-l"]) == ("é", "é")

    # --- framing and coding

    @pytest.mark.parametrize(
        "page",
        [
            response(PAGE),
            chunked(PAGE),
            chunked(*(PAGE[n : n + 1] for n in range(len(PAGE)))),
            chunked(PAGE, end=b"0\r\nX-Trailer: yes\r\n\r\n"),
            script(b"HTTP/1.1 200 OK\r\n\r\n" + PAGE, "close"),
            script(b"HTTP/1.0 200 OK\r\n\r\n" + PAGE, "close"),
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + response(PAGE),
            response(gzip.compress(PAGE), content_encoding="gzip"),
            chunked(gzip.compress(PAGE), content_encoding="x-gzip"),
            response(zlib.compress(PAGE), content_encoding="deflate"),
            response(zlib.compress(PAGE)[2:-4], content_encoding="deflate"),
            response(brotli.compress(PAGE), content_encoding="br"),
            response(gzip.compress(brotli.compress(PAGE)), content_encoding="br, gzip"),
            response(PAGE, content_encoding="identity"),
        ],
    )
    async def test_framings_and_codings(self, server: WireServer, page: bytes | Script) -> None:
        assert body_of(await self.get(server, page, ANY)) == PAGE

    @pytest.mark.parametrize("frame", [response, chunked])
    async def test_a_large_body_arrives_whole(self, server: WireServer, frame: Any) -> None:
        body = b"".join(b"%08d" % n for n in range(500_000))
        rule = BodyRule(None, len(body))
        assert body_of(await self.get(server, frame(body), rule)) == body
        assert body_of(await self.get(server, frame(gzip.compress(body, 1), content_encoding="gzip"), rule)) == body

    async def test_a_large_body_that_ends_with_the_connection(self, server: WireServer) -> None:
        body = b"".join(b"%08d" % n for n in range(500_000))
        page = script(b"HTTP/1.1 200 OK\r\n\r\n" + body, "close")
        assert body_of(await self.get(server, page, BodyRule(None, len(body)))) == body

    async def test_wire_bytes_are_those_before_decoding(self, server: WireServer) -> None:
        wire = gzip.compress(PAGE)
        result = await self.get(server, response(wire, content_encoding="gzip"))
        assert isinstance(result, Fetched)
        assert result.wire_bytes == len(wire)

    # --- what is not worth reading

    @pytest.mark.parametrize("found", ["text/html", "TEXT/HTML", "text/html; charset=utf-8", " text/html ;x", ""])
    async def test_wanted_types(self, server: WireServer, found: str) -> None:
        assert body_of(await self.get(server, response(PAGE, content_type=found))) == PAGE

    async def test_a_page_without_a_type_is_read(self, server: WireServer) -> None:
        page = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage"
        assert body_of(await self.get(server, page)) == b"page"

    @pytest.mark.parametrize("found", ["image/png", "text/plain", "text/htmlx", "text"])
    async def test_unwanted_types(self, server: WireServer, found: str) -> None:
        result = await self.get(server, response(PAGE, content_type=found))
        assert isinstance(result, Fetched)
        assert (result.status, result.body) == (200, None)
        assert result.headers["content-type"] == found

    async def test_any_type_where_no_type_is_named(self, server: WireServer) -> None:
        assert body_of(await self.get(server, response(PAGE, content_type="image/png"), ANY)) == PAGE

    @pytest.mark.parametrize("status", ["206 Partial", "203 Other", "201 Created"])
    async def test_every_2xx_has_a_body(self, server: WireServer, status: str) -> None:
        assert body_of(await self.get(server, response(PAGE, status))) == PAGE

    @pytest.mark.parametrize("status", ["301 Moved", "404 Not Found", "429 Slow", "500 Error", "999 Denied"])
    async def test_no_other_status_has_one(self, server: WireServer, status: str) -> None:
        result = await self.get(server, response(PAGE, status))
        assert isinstance(result, Fetched)
        assert (result.status, result.body) == (int(status[:3]), None)

    async def test_no_content(self, server: WireServer) -> None:
        assert body_of(await self.get(server, b"HTTP/1.1 204 No Content\r\n\r\n")) == b""
        assert body_of(await self.get(server, b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n")) is None
        assert body_of(await self.get(server, response(content_encoding="gzip"))) == b""

    async def test_an_error_page_that_never_comes_is_not_waited_for(self, server: WireServer) -> None:
        result = await self.get(server, script(response(status="404 No", content_length="99"), "hang"))
        assert isinstance(result, Fetched)
        assert (result.status, result.body) == (404, None)

    # --- sizes

    @pytest.mark.parametrize("frame", [response, chunked])
    async def test_a_body_of_the_very_limit(self, server: WireServer, frame: Any) -> None:
        assert body_of(await self.get(server, frame(bytes(MIB)))) == bytes(MIB)
        assert kind_of(await self.get(server, frame(bytes(MIB + 1)))) is ErrorKind.BODY_TOO_LARGE

    @pytest.mark.parametrize(
        "page", [response(PAGE), chunked(PAGE), response(gzip.compress(PAGE), content_encoding="gzip")]
    )
    async def test_a_body_is_cut_where_that_is_wanted(self, server: WireServer, page: bytes) -> None:
        assert body_of(await self.get(server, page, BodyRule(None, 700, truncate=True))) == PAGE[:700]

    async def test_the_wire_has_a_limit_of_its_own(self, server: WireServer) -> None:
        page = chunked(gzip.compress(b"") * 5000, content_encoding="gzip")
        assert kind_of(await self.get(server, page, max_wire=65536)) is ErrorKind.BODY_TOO_LARGE

    # --- failures are values

    @pytest.mark.parametrize(("page", "kind"), BROKEN.values(), ids=BROKEN)
    async def test_broken_servers(self, server: WireServer, page: bytes | Script, kind: ErrorKind) -> None:
        result = await self.get(server, page)
        assert isinstance(result, Failed)
        assert result.kind is kind
        assert result.request == self.request(server)
        assert 0 < len(result.message) <= 300
        assert "\n" not in result.message
        assert server.requests == ["/"]

    async def test_after_every_failure_the_next_page_is_right(self, server: WireServer) -> None:
        server.pages["/good"] = response(PAGE)
        async with self.opened(server) as fetcher:
            for page, _ in BROKEN.values():
                server.pages["/"] = page
                await fetcher.fetch(self.request(server), HTML)
                assert body_of(await fetcher.fetch(self.request(server, "/good"), HTML)) == PAGE

    async def test_nobody_listens(self, server: WireServer) -> None:
        with WireServer() as other:
            port = other.port
        guard = Guard([f"127.0.0.1:{port}"])
        async with self.opened(server, guard) as fetcher:
            result = await fetcher.fetch(CrawlRequest(f"http://127.0.0.1:{port}/", "x"), HTML)
        assert kind_of(result) is ErrorKind.CONNECT

    async def test_no_tls(self, server: WireServer) -> None:
        server.greeting = b"220 this is no TLS\r\n"
        async with self.opened(server) as fetcher:
            result = await fetcher.fetch(CrawlRequest(f"https://127.0.0.1:{server.port}/", "x"), HTML)
        assert kind_of(result) is ErrorKind.TLS

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "no url",
            "http:///",
            "http://",
            "//127.0.0.1/",
            "ftp://127.0.0.1/",
            "http://a..b/",
            "http://" + "a" * 64 + ".example/",
            "http://127.0.0.1:99999/",
            "http://127.1/",
            "http://2130706433/",
            "http://[::1/",
            "http://xn--a/",
            "http://\ud800/",
            "javascript:alert(1)",
        ],
    )
    async def test_bad_urls(self, server: WireServer, url: str) -> None:
        async with self.opened(server) as fetcher:
            result = await fetcher.fetch(CrawlRequest(url, "x"), HTML)
        assert isinstance(result, Failed)
        assert "\n" not in result.message

    @pytest.mark.parametrize(
        "url",
        [
            "ftp://127.0.0.1:{port}/",
            "ws://127.0.0.1:{port}/",
            "http://127.0.0.1:{port}/a b",
            "http://127.0.0.1:{port}/a\r\nX-Evil: 1",
            "http://127.0.0.1:{port}/a HTTP/1.1\r\n\r\nGET /b",
            "http://127.0.0.1:{port}/a?b\x7f",
            "http://127.0.0.1:{port}/é",
        ],
    )
    async def test_what_is_no_url_of_a_page_is_not_asked_for(self, server: WireServer, url: str) -> None:
        server.pages["/"] = response(PAGE)
        async with self.opened(server) as fetcher:
            result = await fetcher.fetch(CrawlRequest(url.format(port=server.port), "x"), HTML)
        assert isinstance(result, Failed)
        assert result.kind is ErrorKind.INTERNAL
        assert "\n" not in result.message
        assert server.heads == []

    # --- time

    @pytest.mark.parametrize("page", [script("hang"), lambda peer: peer.drip(EVIL, 0.02)])
    async def test_no_header_in_time(self, server: WireServer, page: Script) -> None:
        result = await self.get(server, page, first_byte_s=0.3, total_s=20.0)
        assert isinstance(result, Failed)
        assert (result.kind, result.message) == (ErrorKind.TIMEOUT, "no response header within 0.3 s")

    @pytest.mark.parametrize("rest", ["hang", "drip"])
    async def test_no_body_in_time(self, server: WireServer, rest: str) -> None:
        def page(peer: Peer) -> None:
            peer.send(response(content_length="1000"))
            if rest == "drip":
                peer.drip(bytes(1000), 0.02)
            peer.hang()

        result = await self.get(server, page, first_byte_s=20.0, total_s=0.3)
        assert isinstance(result, Failed)
        assert (result.kind, result.message) == (ErrorKind.TIMEOUT, "not complete within 0.3 s")

    @pytest.mark.parametrize("head", [response(content_length="100000"), chunked(end=b"")], ids=["length", "chunked"])
    @pytest.mark.parametrize("begun", [0, 5000])
    async def test_a_body_that_drips_is_not_waited_for(self, server: WireServer, head: bytes, begun: int) -> None:
        def page(peer: Peer) -> None:
            peer.send(
                head + (b"%x\r\n" % begun + bytes(begun) + b"\r\n" if begun and b"chunked" in head else bytes(begun))
            )
            while True:
                peer.drip(b"1\r\na\r\n" if b"chunked" in head else b"a", 0.01)

        result = await self.get(server, page, total_s=20.0, min_rate=10_000, rate_s=0.25)
        assert isinstance(result, Failed)
        assert (result.kind, result.message) == (ErrorKind.TIMEOUT, "fewer than 10000 bytes a second for 0.25 s")
        assert result.total_s < 5

    async def test_a_body_may_pause_where_it_keeps_up_its_rate(self, server: WireServer) -> None:
        def page(peer: Peer) -> None:
            peer.send(response(content_length="6000"))
            for _ in range(6):
                peer.send(bytes(999))
                peer.drip(b"a", 0.2)

        result = await self.get(server, page, total_s=20.0, min_rate=1000, rate_s=0.5)
        assert body_of(result) == (bytes(999) + b"a") * 6

    async def test_no_tls_in_time(self, server: WireServer) -> None:
        async with self.opened(server, connect_s=0.3) as fetcher:
            result = await fetcher.fetch(CrawlRequest(f"https://127.0.0.1:{server.port}/", "x"), HTML)
        assert isinstance(result, Failed)
        assert (result.kind, result.message) == (ErrorKind.TIMEOUT, "no connection within 0.3 s")

    async def test_waiting_for_one_server_does_not_keep_another(self, server: WireServer) -> None:
        server.pages = {"/slow": script("hang"), "/": response(PAGE)}
        async with self.opened(server) as fetcher:
            slow = asyncio.ensure_future(fetcher.fetch(self.request(server, "/slow"), HTML))
            assert body_of(await fetcher.fetch(self.request(server), HTML)) == PAGE
            assert not slow.done()
            slow.cancel()
            await asyncio.wait([slow])

    async def test_no_clock_runs_on_after_a_page(self, server: WireServer) -> None:
        complaints: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        server.pages = {"/": response(PAGE), "/slow": script("hang")}
        async with self.opened(server, total_s=0.3) as fetcher:
            await fetcher.fetch(self.request(server), HTML)
            assert kind_of(await fetcher.fetch(self.request(server, "/slow"), HTML)) is ErrorKind.TIMEOUT
        assert complaints == []

    async def test_cancelling_passes(self, server: WireServer) -> None:
        asked = threading.Event()

        def page(peer: Peer) -> None:
            asked.set()
            peer.hang()

        server.pages = {"/slow": page, "/": response(PAGE)}
        async with self.opened(server) as fetcher:
            slow = asyncio.ensure_future(fetcher.fetch(self.request(server, "/slow"), HTML))
            await asyncio.to_thread(asked.wait)
            slow.cancel()
            with pytest.raises(asyncio.CancelledError):
                await slow
            assert body_of(await fetcher.fetch(self.request(server), HTML)) == PAGE

    # --- connections

    @pytest.mark.parametrize(
        "page",
        [
            response(PAGE),
            chunked(PAGE),
            response(bytes(MIB)),
            response(PAGE, content_type="image/png"),
            response(PAGE, "404 Not Found"),
            response(bytes(DRAIN_BYTES), "404 Not Found"),
            chunked(PAGE, status="301 Moved", location="/new"),
            response(status="302 Found", location="/new"),
            b"HTTP/1.1 204 No Content\r\n\r\n",
            b"HTTP/1.1 304 Not Modified\r\n\r\n",
        ],
    )
    async def test_a_connection_is_used_again(self, server: WireServer, page: bytes) -> None:
        server.pages = {"/": page, "/next": response(PAGE)}
        async with self.opened(server) as fetcher:
            for _ in range(3):
                assert isinstance(await fetcher.fetch(self.request(server), HTML), Fetched)
                assert body_of(await fetcher.fetch(self.request(server, "/next"), HTML)) == PAGE
        assert server.connections == 1

    @pytest.mark.parametrize(
        "page",
        [
            response(bytes(4 * MIB), "404 Not Found"),
            response(bytes(4 * MIB), content_type="image/png"),
            chunked(bytes(4 * MIB), status="500 Error"),
            chunked(PAGE, content_type="video/mp4", end=b""),
            response(PAGE, connection="close"),
        ],
    )
    async def test_a_connection_is_closed_rather_than_much_be_read(self, server: WireServer, page: bytes) -> None:
        server.pages = {"/": page, "/next": response(PAGE)}
        async with self.opened(server) as fetcher:
            assert isinstance(await fetcher.fetch(self.request(server), HTML), Fetched)
            assert body_of(await fetcher.fetch(self.request(server, "/next"), HTML)) == PAGE
        assert server.connections == 2

    @pytest.mark.parametrize("end", ["close", "reset"])
    async def test_an_idle_connection_that_died_fails_no_page(self, server: WireServer, end: str) -> None:
        server.pages = {"/": script(response(PAGE), end), "/next": response(PAGE)}
        async with self.opened(server) as fetcher:
            assert body_of(await fetcher.fetch(self.request(server), HTML)) == PAGE
            assert body_of(await fetcher.fetch(self.request(server, "/next"), HTML)) == PAGE
        assert server.requests == ["/", "/next"]

    @pytest.mark.parametrize("end", ["close", "reset"])
    async def test_a_reused_connection_that_dies_when_asked_fails_no_page(self, server: WireServer, end: str) -> None:
        together = threading.Barrier(3, timeout=30)  # no connection is idle before there are three

        def first(peer: Peer) -> None:
            together.wait()
            peer.send(response(PAGE))

        def page(peer: Peer) -> None:
            if peer.number <= 3:
                getattr(peer, end)()
            peer.send(response(PAGE))

        server.pages = {"/": first, "/next": page}
        async with self.opened(server) as fetcher:
            pages = [fetcher.fetch(self.request(server), HTML) for _ in range(3)]
            assert [body_of(result) for result in await asyncio.gather(*pages)] == [PAGE] * 3
            assert body_of(await fetcher.fetch(self.request(server, "/next"), HTML)) == PAGE
        assert server.requests.count("/next") == 2

    async def test_a_reused_connection_that_dies_within_its_answer_is_no_second_request(
        self, server: WireServer
    ) -> None:
        server.pages = {"/": response(PAGE), "/next": script(b"HTTP/1.1 200 OK\r\nContent-", "close")}
        async with self.opened(server) as fetcher:
            assert body_of(await fetcher.fetch(self.request(server), HTML)) == PAGE
            assert kind_of(await fetcher.fetch(self.request(server, "/next"), HTML)) is ErrorKind.RESET
        assert (server.requests, server.connections) == (["/", "/next"], 1)

    async def test_a_new_connection_that_dies_is_no_second_request(self, server: WireServer) -> None:
        assert kind_of(await self.get(server, script("close"))) is ErrorKind.RESET
        assert server.requests == ["/"]

    async def test_many_pages_at_once(self, server: WireServer) -> None:
        paths = [f"/{n}" for n in range(60)]
        server.pages |= {path: response(path.encode() * 3000) for path in paths}
        async with self.opened(server) as fetcher:
            results = await asyncio.gather(*(fetcher.fetch(self.request(server, path), HTML) for path in paths))
        assert [body_of(result) for result in results] == [path.encode() * 3000 for path in paths]

    # --- a server that says more than it was asked for

    @pytest.mark.parametrize(
        "surplus",
        [
            response(PAGE) + EVIL,
            response(bytes(MIB)) + EVIL,
            chunked(bytes(MIB)) + EVIL,
            response(PAGE, "404 Not Found") + EVIL,
            response(PAGE, content_type="image/png") + EVIL,
            b"HTTP/1.1 204 No Content\r\n\r\n" + EVIL,
            response(PAGE) + EVIL[:30],
            response(PAGE) + EVIL * 1000,
        ],
    )
    async def test_surplus_is_never_the_next_page(self, server: WireServer, surplus: bytes) -> None:
        server.pages = {"/": surplus, "/next": response(PAGE)}
        async with self.opened(server) as fetcher:
            for _ in range(5):
                assert isinstance(await fetcher.fetch(self.request(server), HTML), Fetched)
                result = await fetcher.fetch(self.request(server, "/next"), HTML)
                assert kind_of(result) is ErrorKind.PROTOCOL or body_of(result) == PAGE

    @pytest.mark.parametrize(
        "surplus",
        [
            response(PAGE) + b"more than announced",
            response(bytes(MIB)) + b"more than announced",
            response(PAGE, connection="close") + b"more than announced",
            b"HTTP/1.1 304 Not Modified\r\n\r\n" + PAGE,
        ],
    )
    async def test_a_body_longer_than_announced_harms_no_other_page(self, server: WireServer, surplus: bytes) -> None:
        server.pages = {"/": surplus, "/next": response(PAGE)}
        async with self.opened(server) as fetcher:
            for _ in range(5):
                result = await fetcher.fetch(self.request(server), HTML)
                assert kind_of(result) is ErrorKind.PROTOCOL or isinstance(result, Fetched)
                assert body_of(await fetcher.fetch(self.request(server, "/next"), HTML)) == PAGE

    @pytest.mark.parametrize("seen", [True, False])
    @pytest.mark.parametrize("surplus", [EVIL, EVIL[:30], b"\r\n", b"junk"])
    async def test_surplus_on_an_idle_connection_is_never_the_next_page(
        self, server: WireServer, seen: bool, surplus: bytes
    ) -> None:
        answered, said = threading.Event(), threading.Event()

        def page(peer: Peer) -> None:
            peer.send(response(PAGE))
            answered.wait()
            peer.send(surplus)
            said.set()

        server.pages = {"/": page, "/next": response(PAGE)}
        async with self.opened(server) as fetcher:
            assert body_of(await fetcher.fetch(self.request(server), HTML)) == PAGE
            answered.set()
            if seen:
                await asyncio.to_thread(said.wait)
            else:
                said.wait()  # the loop stands still: the bytes arrive, but it has not read them
            result = await fetcher.fetch(self.request(server, "/next"), HTML)
            assert body_of(result) == PAGE

    # --- TLS

    async def test_certificates_are_verified_unless_told_otherwise(self) -> None:
        with WireServer(tls=True) as server:
            server.pages["/"] = response(PAGE)
            assert kind_of(await self.get(server, response(PAGE))) is ErrorKind.TLS
            assert server.requests == []
            assert body_of(await self.get(server, response(PAGE), verify_tls=False)) == PAGE

    async def test_a_tls_connection_is_used_again(self) -> None:
        with WireServer(tls=True) as server:
            server.pages = {"/": response(bytes(MIB)), "/next": chunked(gzip.compress(PAGE), content_encoding="gzip")}
            async with self.opened(server, verify_tls=False) as fetcher:
                for _ in range(3):
                    assert body_of(await fetcher.fetch(self.request(server), HTML)) == bytes(MIB)
                    assert body_of(await fetcher.fetch(self.request(server, "/next"), HTML)) == PAGE
            assert server.connections == 1

    @pytest.mark.parametrize("surplus", [EVIL, EVIL[:30], EVIL * 1000])
    async def test_surplus_within_tls_is_never_the_next_page(self, surplus: bytes) -> None:
        with WireServer(tls=True) as server:
            server.pages = {"/": response(PAGE) + surplus, "/next": response(PAGE)}
            async with self.opened(server, verify_tls=False) as fetcher:
                for _ in range(5):
                    assert isinstance(await fetcher.fetch(self.request(server), HTML), Fetched)
                    result = await fetcher.fetch(self.request(server, "/next"), HTML)
                    assert kind_of(result) is ErrorKind.PROTOCOL or body_of(result) == PAGE

    @pytest.mark.parametrize("end", ["close", "reset"])
    async def test_a_tls_connection_that_breaks_is_no_page(self, end: str) -> None:
        with WireServer(tls=True) as server:
            page = script(response(b"half", content_length="9"), end)
            assert kind_of(await self.get(server, page, verify_tls=False)) is ErrorKind.RESET

    async def test_an_error_page_within_tls_that_never_comes_is_not_waited_for(self) -> None:
        with WireServer(tls=True) as server:
            page = script(response(status="404 No", content_length="99"), "hang")
            async with asyncio.timeout(20):  # the end of a TLS connection is waited for, for 30 seconds
                result = await self.get(server, page, verify_tls=False)
        assert isinstance(result, Fetched)
        assert (result.status, result.body) == (404, None)

    # --- where it may go

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]"])
    async def test_private_addresses_need_consent(self, server: WireServer, host: str) -> None:
        server.pages["/"] = response(PAGE)
        async with self.opened(server, Guard(["seed.example"])) as fetcher:
            result = await fetcher.fetch(CrawlRequest(f"http://{host}:{server.port}/", "x"), HTML)
        assert kind_of(result) is ErrorKind.ADDRESS_REFUSED
        assert server.connections == 0

    async def test_consent_is_to_one_port(self, server: WireServer) -> None:
        with WireServer() as other:
            async with self.opened(server) as fetcher:
                result = await fetcher.fetch(self.request(other), HTML)
            assert kind_of(result) is ErrorKind.ADDRESS_REFUSED
            assert other.connections == 0

    async def test_private_addresses_by_permission(self, server: WireServer) -> None:
        server.pages["/"] = response(PAGE)
        async with self.opened(server, Guard(allow_private=["127.0.0.0/8"])) as fetcher:
            assert body_of(await fetcher.fetch(CrawlRequest(f"http://localhost:{server.port}/", "x"), HTML)) == PAGE

    async def test_proxies_of_the_environment_are_not_used(
        self, server: WireServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9/")
        assert body_of(await self.get(server, response(PAGE))) == PAGE

    @pytest.mark.parametrize("cookies", [False, True])
    async def test_cookies_only_where_they_are_wanted(self, server: WireServer, cookies: bool) -> None:
        server.pages["/"] = response(PAGE, set_cookie="id=1")
        guard = Guard([f"localhost:{server.port}"])
        request = CrawlRequest(f"http://localhost:{server.port}/", "x")
        async with self.opened(server, guard, cookies=cookies) as fetcher:
            await fetcher.fetch(request, HTML)
            await fetcher.fetch(request, HTML)
        assert (b"id=1" in server.heads[1]) is cookies

    @pytest.mark.parametrize(
        "page",
        [
            script(response(b"half", content_length="9", set_cookie="id=1"), "close"),
            response(content_length=str(MIB + 1), set_cookie="id=1"),
            response(b"no gzip", content_encoding="gzip", set_cookie="id=1"),
        ],
    )
    async def test_cookies_come_with_the_header_whatever_becomes_of_the_body(
        self, server: WireServer, page: bytes | Script
    ) -> None:
        server.pages = {"/": page, "/next": response(PAGE)}
        async with self.opened(server, Guard([f"localhost:{server.port}"]), cookies=True) as fetcher:
            for path in ("/", "/next"):
                result = await fetcher.fetch(CrawlRequest(f"http://localhost:{server.port}{path}", "x"), HTML)
        assert body_of(result) == PAGE
        assert b"id=1" in server.heads[1]
