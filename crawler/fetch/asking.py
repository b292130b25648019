"""GET on aiohttp's connections: what its client does for one, and nothing that a crawler has no use for.

``ClientSession`` makes three objects and a dozen decisions for each request (methods, bodies, authentication, proxies,
tracing, redirects, middlewares), which cost more of the loop than the connection and the parser together. So a request
is written here, by hand, and its answer is taken from the connection's protocol as ``ClientResponse`` takes it.
"""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Mapping

import aiohttp
from aiohttp import ClientRequest, ClientTimeout, StreamReader
from aiohttp.connector import Connection
from multidict import CIMultiDictProxy
from yarl import URL

from crawler.exchange import FetchSettings
from crawler.fetch.connector import GuardedConnector, LostError

# What aiohttp buffers of a body before it makes the server wait; twice that per connection at most.
_READ_BUFFER = 64 * 1024
_NO_TIMEOUT = ClientTimeout(total=None)  # the attempt has its own clock
_ORIGINS = 4096  # remembered
_SWITCHING = 101
_SCHEMES = ("http", "https")
_UNSAFE = re.compile(r"[^\x21-\x7e]")  # in a canonical URL such characters are escaped


class Answer:
    """A response, from its header on; ``content`` is its body as it comes. To be closed."""

    __slots__ = ("_connection", "content", "headers", "status")

    def __init__(
        self, connection: Connection, status: int, headers: "CIMultiDictProxy[str]", content: StreamReader
    ) -> None:
        self.status = status
        self.headers = headers
        self.content = content
        self._connection = connection

    def close(self) -> None:
        """Close the connection, unless the body came to its end: then the pool has it already."""
        self._connection.close()


class Asking:
    """Asks for pages on the connections of a connector, which it closes in the end."""

    def __init__(self, settings: FetchSettings, connector: GuardedConnector, headers: Mapping[str, str]) -> None:
        self._settings = settings
        self._connector = connector
        self._headers = _lines(headers)
        self._origins: OrderedDict[str, tuple[ClientRequest, bytes]] = OrderedDict()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._connector.close()

    async def ask(self, url: str, headers: Mapping[str, str]) -> Answer:
        """Send a request, and wait for the header of its response.

        A used connection that is lost without an answer may have been closed by the server just then: then there is
        another try, on a new one (RFC 9110 section 9.2.2).

        Raises:
            InvalidURL: the URL is none of a page, or would not stay one line of a request.
            ClientError, HttpProcessingError: there is no response.
        """
        if _UNSAFE.search(url):
            raise aiohttp.InvalidURL(url)
        origin, path = _split(url)
        known = self._origin(origin)
        more = _lines(headers) if headers else b""
        head = b"GET %s HTTP/1.1\r\n%s%s%s\r\n" % (path.encode(), known[1], self._headers, more)
        connection = await self._connector.connect(known[0], [], _NO_TIMEOUT)
        try:
            return await self._ask(connection, head)
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
            connection = await self._connector.connect(known[0], [], _NO_TIMEOUT)
            return await self._ask(connection, head)

    async def _ask(self, connection: Connection, head: bytes) -> Answer:
        try:
            protocol, transport = connection.protocol, connection.transport
            if protocol is None or transport is None:
                raise LostError
            protocol.set_response_params(
                read_until_eof=True,
                auto_decompress=False,
                read_bufsize=_READ_BUFFER,
                max_line_size=self._settings.max_field,
                max_field_size=self._settings.max_field,
            )
            transport.write(head)
            message, content = await protocol.read()
            while 100 <= message.code < 200 and message.code != _SWITCHING:
                message, content = await protocol.read()
        except BaseException:
            connection.close()
            raise
        if not protocol.upgraded:
            content.on_eof(connection.release)
        return Answer(connection, message.code, message.headers, content)

    def _origin(self, origin: str) -> tuple[ClientRequest, bytes]:
        """Return what the connector knows an origin by, and its ``Host`` field."""
        known = self._origins.pop(origin, None)
        if known is None:
            url = URL(origin)
            if url.scheme not in _SCHEMES or not url.raw_host:
                raise aiohttp.InvalidURL(f"{origin}/")
            request = ClientRequest("GET", url, loop=asyncio.get_running_loop(), ssl=self._settings.verify_tls)
            known = request, _lines({"Host": request.headers["Host"]})
            if len(self._origins) >= _ORIGINS:
                self._origins.popitem(last=False)
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
