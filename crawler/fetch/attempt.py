"""One exchange on aiohttp as its connector and its reader see it: which connection, and how long still."""

import asyncio
import socket
import sys
import time
from contextvars import ContextVar
from functools import partial
from struct import Struct

from aiohttp import ServerDisconnectedError, StreamReader
from aiohttp.client_proto import ResponseHandler

from crawler.content import Body
from crawler.exchange import FetchSettings, Phase, lateness

# struct tcp_info of linux/tcp.h: eight bytes, then numbers of 32 bits, of which tcpi_last_data_recv is the twelfth.
_TCP_INFO = socket.TCP_INFO if sys.platform == "linux" else None
_LAST_DATA_RECV, _OFFSET = Struct("I"), 8 + 11 * 4
_TICK_MS = 10  # the kernel counts such times in its ticks, of 1 to 10 ms, and may be one of them too high


class Attempt:
    """The clock of one exchange, and what is known of its connection.

    Each phase has its deadline; a body has one after the other, as long as it keeps up its rate. Most exchanges end
    long before the first one, so a new phase only notes its own; the one timer looks at the note when it fires, and
    fires again if it was early.

    ``host`` and ``port`` are what was asked for; ``sockets`` counts the addresses tried, ``refusal`` says why
    one was not; ``connections`` counts the times that aiohttp asked for a connection, ``reused`` is of the
    last one.
    """

    __slots__ = (
        "_began",
        "_content",
        "_counted",
        "_due",
        "_loop",
        "_protocol",
        "_settings",
        "_started",
        "_timer",
        "_wakes",
        "connections",
        "host",
        "phase",
        "port",
        "refusal",
        "reused",
        "sockets",
        "timeout",
    )

    def __init__(self, settings: FetchSettings) -> None:
        self.host = ""
        self.port = 0
        self.connections = 0
        self.reused = False
        self.sockets = 0
        self.refusal: str | None = None
        self.phase = Phase.CONNECTION
        self.timeout = asyncio.timeout(None)
        self._protocol: ResponseHandler | None = None
        self._content: StreamReader | None = None
        self._counted = 0
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.time()
        self._began = time.perf_counter()
        self._due = self._started + min(settings.connect_s, settings.total_s)
        self._arm()

    # --- time

    def connected(self, protocol: ResponseHandler | None) -> None:
        """Hear that the request is about to be sent."""
        self._protocol = protocol
        self._begin(Phase.HEADER, self._settings.first_byte_s)

    def answered(self) -> float:
        """Hear that the header is here; return the seconds until it came, not until we had time to look."""
        self._begin(Phase.BODY, self._settings.rate_s)
        return self.elapsed() - self._unnoticed()

    def _unnoticed(self) -> float:
        """Return the seconds since the connection's last bytes arrived, as the kernel tells (Linux): at least these."""
        transport = self._protocol.transport if self._protocol is not None else None
        connection = transport.get_extra_info("socket") if transport is not None else None
        if connection is None or _TCP_INFO is None:
            return 0.0
        try:
            known = connection.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _OFFSET + _LAST_DATA_RECV.size)
        except OSError:  # lost in this very moment
            return 0.0
        milliseconds: int = _LAST_DATA_RECV.unpack_from(known, _OFFSET)[0]
        return max(0.0, (milliseconds - _TICK_MS) / 1e3)

    def finished(self) -> None:
        """Stop the clock."""
        self._timer.cancel()

    def elapsed(self) -> float:
        """Return the seconds since the beginning."""
        return time.perf_counter() - self._began  # a loop's clock may stand still for a millisecond

    def lateness(self) -> str:
        """Return what the exchange waited for in vain, and how long."""
        total = self._due == self._started + self._settings.total_s
        return lateness(self._settings, self.phase, total=total)

    def _begin(self, phase: Phase, seconds: float) -> None:
        self.phase = phase
        self._due = min(self._loop.time() + seconds, self._started + self._settings.total_s)
        if self._due < self._wakes:
            self._timer.cancel()
            self._arm()

    def _arm(self) -> None:
        self._wakes = self._due
        self._timer = self._loop.call_at(self._due, self._check)

    def _check(self) -> None:
        if self._loop.time() < self._due:
            self._arm()
        elif self.phase is Phase.BODY and self._keeps_up():
            self._begin(Phase.BODY, self._settings.rate_s)
            self._arm()
        else:
            self.timeout.reschedule(self._due)

    def _keeps_up(self) -> bool:
        """Whether the body may go on: there is time left, and enough of it came since it was last asked for."""
        if self._due >= self._started + self._settings.total_s:
            return False
        count = self._content.total_bytes if self._content is not None else 0
        came, self._counted = count - self._counted, count
        return came >= self._settings.min_rate * self._settings.rate_s

    # --- the end of a body, where aiohttp does not tell

    async def read(self, content: StreamReader, body: Body) -> None:
        """Feed the body from the wire, until its end or until it wants no more.

        Where a chunk is malformed, aiohttp closes the connection and tells nobody who waits for the body: so
        the end of the connection does.

        Raises:
            ClientError: the body breaks off.
            HttpProcessingError: it is malformed.
        """
        self._content, closed = content, self._closed
        if closed is None or content.is_eof():
            return await _feed(content, body)
        tell = partial(self._tell, content)
        closed.add_done_callback(tell)
        try:
            return await _feed(content, body)
        finally:
            closed.remove_done_callback(tell)

    def was_reset(self) -> bool:
        """Return whether the connection broke.

        aiohttp takes also that for the end of a body which only the end of the connection ends.
        """
        closed = self._closed
        return closed is not None and closed.done() and closed.exception() is not None

    @property
    def _closed(self) -> "asyncio.Future[None] | None":
        """Done when the connection is lost, with an exception unless it was closed in good order."""
        return self._protocol.closed if self._protocol is not None else None

    def _tell(self, content: StreamReader, _: object) -> None:
        if self._protocol is not None and not content.is_eof() and content.exception() is None:
            content.set_exception(self._protocol.exception() or ServerDisconnectedError())


async def _feed(content: StreamReader, body: Body) -> None:
    while body.feed(await content.readany()) and not content.at_eof():
        pass


CURRENT: ContextVar[Attempt] = ContextVar("current_attempt")
"""The attempt that a task, and the tasks that it starts to connect, work for."""
