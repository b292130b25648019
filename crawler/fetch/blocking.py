"""One HTTP exchange as a plain sequence of blocking calls. Any number of threads may be in it at a time."""

import http.client
import os
import socket
import ssl
from collections.abc import Iterator
from http.cookiejar import CookieJar
from typing import cast
from urllib.parse import urlsplit
from urllib.request import Request

from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse
from urllib3.util.ssl_match_hostname import CertificateError

from crawler.codings import DecodeError
from crawler.content import BodyTooLargeError
from crawler.exchange import (
    DRAIN_BYTES,
    DRAIN_S,
    FetchSettings,
    Phase,
    RequestHeaders,
    is_drainable,
    lower_headers,
    new_body,
    one_line,
    wants_body,
)
from crawler.fetch.call import Call, LateError, LostError, WireError
from crawler.fetch.cookies import NarrowCookiePolicy
from crawler.fetch.dial import Dialler, LookUp, Names, RefusedError
from crawler.fetch.pool import Connection, Origin, Pool
from crawler.fetch.wire import MalformedError
from crawler.guard import Guard
from crawler.types import BodyRule, CrawlRequest, ErrorKind, Failed, Fetched

_PIECE = 64 * 1024
_PORTS = {"http": 80, "https": 443}


class AddressError(ValueError):
    """A URL that names no page of the web."""


class BlockingClient:
    """Fetches in the thread that asks for it."""

    def __init__(self, settings: FetchSettings, guard: Guard, look_up: LookUp) -> None:
        self._settings = settings
        self._headers = RequestHeaders(settings)
        self._cookies = CookieJar(NarrowCookiePolicy()) if settings.cookies else None
        self._names = Names(look_up, settings.dns_ttl_s)
        self._dialler = Dialler(guard, self._names)
        self._pool = Pool(settings.keepalive_s)

    def close(self) -> None:
        """Close all idle connections; those in use are closed when they are given back."""
        self._pool.close()
        self._names.close()

    def fetch(self, request: CrawlRequest, rule: BodyRule, call: Call) -> Fetched | Failed:
        """GET ``request.target``; whatever goes wrong is a :class:`Failed`."""
        call.start()
        try:
            return self._exchange(request, rule, call)
        except Exception as error:  # noqa: BLE001 - errors of three libraries, no closed list; none may end the crawl
            kind, message = _failure(error, call)
            return Failed(request, kind, message, call.elapsed())

    def _exchange(self, request: CrawlRequest, rule: BodyRule, call: Call) -> Fetched:
        origin, target = _split(request.target)
        call.host, call.port = origin.host, origin.port
        headers = {**self._headers.everywhere, **self._cookie(request.target), **self._headers.private(request.target)}
        connection, response = self._ask(origin, target, headers, call)
        try:
            ttfb_s = call.elapsed()
            call.begin(Phase.BODY)
            self._learn(request.target, response)
            fields = lower_headers(_fields(response))
            if wants_body(response.status, fields, rule):
                body = new_body(fields, rule, self._settings)
                for piece in response.stream(_PIECE):
                    if not body.feed(piece):
                        break
                content, wire_bytes = body.finish(), body.wire_bytes
            else:
                content, wire_bytes = None, _drain(response, fields, call)
        finally:
            call.release()
            self._pool.put(connection)
        return Fetched(
            request,
            request.target,
            response.status,
            fields,
            content,
            ttfb_s,
            call.elapsed(),
            wire_bytes,
        )

    def _ask(self, origin: Origin, target: str, headers: dict[str, str], call: Call) -> tuple[Connection, HTTPResponse]:
        """Send the request on an idle connection; on a new one if there is none, or if it is lost.

        The server may have closed an idle connection just then. On a new one, another try would be a retry of
        which neither politeness nor the record knows.
        """
        idle = self._pool.take(origin)
        if idle is not None:
            try:
                return idle, idle.ask(call, target, headers)
            except LostError:
                if call.was_answered:
                    raise
                call.begin(Phase.CONNECTION)
        connection = Connection(origin, self._settings)
        connection.open(call, self._dialler.dial(call))
        return connection, connection.ask(call, target, headers)

    def _cookie(self, url: str) -> dict[str, str]:
        if self._cookies is None:
            return {}
        asking = Request(url)  # noqa: S310 - what the cookie jar knows a URL by; nothing is opened
        self._cookies.add_cookie_header(asking)
        return dict(asking.header_items())

    def _learn(self, url: str, response: HTTPResponse) -> None:
        if self._cookies is not None:
            asked = Request(url)  # noqa: S310 - as above
            self._cookies.extract_cookies(cast("http.client.HTTPResponse", response), asked)


def _split(url: str) -> tuple[Origin, str]:
    """Return whom to ask, and for what: the path and query as they stand."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise AddressError(one_line(error)) from error
    if parts.scheme not in _PORTS or not host:
        raise AddressError(one_line(url))
    origin = Origin(parts.scheme, host, port if port is not None else _PORTS[parts.scheme])
    return origin, f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"


def _fields(response: HTTPResponse) -> Iterator[tuple[str, str]]:
    """Yield the header fields, with what is not UTF-8 as lone surrogates; http.client reads all as Latin-1."""
    for name, value in response.headers.items():
        text = value.strip(" \t")
        yield name, text if text.isascii() else text.encode("latin-1").decode("utf-8", "surrogateescape")


def _drain(response: HTTPResponse, headers: dict[str, str], call: Call) -> int:
    """Read off a small body that nobody wants; return its bytes. What goes wrong here spoils no result."""
    size = 0
    if response.length_remaining == 0 or is_drainable(response.status, headers):
        call.hurry(DRAIN_S)
        try:
            for piece in response.stream(_PIECE):
                size += len(piece)
                if size > DRAIN_BYTES:
                    break
        except (WireError, HTTPError):
            pass
    return size


def _failure(error: Exception, call: Call) -> tuple[ErrorKind, str]:
    """Return the kind of a failure and one line on it."""
    peer = f"{call.host}:{call.port}"
    connecting = call.phase is Phase.CONNECTION
    match error:
        case LateError() | TimeoutError():
            return ErrorKind.TIMEOUT, call.lateness()
        case DecodeError():
            return ErrorKind.DECODE, one_line(error)
        case BodyTooLargeError():
            return ErrorKind.BODY_TOO_LARGE, one_line(error)
        case socket.gaierror():
            return ErrorKind.DNS, f"no address for {call.host}: {one_line(error.strerror)}"
        case RefusedError():
            return ErrorKind.ADDRESS_REFUSED, str(error)
        case ssl.SSLError() | CertificateError() if connecting:
            return ErrorKind.TLS, f"TLS with {peer} failed: {one_line(error)}"
        case OSError() if connecting:
            return ErrorKind.CONNECT, f"cannot connect to {peer}: {_reason(error)}"
        case LostError() | HTTPError() | OSError():
            missing = "the end of the body" if call.phase is Phase.BODY else "the response"
            return ErrorKind.RESET, f"the connection was lost before {missing}"
        case AddressError() | http.client.InvalidURL() | UnicodeError():
            return ErrorKind.INTERNAL, f"not a URL to ask for: {one_line(error)}"
        case MalformedError() | http.client.HTTPException():
            return ErrorKind.PROTOCOL, f"not a valid HTTP response: {one_line(error)}"
        case _:
            return ErrorKind.INTERNAL, one_line(f"{type(error).__name__}: {error}")


def _reason(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno else one_line(error)
