"""Connections of urllib3 to permitted addresses, and a pool of the idle ones.

urllib3 writes the request, does the TLS handshake, and reads the body. Its own pool is not used: it keeps idle
connections for ever, reads a response that was sent before its request, and cannot be told that the second try
of a request must not be on another old connection.
"""

import functools
import socket
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import HTTPResponse

from crawler.exchange import FetchSettings, Phase
from crawler.fetch.call import Call
from crawler.fetch.wire import StrictResponse, TimedSocket


class Origin(NamedTuple):
    """What a connection serves, and what its address was vetted for."""

    scheme: str
    host: str
    port: int


class _Plain(HTTPConnection):
    """Takes a socket that is connected already."""

    response_class = StrictResponse
    given: socket.socket

    def _new_conn(self) -> socket.socket:
        return self.given


class _Secure(_Plain, HTTPSConnection):
    """The same with TLS."""


class Connection:
    """A connection, for one exchange at a time."""

    def __init__(self, origin: Origin, settings: FetchSettings) -> None:
        self.origin = origin
        self.idle_since = 0.0
        self._max_line = settings.max_field
        self._http: _Plain
        if origin.scheme == "https":
            self._http = _Secure(origin.host, origin.port, ssl_context=_tls(verify=settings.verify_tls))
        else:
            self._http = _Plain(origin.host, origin.port)
        self._socket: TimedSocket
        self._response: HTTPResponse | None = None

    def open(self, call: Call, connected: socket.socket) -> None:
        """Take over a socket; with TLS, shake hands.

        Raises:
            OSError: TLS failed, or the connection broke.
            WireError: the call was aborted.
        """
        self._http.given = connected
        try:
            # TLS takes the socket out of its object before it blocks: for this while the call holds a duplicate.
            with connected.dup() as handle:
                call.hold(handle)
                self._http.connect()
        except BaseException:
            connected.close()
            raise
        finally:
            call.release()
        self._socket = self._http.sock = TimedSocket(self._http.sock, self._max_line)

    def ask(self, call: Call, target: str, headers: Mapping[str, str]) -> HTTPResponse:
        """Send a request and return its response, the body still unread; close the connection if that fails.

        Raises:
            WireError: there is no response, not in time, or none that is sound.
            HTTPException: http.client says so.
            ValueError: the target or a header cannot be sent.
        """
        call.begin(Phase.HEADER)
        try:
            self._socket.serve(call)
            self._http.request("GET", target, headers=headers, preload_content=False, decode_content=False)
            self._response = self._http.getresponse()
        except BaseException:
            self.close()
            raise
        return self._response

    @property
    def is_reusable(self) -> bool:
        """Whether the last response was read to its end, nothing followed it, and the server keeps the connection."""
        complete = self._response is not None and self._response.isclosed()
        return complete and not self._http.is_closed and not self._socket.surplus

    @property
    def is_silent(self) -> bool:
        """Whether nothing came since, and not its end either."""
        return self._http.is_connected

    def close(self) -> None:
        """Close it, and a response that was not read to its end."""
        if self._response is not None:
            self._response.close()
        self._http.close()


class Pool:
    """Idle connections by origin, the last one used first; each for ``keepalive_s`` seconds."""

    def __init__(self, keepalive_s: float) -> None:
        self._keepalive_s = keepalive_s
        self._lock = threading.Lock()
        self._idle: defaultdict[Origin, list[Connection]] = defaultdict(list)
        self._swept = time.monotonic()
        self._closed = False

    def take(self, origin: Origin) -> Connection | None:
        """Return a connection on which the server said nothing since, and close those where it did."""
        oldest = time.monotonic() - self._keepalive_s
        while True:
            with self._lock:
                if not (idle := self._idle.get(origin)):
                    return None
                connection = idle.pop()
            if connection.idle_since >= oldest and connection.is_silent:
                return connection
            connection.close()

    def put(self, connection: Connection) -> None:
        """Keep a connection, or close it if it can serve no other exchange."""
        connection.idle_since = now = time.monotonic()
        with self._lock:
            keep = not self._closed and connection.is_reusable
            if keep:
                self._idle[connection.origin].append(connection)
            stale = self._sweep(now) if now - self._swept > self._keepalive_s / 2 else []
        for each in stale if keep else [*stale, connection]:
            each.close()

    def close(self) -> None:
        """Close all, and every one that is put back later."""
        with self._lock:
            self._closed = True
            everything = self._sweep(float("inf"))
        for connection in everything:
            connection.close()

    def _sweep(self, now: float) -> list[Connection]:
        """Take out what was idle for too long."""
        self._swept = now
        stale: list[Connection] = []
        for origin, connections in list(self._idle.items()):
            while connections and connections[0].idle_since < now - self._keepalive_s:
                stale.append(connections.pop(0))
            if not connections:
                del self._idle[origin]
        return stale


@functools.cache
def _tls(*, verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
