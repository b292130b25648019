"""aiohttp's connector with our rules: every address vetted, no connection reused that is not clean.

**Guard.** ``socket_factory`` makes every socket of the connector, and is given the very address that is connected to
next: names, literal addresses, each contender of happy eyeballs. The hostname comes from :data:`CURRENT`, which
:meth:`GuardedConnector.connect` sets and the tasks below it inherit. A pooled connection is keyed by host and port
and was vetted for them.

**Surplus.** aiohttp returns a connection to its pool at the end of a body and goes on parsing: what a server sends
beyond its response (a body longer than announced, a response sent twice) becomes the answer to the next request,
that is, the content of another page. So a connection on which anything arrived since its last response is closed.
The same check spots those that the server closed meanwhile.

**One try.** aiohttp repeats a request after any lost connection. That is right for a reused one, which the server
may have closed just then; on a fresh one it would be a retry of which neither politeness nor the record knows.
"""

import select
import socket
from contextvars import ContextVar
from typing import TYPE_CHECKING

from aiohttp import AddrInfoType, ClientConnectionError, ClientRequest, ClientTimeout, TCPConnector
from aiohttp.abc import AbstractResolver
from aiohttp.connector import Connection

from crawler.exchange import FetchSettings
from crawler.guard import Guard

if TYPE_CHECKING:
    from aiohttp.tracing import Trace


class LostError(ClientConnectionError):
    """A fresh connection was lost before its response."""


class Connecting:
    """What is known of the connection of one exchange."""

    __slots__ = ("connections", "host", "port", "refusal", "reused", "sockets")

    def __init__(self) -> None:
        self.host = ""
        self.port = 0
        self.connections = 0
        self.reused = False
        self.sockets = 0
        self.refusal: str | None = None

    def connected(self) -> None:
        """Hear that the request is about to be sent."""


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

    async def connect(self, req: ClientRequest, traces: "list[Trace]", timeout: ClientTimeout) -> Connection:
        """Return a connection that is new, or as good as new; the second time for an exchange a new one.

        Raises:
            LostError: a second connection is asked for though the first one was new.
        """
        exchange = CURRENT.get()
        again = exchange.connections > 0
        if again and not exchange.reused:
            raise LostError("the connection was lost before the response")
        exchange.host, exchange.port = req.url.raw_host or "", req.url.port or 0
        exchange.connections += 1
        while True:
            before = exchange.sockets
            connection = await super().connect(req, traces, timeout)
            exchange.reused = exchange.sockets == before
            if not exchange.reused or not (again or _is_dirty(connection)):
                exchange.connected()
                return connection
            connection.close()

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


def _is_dirty(connection: Connection) -> bool:
    """Return whether an idle connection was spoken on, or closed, also where the loop has not seen it yet."""
    protocol, transport = connection.protocol, connection.transport
    if protocol is None or transport is None or protocol.should_close:
        return True
    poll = select.poll()
    poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
    return bool(poll.poll(0))
