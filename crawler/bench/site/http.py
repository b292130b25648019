"""The little of HTTP/1.1 that a server for crawlers needs, without I/O: tolerant in what it reads.

Header blocks are parsed once and remembered: a client repeats them byte for byte on every request.
"""

import functools
from dataclasses import dataclass
from typing import NamedTuple

MAX_HEAD = 64 * 1024
MAX_BODY = 64 * 1024
REASONS = {
    200: "OK",
    301: "Moved Permanently",
    302: "Found",
    303: "See Other",
    307: "Temporary Redirect",
    308: "Permanent Redirect",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
}


class BadRequestError(Exception):
    """A request that cannot be answered; ``status`` says so, and the connection ends."""

    def __init__(self, status: int) -> None:
        super().__init__(REASONS[status])
        self.status = status


class Headers(NamedTuple):
    """What of a header block matters here. ``length`` is the size of the request's body."""

    keep_alive: bool
    gzip: bool
    agent: str
    length: int


class Request(NamedTuple):
    """One request. ``path`` includes the query."""

    method: str
    path: str
    headers: Headers


@dataclass(frozen=True, slots=True)
class Response:
    """A response, ready to be sent; ``head`` lacks the empty line, so that ``Connection`` can be added."""

    status: int
    head: bytes
    body: bytes


def parse(data: bytes) -> tuple[Request, int] | None:
    """Read the first request of a buffer: it and the bytes it takes, or None where more bytes are needed.

    Raises:
        BadRequestError: what stands there is no request, or one that is too large.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0:
        if len(data) > MAX_HEAD:
            raise BadRequestError(431)
        return None
    line, _, block = data[:end].lstrip(b"\r\n").partition(b"\r\n")  # RFC 9112 section 2.2: skip empty lines
    words = line.split()
    if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
        raise BadRequestError(400)
    headers = _headers(block, words[2] == b"HTTP/1.0")
    total = end + 4 + headers.length
    return (Request(words[0].decode("latin-1"), _path(words[1]), headers), total) if len(data) >= total else None


def response(status: int, content_type: str, body: bytes, *fields: str) -> Response:
    """Make a response of a status, a body and further header fields."""
    lines = [
        f"HTTP/1.1 {status} {REASONS.get(status, 'Unknown')}",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
        *fields,
        "",
    ]
    return Response(status, "\r\n".join(lines).encode("latin-1"), body)


def _path(target: bytes) -> str:
    """The path of a request target; of the absolute form (RFC 9112 section 3.2.2) the part after the host."""
    if not target.startswith(b"/"):
        scheme, found, rest = target.partition(b"://")
        target = b"/" + rest.partition(b"/")[2] if found else scheme
    return target.decode("latin-1")


@functools.lru_cache(1024)
def _headers(block: bytes, http_1_0: bool) -> Headers:
    fields: dict[str, str] = {}
    for line in block.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        fields[name.strip().lower()] = value.strip()
    if "transfer-encoding" in fields:
        raise BadRequestError(501)
    length = fields.get("content-length", "0")
    if not length.isdecimal():
        raise BadRequestError(400)
    if len(length) > 9 or int(length) > MAX_BODY:
        raise BadRequestError(413)
    connection = fields.get("connection", "").lower()
    keep_alive = "keep-alive" in connection if http_1_0 else "close" not in connection
    return Headers(
        keep_alive, _allows_gzip(fields.get("accept-encoding", "")), fields.get("user-agent", ""), int(length)
    )


def _allows_gzip(accept_encoding: str) -> bool:
    for item in accept_encoding.lower().split(","):
        coding, _, weight = item.replace(" ", "").partition(";q=")
        if coding in {"gzip", "x-gzip", "*"}:
            return weight.strip("0.") != "" or not weight
    return False
