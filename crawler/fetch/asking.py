"""GET on aiohttp's connections: what its client does for one, and nothing that a crawler has no use for.

``ClientSession`` makes three objects and a dozen decisions for each request (methods, bodies, authentication, proxies,
tracing, redirects, middlewares), which cost more of the loop than the connection and the parser together. So a request
is written here, by hand.
"""

import asyncio
import re
from collections.abc import Mapping

import aiohttp
from aiohttp import ClientRequest
from yarl import URL

from crawler.exchange import FetchSettings
from crawler.fetch.connection import HttpConnection, UnansweredError
from crawler.fetch.connector import GuardedConnector
from crawler.fetch.idle import IdleConnections
from crawler.fetch.reply import Reply

_ORIGINS = 4096  # remembered
_SCHEMES = ("http", "https")
_UNSAFE = re.compile(r"[^\x21-\x7e]")  # in a canonical URL such characters are escaped


class Asking:
    """Asks for pages on the connections of a connector, which it closes in the end."""

    def __init__(self, settings: FetchSettings, connector: GuardedConnector, headers: Mapping[str, str]) -> None:
        self._settings = settings
        self._connector = connector
        self._headers = _lines(headers)
        self._idle = IdleConnections(settings.keepalive_s)
        self._origins: dict[str, tuple[ClientRequest, bytes]] = {}

    async def aclose(self) -> None:
        """Close all connections."""
        self._idle.close()
        await self._connector.close()

    async def ask(self, url: str, headers: Mapping[str, str], reply: Reply) -> None:
        """Send a request; return when the reply has all that it wants.

        A used connection that is lost without an answer may have been closed by the server just then: then there is
        another try, on a new one (RFC 9110 section 9.2.2). On a new one a second try would be a retry of which neither
        politeness nor the record knows.

        Raises:
            InvalidURL: the URL is none of a page, or would not stay one line of a request.
            ClientError, HttpProcessingError: there is no response, or only a part of one.
            BodyTooLargeError, DecodeError: as :class:`Reply` says.
        """
        if _UNSAFE.search(url):
            raise aiohttp.InvalidURL(url)
        origin, path = _split(url)
        request, host = self._origin(origin)
        more = _lines(headers) if headers else b""
        head = b"GET %s HTTP/1.1\r\n%s%s%s\r\n" % (path.encode(), host, self._headers, more)
        used = self._idle.take(origin)
        if used is not None:
            try:
                await self._ask(origin, used, head, reply)
            except UnansweredError:
                pass
            else:
                return
        await self._ask(origin, await self._connector.open(request, reply.attempt), head, reply)

    async def _ask(self, origin: str, connection: HttpConnection, head: bytes, reply: Reply) -> None:
        reply.attempt.asks(connection)
        try:
            await connection.ask(head, reply)
        except BaseException:
            connection.discard()
            raise
        self._idle.put(origin, connection)

    def _origin(self, origin: str) -> tuple[ClientRequest, bytes]:
        """Return what the connector knows an origin by, and its ``Host`` field."""
        known = self._origins.get(origin)
        if known is None:
            url = URL(origin)
            if url.scheme not in _SCHEMES or not url.raw_host:
                raise aiohttp.InvalidURL(f"{origin}/")
            request = ClientRequest("GET", url, loop=asyncio.get_running_loop(), ssl=self._settings.verify_tls)
            known = request, _lines({"Host": request.headers["Host"]})
            if len(self._origins) >= _ORIGINS:
                self._origins.clear()
            self._origins[origin] = known
        return known


def _split(url: str) -> tuple[str, str]:
    """Return the origin of an absolute URL, and what is asked for there."""
    start = url.find("/", url.find("://") + 3)
    end = url.find("?", url.find("://") + 3)
    if start < 0 or 0 <= end < start:
        start = end if end >= 0 else len(url)
    origin, rest = url[:start], url[start:].partition("#")[0]
    return origin, rest if rest.startswith("/") else f"/{rest}"


def _lines(headers: Mapping[str, str]) -> bytes:
    return b"".join(b"%s: %s\r\n" % (name.encode("ascii"), value.encode()) for name, value in headers.items())
