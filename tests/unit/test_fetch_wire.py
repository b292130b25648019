"""What comes off the wire is a response, whole and as it was sent, or an error of a closed list."""

import http.client
import socket
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from urllib3.exceptions import HTTPError

from crawler.exchange import FetchSettings
from crawler.fetch.call import Call, WireError
from crawler.fetch.pool import Connection, Origin
from crawler.fetch.wire import MalformedError
from tests.wire import chunked, response

SETTINGS = FetchSettings("TestCrawler/1.0", max_field=1000)
PAGE = b"<p>page</p>"


@dataclass(frozen=True)
class Read:
    status: int
    fields: dict[str, list[str]]
    body: bytes
    reusable: bool


def read(data: bytes, *, end: bool = True) -> Read:
    """Ask a server that answers with these bytes; what is read off a body in small pieces."""
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.sendall(data)
        if end:
            theirs.shutdown(socket.SHUT_WR)
        call = Call(SETTINGS)
        connection = Connection(Origin("http", "a.example", 80), SETTINGS)
        connection.open(call, ours)
        try:
            answer = connection.ask(call, "/", {})
            body = b"".join(answer.stream(7))
            fields = {name.lower(): answer.headers.getlist(name) for name in answer.headers}
            return Read(answer.status, fields, body, connection.is_reusable)
        finally:
            connection.close()


TOKEN = st.from_regex(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}", fullmatch=True).filter(
    lambda name: name.lower() not in {"content-length", "transfer-encoding", "connection", "keep-alive"}
)
VALUE = st.from_regex(r"[!-~]([ -~]{0,30}[!-~])?", fullmatch=True)
FIELDS = st.lists(st.tuples(TOKEN, VALUE), max_size=8)


@given(FIELDS, st.binary(max_size=300), st.integers(200, 299).filter(lambda status: status != 204))
@settings(derandomize=True, deadline=None, max_examples=150)
def test_a_response_with_a_length(fields: list[tuple[str, str]], body: bytes, status: int) -> None:
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
    head = f"HTTP/1.1 {status} OK\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode()
    found = read(head + body)
    assert (found.status, found.body, found.reusable) == (status, body, True)
    expected = {name.lower(): [v for n, v in fields if n.lower() == name.lower()] for name, _ in fields}
    assert found.fields == expected | {"content-length": [str(len(body))]}
    assert read(head + body + b"x").reusable is False


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=8), FIELDS)
@settings(derandomize=True, deadline=None, max_examples=150)
def test_a_response_in_chunks(chunks: list[bytes], trailer: list[tuple[str, str]]) -> None:
    lines = "".join(f"{name}: {value}\r\n" for name, value in trailer).encode()
    page = chunked(*chunks, end=b"0;end\r\n" + lines + b"\r\n")
    found = read(page)
    assert (found.body, found.reusable) == (b"".join(chunks), True)
    assert read(page + b"x").reusable is False


@given(st.data())
@settings(derandomize=True, deadline=None, max_examples=300)
def test_a_response_that_breaks_off_is_none(data: st.DataObject) -> None:
    page = data.draw(st.sampled_from([response(PAGE), chunked(PAGE, PAGE), chunked(end=b"0\r\nX: y\r\n\r\n")]))
    with pytest.raises((WireError, HTTPError)):
        read(page[: data.draw(st.integers(0, len(page) - 1))])


@given(st.data())
@settings(derandomize=True, deadline=None, max_examples=500)
def test_any_bytes_are_a_response_or_a_known_error(data: st.DataObject) -> None:
    page = data.draw(st.sampled_from([response(PAGE), chunked(PAGE, PAGE), b"HTTP/1.1 103 Early\r\n\r\n" + response()]))
    start = data.draw(st.integers(0, len(page)))
    junk = data.draw(st.binary(max_size=20) | st.sampled_from([b"\r\n", b"\r", b"\0", b": ", b"-1", b"f" * 17, b"0x"]))
    damaged = page[:start] + junk + page[start + data.draw(st.integers(0, 20)) :]
    try:
        found = read(damaged)
    except (WireError, HTTPError, http.client.HTTPException):
        return
    assert 100 <= found.status <= 999
    assert len(found.body) <= len(damaged)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3_0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\rContent-Length: 3\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length : 3\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n Content-Length: 3\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n",
        b"HTTP/2.0 200 OK\r\nContent-Length: 3\r\n\r\n",
        b"HTTP/1.1 099 OK\r\nContent-Length: 3\r\n\r\n",
        b"HTTP/1.1 1000 OK\r\nContent-Length: 3\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 20,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 101 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1000 + b"\r\n\r\n",
        chunked(end=b"-1\r\n"),
        chunked(end=b"+1\r\n"),
        chunked(end=b"0x1\r\n"),
        chunked(end=b"1_0\r\n"),
        chunked(end=b"0\r\n" + b"X: y\r\n" * 101),
    ],
)
def test_what_leaves_open_where_a_body_ends_is_no_http(head: bytes) -> None:
    with pytest.raises(MalformedError):
        read(head + b"abc", end=False)


def test_a_folded_field_is_one() -> None:
    assert read(b"HTTP/1.1 200 OK\r\nX: a\r\n  b\r\nContent-Length: 0\r\n\r\n").fields["x"] == ["a b"]


@pytest.mark.parametrize("end", [b"\x15\x03\x01", b"HTTX"])
def test_what_is_no_http_is_not_read_to_the_end_of_its_line(end: bytes) -> None:
    with pytest.raises(MalformedError):
        read(end, end=False)
