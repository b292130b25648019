"""aiohttp's connector with our rules: every address vetted, no connection reused that is not clean.

**Guard.** ``socket_factory`` makes every socket of the connector, and is given the very address that is
connected to next: of names, of literal addresses, of each contender of happy eyeballs. The hostname comes
from :data:`CURRENT`, which :meth:`GuardedConnector.connect` fills and the tasks below it inherit. A pooled
connection is keyed by host and port, and was vetted for them.

**Surplus.** aiohttp returns a connection to its pool at the end of a body and goes on parsing: what a server
sends beyond its response (a body longer than announced, a response sent twice) becomes the answer to the next
request, that is, the content of another page. So a connection on which anything arrived since its last
response is closed. The same check spots those that the server closed meanwhile.

**One try.** aiohttp repeats a request after any lost connection. That is right for a reused one, which the
server may have closed just then; on a new one it would be a retry of which neither politeness nor the record
knows.

**Broken bodies.** Where a chunk of a body is malformed, aiohttp closes the connection and tells nobody who
waits for the body; where a body ends with its connection, it takes a reset for the end.
:attr:`Connecting.closed` tells of both.
"""

import asyncio
import select
import socket
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import (
    AddrInfoType,
    ClientConnectionError,
    ClientRequest,
    ClientTimeout,
    ServerDisconnectedError,
    StreamReader,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection

from crawler.content import Body
from crawler.exchange import FetchSettings
from crawler.guard import Guard

if TYPE_CHECKING:
    from aiohttp.tracing import Trace


class LostError(ClientConnectionError):
    """A connection was lost on which the exchange depends."""


class Connecting:
    """What is known of the connection of one exchange.

    ``refusal`` says why an address was not connected to; ``sockets`` counts those that were tried.
    """

    __slots__ = ("connections", "host", "port", "protocol", "refusal", "reused", "sockets")

    def __init__(self) -> None:
        self.host = ""
        self.port = 0
        self.connections = 0
        self.reused = False
        self.sockets = 0
        self.refusal: str | None = None
        self.protocol: ResponseHandler | None = None

    def connected(self) -> None:
        """Hear that the request is about to be sent."""

    @property
    def closed(self) -> "asyncio.Future[None] | None":
        """Done when the connection is lost, with an exception unless the server closed it in good order."""
        return self.protocol.closed if self.protocol is not None else None

    async def read(self, content: StreamReader, body: Body) -> None:
        """Feed the body from the wire, until its end or until it wants no more.

        Raises:
            ClientError: the body breaks off, or is malformed.
        """
        closed = self.closed
        if closed is None or content.is_eof():
            return await _feed(content, body)
        wake = partial(self._wake, content)
        closed.add_done_callback(wake)
        try:
            return await _feed(content, body)
        finally:
            closed.remove_done_callback(wake)

    def _wake(self, content: StreamReader, _: object) -> None:
        """Tell whoever waits for a body that the connection is lost."""
        if self.protocol is not None and not content.is_eof() and content.exception() is None:
            content.set_exception(self.protocol.exception() or ServerDisconnectedError())

    def was_reset(self) -> bool:
        """Return whether the connection broke; a body that ends with its connection is then no whole one."""
        closed = self.closed
        return closed is not None and closed.done() and closed.exception() is not None


async def _feed(content: StreamReader, body: Body) -> None:
    while body.feed(await content.readany()) and not content.at_eof():
        pass


CURRENT: ContextVar[Connecting] = ContextVar("current_exchange")


class GuardedConnector(TCPConnector):
    """A pool of connections to permitted addresses."""

    def __init__(self, settings: FetchSettings, guard: Guard, resolver: AbstractResolver) -> None:
        super().__init__(
            limit=0,
            resolver=resolver,
            ttl_dns_cache=round(settings.dns_ttl_s),
            dns_cache_max_size=10_000,
            keepalive_timeout=settings.keepalive_s,
            ssl=settings.verify_tls,
            socket_factory=self._open_socket,
        )
        self._address_guard = guard

    async def connect(
        self,
        req: ClientRequest,
        traces: "list[Trace]",
        timeout: ClientTimeout,  # noqa: ASYNC109 - the signature is aiohttp's
    ) -> Connection:
        """Return a connection that is new, or as good as new; for a second try a new one.

        Raises:
            LostError: a second try is wanted though the first connection was new.
        """
        exchange = CURRENT.get()
        again = exchange.connections > 0
        if again and not exchange.reused:
            raise LostError
        exchange.host, exchange.port = req.url.raw_host or "", req.url.port or 0
        exchange.connections += 1
        while True:
            before = exchange.sockets
            connection = await super().connect(req, traces, timeout)
            exchange.reused = exchange.sockets == before
            if not exchange.reused:
                _retrieve_when_closed(connection)
            elif again or _is_dirty(connection):
                connection.close()
                continue
            exchange.protocol = connection.protocol
            exchange.connected()
            return connection

    def _open_socket(self, info: AddrInfoType) -> socket.socket:
        """Make a socket for an address that may be reached."""
        family, kind, protocol, _, address = info
        exchange = CURRENT.get()
        refusal = self._address_guard.refusal(exchange.host, exchange.port, str(address[0]))
        if refusal is not None:
            exchange.refusal = refusal
            raise PermissionError(refusal)
        exchange.sockets += 1
        return socket.socket(family, kind, protocol)


def _retrieve_when_closed(connection: Connection) -> None:
    """Have the connection tell when it is lost; a reset is no news to log, whoever depends on it asks."""
    closed = connection.protocol.closed if connection.protocol is not None else None
    if closed is not None:
        closed.add_done_callback(lambda lost: lost.cancelled() or lost.exception())


def _is_dirty(connection: Connection) -> bool:
    """Return whether an idle connection was spoken on, or closed, also where the loop has not seen it yet."""
    protocol, transport = connection.protocol, connection.transport
    if protocol is None or transport is None or protocol.should_close:
        return True
    poll = select.poll()
    poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
    return bool(poll.poll(0))
