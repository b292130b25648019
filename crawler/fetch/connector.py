"""aiohttp's connector with our rules: it opens :class:`~crawler.fetch.connection.HttpConnection`, every address vetted.

``socket_factory`` makes every socket of the connector, and is given the very address that is
connected to next: of names, of literal addresses, of each contender of happy eyeballs. The hostname comes
from a context variable, which the tasks that connect inherit.
"""

import socket
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import partial

from aiohttp import AddrInfoType, ClientRequest, ClientTimeout, TCPConnector
from aiohttp.abc import AbstractResolver
from aiohttp.client_proto import ResponseHandler

from crawler.exchange import FetchSettings
from crawler.fetch.attempt import Attempt
from crawler.fetch.connection import HttpConnection
from crawler.fetch.kernel import KernelView
from crawler.guard import Guard

_CURRENT: ContextVar[Attempt] = ContextVar("current_attempt")  # what a task, and those that it starts, connect for
_NO_TIMEOUT = ClientTimeout(total=None)  # the attempt has its own clock


class GuardedConnector(TCPConnector):
    """Opens connections to permitted addresses; it keeps none, see :mod:`~crawler.fetch.idle`."""

    def __init__(self, settings: FetchSettings, guard: Guard, resolver: AbstractResolver) -> None:
        super().__init__(
            limit=0,
            resolver=resolver,
            ttl_dns_cache=round(settings.dns_ttl_s),
            dns_cache_max_size=10_000,
            ssl=settings.verify_tls,
            socket_factory=self._open_socket,
        )
        make: Callable[..., ResponseHandler] = HttpConnection
        self._factory = partial(make, self._loop, max_field=settings.max_field)
        self._address_guard = guard

    async def open(self, request: ClientRequest, attempt: Attempt) -> HttpConnection:
        """Return a new connection to where the request is to go.

        Raises:
            ClientError: there is none.
        """
        attempt.connects(request.url.raw_host or "", request.url.port or 0)
        token = _CURRENT.set(attempt)
        try:
            held = await self.connect(request, [], _NO_TIMEOUT)
        finally:
            _CURRENT.reset(token)
        connection = held.protocol
        assert isinstance(connection, HttpConnection), "it was made by the factory above"
        connection.hold(held, _view(connection, attempt.sockets))
        return connection

    def _open_socket(self, info: AddrInfoType) -> socket.socket:
        """Make a socket for an address that may be reached."""
        family, kind, protocol, _, address = info
        attempt = _CURRENT.get()
        refusal = self._address_guard.refusal(attempt.host, attempt.port, str(address[0]))
        if refusal is not None:
            attempt.refusal = refusal
            raise PermissionError(refusal)
        opened = socket.socket(family, kind, protocol)
        attempt.sockets.append(opened)
        return opened


def _view(connection: HttpConnection, opened: Sequence[socket.socket]) -> KernelView | None:
    """Return what to ask of the connection; None where it is lost already."""
    connected = connection.transport.get_extra_info("socket") if connection.transport is not None else None
    number = -1 if connected is None else connected.fileno()
    return next((KernelView(each) for each in opened if each.fileno() == number >= 0), None)
