"""aiohttp's connector with our rules: every address vetted, no connection reused that is not clean.

**Guard.** ``socket_factory`` makes every socket of the connector, and is given the very address that is
connected to next: of names, of literal addresses, of each contender of happy eyeballs. The hostname comes
from :data:`~crawler.fetch.attempt.CURRENT`, which the tasks that connect inherit. A pooled
connection is keyed by host and port, and was vetted for them.

**Surplus.** aiohttp returns a connection to its pool at the end of a body and goes on parsing: what a server
sends beyond its response (a body longer than announced, a response sent twice) becomes the answer to the next
request, that is, the content of another page. So a connection on which anything arrived since its last
response is closed. The same check spots those that the server closed meanwhile.

**One try.** aiohttp repeats a request after any lost connection. That is right for a reused one, which the
server may have closed just then; on a new one it would be a retry of which neither politeness nor the record
knows.
"""

import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from aiohttp import AddrInfoType, ClientConnectionError, ClientRequest, ClientTimeout, TCPConnector
from aiohttp.abc import AbstractResolver
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection

from crawler.exchange import FetchSettings
from crawler.fetch.attempt import CURRENT
from crawler.fetch.kernel import KernelView
from crawler.guard import Guard

if TYPE_CHECKING:
    from aiohttp.tracing import Trace


class LostError(ClientConnectionError):
    """A connection was lost on which the exchange depends."""


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
        self._views: WeakKeyDictionary[ResponseHandler, KernelView] = WeakKeyDictionary()

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
        attempt = CURRENT.get()
        again = attempt.connections > 0
        if again and not attempt.reused:
            raise LostError
        attempt.host, attempt.port = req.url.raw_host or "", req.url.port or 0
        attempt.connections += 1
        while True:
            before = len(attempt.sockets)
            connection = await super().connect(req, traces, timeout)
            attempt.reused = len(attempt.sockets) == before
            view = self._view(connection, attempt.sockets)
            if not attempt.reused:
                _retrieve_when_closed(connection)
            elif again or view is None or view.has_news():
                connection.close()
                continue
            attempt.connected(connection.protocol, view)
            return connection

    def _view(self, connection: Connection, opened: Sequence[socket.socket]) -> KernelView | None:
        """Return what to ask of the connection; None where there is nothing left to ask."""
        protocol, transport = connection.protocol, connection.transport
        if protocol is None or transport is None or protocol.should_close:
            return None
        view = self._views.get(protocol)
        if view is None:
            connected = transport.get_extra_info("socket")
            number = -1 if connected is None else connected.fileno()
            view = next((KernelView(each) for each in opened if each.fileno() == number >= 0), None)
            if view is not None:
                self._views[protocol] = view
        return view

    def _open_socket(self, info: AddrInfoType) -> socket.socket:
        """Make a socket for an address that may be reached."""
        family, kind, protocol, _, address = info
        attempt = CURRENT.get()
        refusal = self._address_guard.refusal(attempt.host, attempt.port, str(address[0]))
        if refusal is not None:
            attempt.refusal = refusal
            raise PermissionError(refusal)
        opened = socket.socket(family, kind, protocol)
        attempt.sockets.append(opened)
        return opened


def _retrieve_when_closed(connection: Connection) -> None:
    """Have the connection tell when it is lost; a reset is no news to log, whoever depends on it asks."""
    closed = connection.protocol.closed if connection.protocol is not None else None
    if closed is not None:
        closed.add_done_callback(lambda lost: lost.cancelled() or lost.exception())
