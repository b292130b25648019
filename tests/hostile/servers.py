"""Servers that misbehave, one case a path: what is sent, byte by byte, and what the record of it must say."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass

from tests.contract.fetcher_suite import BROKEN, PAGE, script
from tests.wire import Peer, Script, chunked, response

Expected = tuple[str, str | None]
"""Outcome and kind of error of a record."""

OK: Expected = ("ok", None)
TIMEOUT: Expected = ("failed", "timeout")
PROTOCOL: Expected = ("failed", "protocol")


@dataclass(frozen=True, slots=True)
class Case:
    """What a path does, and what comes of it; in threads, where http.client sees it otherwise."""

    page: bytes | Script
    expected: Expected
    in_threads: Expected | None = None

    def expects(self, mode: str) -> Expected:
        return self.in_threads if self.in_threads and mode == "threads" else self.expected


def slow_header(peer: Peer) -> None:
    peer.drip(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 10_000, 0.05)


def slow_body(peer: Peer) -> None:
    peer.send(response(content_length="1000000"))
    peer.drip(b"a" * 1_000_000, 0.05)


def slow_chunks(peer: Peer) -> None:
    peer.send(chunked(end=b""))
    for _ in range(1_000_000):
        peer.drip(b"1\r\na\r\n", 0.02)


def endless_interim(peer: Peer) -> None:
    """Promise a response for ever (RFC 9110 section 15.2)."""
    while True:
        peer.drip(b"\n", 0.01)
        peer.send(b"HTTP/1.1 102 Processing\r\n\r\n")


def endless_trailer(peer: Peer) -> None:
    peer.send(chunked(PAGE, end=b"0\r\n"))
    while True:
        peer.send(b"X-T: " + b"t" * 1000 + b"\r\n")


def dead_when_asked_again(peer: Peer) -> None:
    """Answer, and break the connection just before the next request would come."""
    peer.send(response(PAGE))
    peer.reset()


def _redirect(location: str, status: str = "302 Found") -> bytes:
    return response(status=status, location=location)


HOPS: Mapping[str, bytes] = {f"/hop/{n}": _redirect(f"/hop/{n + 1}") for n in range(20)}
"""Redirects that lead on and on."""

CASES: Mapping[str, Case] = {
    **{f"/broken/{n}": Case(page, ("failed", str(kind))) for n, (page, kind) in enumerate(BROKEN.values())},
    # Slow
    "/slow/silent": Case(script("hang"), TIMEOUT),
    "/slow/header": Case(slow_header, TIMEOUT),
    "/slow/no-body": Case(script(response(content_length="9"), "hang"), TIMEOUT),
    "/slow/body": Case(slow_body, TIMEOUT),
    "/slow/chunks": Case(slow_chunks, TIMEOUT),
    "/slow/interim": Case(endless_interim, TIMEOUT, PROTOCOL),
    # Framing
    "/interim/storm": Case(b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" * 50 + response(PAGE), OK, PROTOCOL),
    "/length/surplus": Case(response(PAGE + response(b"forged"), content_length=str(len(PAGE))), OK),
    "/length/twice": Case(response(PAGE) * 2, OK),
    "/status/204-with-body": Case(b"HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\nforged", PROTOCOL, OK),
    "/status/304-with-body": Case(
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\nforged", PROTOCOL, ("http_error", "status")
    ),
    "/status/999": Case(response(PAGE, "999 Whatever"), ("http_error", "status")),
    "/chunks/one-byte-each": Case(chunked(*(PAGE[n : n + 1] for n in range(len(PAGE)))), OK),
    "/chunks/endless-trailer": Case(endless_trailer, PROTOCOL),
    "/connection/dies-when-idle": Case(dead_when_asked_again, OK),
    # Codings
    "/coding/stacked": Case(response(gzip.compress(gzip.compress(PAGE)), content_encoding="gzip, gzip"), OK),
    "/coding/empty": Case(response(b"", content_encoding="gzip"), OK),
    "/coding/two-members": Case(response(gzip.compress(PAGE) + gzip.compress(PAGE), content_encoding="gzip"), OK),
    "/coding/ratio": Case(response(gzip.compress(bytes(900_000)), content_encoding="gzip"), OK),
    # Redirects
    "/redirect/loop": Case(_redirect("/redirect/loop"), ("failed", "redirect_loop")),
    "/redirect/endless": Case(_redirect("/hop/0"), ("failed", "too_many_redirects")),
    "/redirect/file": Case(_redirect("file:///etc/passwd"), ("failed", "bad_redirect")),
    "/redirect/script": Case(_redirect("javascript:alert(1)"), ("failed", "bad_redirect")),
    "/redirect/private": Case(_redirect("http://10.0.0.1/"), ("skipped", "scope")),
    "/redirect/metadata": Case(_redirect("http://169.254.169.254/latest/"), ("skipped", "scope")),
    "/redirect/decimal": Case(_redirect("http://2130706433:1/"), ("skipped", "scope")),
    "/redirect/nowhere": Case(_redirect(""), ("http_error", "status")),
    "/redirect/long": Case(_redirect("/" + "a" * 20_000), ("skipped", "scope")),
}
