"""A blocking fetcher's way to a server: names looked up in time, and every address vetted before it is tried."""

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeAlias

from crawler.fetch.call import Call
from crawler.guard import Guard

Address: TypeAlias = tuple[socket.AddressFamily, str]
LookUp: TypeAlias = Callable[[str], Sequence[Address]]

_THREADS = 16
_MAX_NAMES = 10_000


class RefusedError(Exception):
    """No address of a host may be reached; ``str()`` is one line for a person."""


class Names:
    """Looks names up in threads of its own, and remembers the answers for ``ttl_s`` seconds; failures it does not.

    The system's look-up cannot be interrupted, and takes many seconds where a name server is dead: a thread of
    its own is what lets an exchange give up on it.
    """

    def __init__(self, look_up: LookUp, ttl_s: float) -> None:
        self._look_up = look_up
        self._ttl_s = ttl_s
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="dns")
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, Future[Sequence[Address]]]] = {}

    def find(self, host: str) -> "Future[Sequence[Address]]":
        """Return a look-up: a new one, or one that others began."""
        with self._lock:
            expiry, known = self._known.pop(host, (0.0, None))
            if known is None or (known.done() and (time.monotonic() >= expiry or known.exception() is not None)):
                expiry, known = time.monotonic() + self._ttl_s, self._threads.submit(self._look_up, host)
            self._known[host] = expiry, known
            if len(self._known) > _MAX_NAMES:
                del self._known[next(iter(self._known))]
        return known

    def close(self) -> None:
        """Drop look-ups that wait; those that run end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class Dialler:
    """Opens connections to permitted addresses.

    The guard is asked about the very address that is connected to next, so a name that changes its address
    gains nothing.
    """

    def __init__(self, guard: Guard, names: Names) -> None:
        self._guard = guard
        self._names = names

    def dial(self, call: Call) -> socket.socket:
        """Connect to the first address of the call's host that may be reached and answers.

        Addresses are tried one after another; each has its share of the time that is left.

        Raises:
            OSError: the name has no address (``gaierror``), or none answers.
            RefusedError: none may be reached.
            WireError: the time is over, or the call was aborted.
        """
        addresses = self._addresses(call)
        refusal, failure = "it has no address", None
        for tried, (family, address) in enumerate(addresses):
            refused = self._guard.refusal(call.host, call.port, address)
            if refused is not None:
                refusal = refused
                continue
            try:
                return _connect(call, family, address, len(addresses) - tried)
            except OSError as error:
                failure = error
                call.remaining()
        raise failure or RefusedError(refusal)

    def _addresses(self, call: Call) -> Sequence[Address]:
        try:
            literal = ipaddress.ip_address(call.host)
        except ValueError:
            return call.wait_for(self._names.find(call.host))
        return [(socket.AF_INET if literal.version == 4 else socket.AF_INET6, call.host)]


def _connect(call: Call, family: socket.AddressFamily, address: str, shares: int) -> socket.socket:
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        call.hold(connection)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(call.remaining() / shares)
        connection.connect((address, call.port))
        connection.settimeout(call.remaining())
    except BaseException:
        call.release()
        connection.close()
        raise
    return connection
