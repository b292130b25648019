"""One exchange on aiohttp as its connector and its reader see it: which connection, and how long still."""

import asyncio
import socket
import time
from contextvars import ContextVar
from functools import partial

from aiohttp import ServerDisconnectedError, StreamReader
from aiohttp.client_proto import ResponseHandler

from crawler.content import Body
from crawler.exchange import FetchSettings, Phase, lateness
from crawler.fetch.deadlines import Deadlines
from crawler.fetch.kernel import KernelView


class Attempt:
    """The clock of one exchange, and what is known of its connection.

    Each phase has its deadline; a body has one after the other, as long as it keeps up its rate. Most exchanges end
    long before the first one, so a new phase only notes its own; the note is looked at when the first one has come.
    When the time is up, the task that made the attempt is cancelled, as by ``asyncio.timeout``.

    ``host`` and ``port`` are what was asked for; ``sockets`` are those of the addresses tried, ``refusal`` says why
    one was not; ``connections`` counts the times that aiohttp asked for a connection, ``reused`` is of the
    last one.
    """

    __slots__ = (
        "_began",
        "_cancelling",
        "_content",
        "_counted",
        "_deadlines",
        "_due",
        "_expired",
        "_kernel",
        "_loop",
        "_protocol",
        "_settings",
        "_started",
        "_task",
        "_wakes",
        "connections",
        "host",
        "phase",
        "port",
        "refusal",
        "reused",
        "sockets",
    )

    def __init__(self, settings: FetchSettings, deadlines: Deadlines, task: "asyncio.Task[object]") -> None:
        self.host = ""
        self.port = 0
        self.connections = 0
        self.reused = False
        self.sockets: list[socket.socket] = []
        self.refusal: str | None = None
        self.phase = Phase.CONNECTION
        self._protocol: ResponseHandler | None = None
        self._kernel: KernelView | None = None
        self._content: StreamReader | None = None
        self._counted = 0
        self._settings = settings
        self._deadlines = deadlines
        self._task = task
        self._cancelling = task.cancelling()
        self._expired = False
        self._loop = deadlines.loop
        self._started = self._loop.time()
        self._began = time.perf_counter()
        self._due = self._wakes = self._started + min(settings.connect_s, settings.total_s)
        deadlines.add(self._check, self._due)

    # --- time

    def connected(self, protocol: ResponseHandler | None, kernel: KernelView | None) -> None:
        """Hear on which connection the request is about to be sent."""
        self._protocol, self._kernel = protocol, kernel
        self._begin(Phase.HEADER, self._settings.first_byte_s)

    def answered(self) -> float:
        """Hear that the header is here; return the seconds until it came, not until we had time to look."""
        self._begin(Phase.BODY, self._settings.rate_s)
        return self.elapsed() - (self._kernel.silent_s() if self._kernel is not None else 0.0)

    def finished(self) -> None:
        """Stop the clock."""
        self._deadlines.remove(self._check, self._wakes)
        if self._expired:
            self._task.uncancel()

    def is_late(self) -> bool:
        """Return whether its task was cancelled because its time was up, and for no other reason."""
        return self._expired and self._task.cancelling() <= self._cancelling + 1

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
            self._arm()

    def _arm(self) -> None:
        self._deadlines.remove(self._check, self._wakes)
        self._wakes = self._due
        self._deadlines.add(self._check, self._due)

    def _check(self) -> None:
        if self._loop.time() < self._due:
            self._arm()
        elif self.phase is Phase.BODY and self._keeps_up():
            self._begin(Phase.BODY, self._settings.rate_s)
            self._arm()
        else:
            self._expired = True
            self._task.cancel()

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
