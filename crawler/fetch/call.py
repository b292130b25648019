"""One exchange on blocking sockets: how long it may still wait, and how another thread puts an end to it."""

import contextlib
import math
import socket
import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any, TypeVar

from crawler.exchange import FetchSettings, Phase, lateness

T = TypeVar("T")


class WireError(Exception):
    """An exchange cannot go on. No OSError: http.client and urllib3 would put errors of their own around it."""


class LateError(WireError):
    """Its time is over."""


class LostError(WireError):
    """Its connection is lost, or nobody wants it any more."""


class Call:
    """The clock of one exchange, and its switch.

    A blocking socket limits the time of each read; a server that sends a byte now and then is read for ever. So
    whoever is about to block asks for :meth:`remaining` first, each time.

    A thread that blocks hears nothing, but it wakes up when its socket is shut down: :meth:`abort` does that,
    from any thread. A connection that goes back to a pool is taken out of reach before, by :meth:`release`.

    ``host`` and ``port`` are what was asked for.
    """

    __slots__ = (
        "_aborted",
        "_came",
        "_due",
        "_lock",
        "_rated",
        "_settings",
        "_socket",
        "_started",
        "host",
        "phase",
        "port",
    )

    def __init__(self, settings: FetchSettings) -> None:
        self.host = ""
        self.port = 0
        self.phase = Phase.CONNECTION
        self._settings = settings
        self._aborted: Future[None] = Future()
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self.start()

    # --- the clock

    def start(self) -> None:
        """Begin: called by the thread that takes the exchange on, so that no server pays for a queue of ours."""
        self._started = time.monotonic()
        self._came, self._rated = 0, math.inf
        self.begin(Phase.CONNECTION)

    def begin(self, phase: Phase) -> None:
        """Go on to the next phase."""
        self.phase = phase
        self._due = self._started + self._settings.total_s
        if phase is Phase.CONNECTION:
            self.hurry(self._settings.connect_s)
        elif phase is Phase.HEADER:
            self.hurry(self._settings.first_byte_s)
        else:
            self._came, self._rated = 0, time.monotonic() + self._settings.rate_s

    def hurry(self, seconds: float) -> None:
        """Allow no more than this from now on."""
        self._due = min(self._due, time.monotonic() + seconds)

    def elapsed(self) -> float:
        """Return the seconds since the beginning."""
        return time.monotonic() - self._started

    def remaining(self) -> float:
        """Return the seconds that are left, more than none.

        Raises:
            LateError: none are.
            LostError: it was aborted.
        """
        if self._aborted.done():
            raise LostError
        now = time.monotonic()
        kept_up = self._came >= self._settings.min_rate * self._settings.rate_s
        if now >= self._rated and kept_up:
            self._came, self._rated, kept_up = 0, now + self._settings.rate_s, False
        # A socket that has waited in vain cannot be read any more: so it waits for as long as it ever may.
        left = min(self._due, self._rated + kept_up * self._settings.rate_s) - now
        if left <= 0:
            raise LateError
        return left

    @property
    def was_answered(self) -> bool:
        """Whether anything of a response came."""
        return self._came > 0

    def came(self, count: int) -> None:
        """Hear of bytes off the wire: a body must keep up its rate."""
        self._came += count

    def lateness(self) -> str:
        """Return what was waited for in vain, and how long."""
        total = self._due == self._started + self._settings.total_s and not self._is_slow()
        return lateness(self._settings, self.phase, total=total)

    def _is_slow(self) -> bool:
        """Whether a body did not keep up its rate."""
        return self.phase is Phase.BODY and time.monotonic() < self._due

    def wait_for(self, future: "Future[T]") -> T:
        """Return the result of another thread's work, in time.

        Raises:
            WireError: the time is over, or the exchange was aborted.
        """
        either: tuple[Future[Any], ...] = (future, self._aborted)
        while not future.done():
            wait(either, self.remaining(), FIRST_COMPLETED)
        return future.result()

    # --- the switch

    def hold(self, connection: socket.socket) -> None:
        """Name the socket that the exchange is about to block on.

        Raises:
            LostError: it was aborted.
        """
        with self._lock:
            self._socket = connection
        self.remaining()

    def release(self) -> None:
        """Let go of the socket."""
        with self._lock:
            self._socket = None

    def abort(self) -> None:
        """End the exchange soon, whatever it waits for."""
        with self._lock:
            if not self._aborted.done():
                self._aborted.set_result(None)
            if self._socket is not None:
                _shut_down(self._socket)

    @property
    def is_aborted(self) -> bool:
        """Whether it was aborted."""
        return self._aborted.done()


def _shut_down(connection: socket.socket) -> None:
    """Wake up whoever blocks on a socket; of TLS nothing is said, its state belongs to that thread."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
