"""One exchange of a coroutine: how long it may take still, and what is known of its connection."""

import asyncio
import socket
import time

from crawler.exchange import DRAIN_S, FetchSettings, Phase, lateness
from crawler.fetch.connection import HttpConnection
from crawler.fetch.deadlines import Deadlines


class Attempt:
    """The clock of one exchange, and what is known of its connection.

    Each phase has its deadline; a body has one after the other, as long as it keeps up its rate. Most exchanges end
    long before the first one, so a new phase only notes its own; the note is looked at when the first one has come.
    When the time is up, the task that made the attempt is cancelled, as by ``asyncio.timeout``.

    ``host`` and ``port`` are what a new connection was asked for; ``sockets`` are those of the addresses tried,
    ``refusal`` says why one was not. ``came`` counts the bytes of the body.
    """

    __slots__ = (
        "_began",
        "_cancelling",
        "_connection",
        "_counted",
        "_deadlines",
        "_draining",
        "_due",
        "_expired",
        "_loop",
        "_settings",
        "_started",
        "_task",
        "_wakes",
        "came",
        "host",
        "phase",
        "port",
        "refusal",
        "sockets",
    )

    def __init__(self, settings: FetchSettings, deadlines: Deadlines, task: "asyncio.Task[object]") -> None:
        self.host = ""
        self.port = 0
        self.sockets: list[socket.socket] = []
        self.refusal: str | None = None
        self.phase = Phase.CONNECTION
        self.came = 0
        self._counted = 0
        self._connection: HttpConnection | None = None
        self._draining = False
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

    def connects(self, host: str, port: int) -> None:
        """Hear that a new connection is about to be made."""
        self.host, self.port = host, port
        self._begin(Phase.CONNECTION, self._settings.connect_s)

    def asks(self, connection: HttpConnection) -> None:
        """Hear on which connection the request is about to be sent."""
        self._connection = connection
        self._begin(Phase.HEADER, self._settings.first_byte_s)

    def answered(self) -> float:
        """Hear that the header is here; return the seconds until it came, not until we had time to look."""
        self._begin(Phase.BODY, self._settings.rate_s)
        return self.elapsed() - (0.0 if self._connection is None else self._connection.silent_s())

    def drains(self) -> None:
        """Hear that nobody wants the body: it has a second to come to its end."""
        self._draining = True
        self._begin(Phase.BODY, DRAIN_S)

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
        elif self._draining and self._connection is not None:
            self._connection.discard()
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
        came, self._counted = self.came - self._counted, self.came
        return came >= self._settings.min_rate * self._settings.rate_s
