"""One connection to a server, on which one page is asked for at a time; aiohttp's parser reads what comes.

aiohttp's own protocol hands a body over through a stream that its reader is woken for again and again. Here the bytes
go to their receiver as they are read off the socket, and the one who asked is woken once: when all of it is there.

**Surplus.** What a server sends beyond its response (a body longer than announced, a response sent twice) would become
the answer to the next request, that is, the content of another page. So a connection on which anything arrives that
nobody asked for is closed.
"""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from aiohttp import ClientConnectionError, StreamReader
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import HttpResponseParser, RawResponseMessage
from aiohttp.http_exceptions import HttpProcessingError
from multidict import CIMultiDictProxy

from crawler.fetch.kernel import KernelView

_BUFFER = 64 * 1024  # the parser's, of one read; a body does not wait there
_SWITCHING = 101
_WITHOUT_BODY = frozenset({204, 304})  # RFC 9110 sections 15.3.5 and 15.4.5


class LostError(ClientConnectionError):
    """A connection was lost on which the exchange depends."""


class UnansweredError(LostError):
    """It was lost before anything of the response came."""


class Receiver(Protocol):
    """Takes a response as it comes. What it raises ends the exchange."""

    def head(self, status: int, fields: "CIMultiDictProxy[str]") -> bool:
        """Take the header; return whether the body is worth waiting for."""
        ...

    def feed(self, data: bytes) -> bool:
        """Take some of the body; return whether more is wanted."""
        ...


class HttpConnection(ResponseHandler):
    """A connection of aiohttp's connector.

    ``reusable`` tells, once an exchange is over, whether the connection may serve another one. ``idle_since`` is for
    whoever keeps it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, *, max_field: int) -> None:
        super().__init__(loop)
        self.reusable = False
        self.idle_since = 0.0
        self._view: KernelView | None = None
        self._held: Connection | None = None
        self._max_field = max_field
        self._reading: HttpResponseParser | None = None
        self._receiver: Receiver | None = None
        self._done: asyncio.Future[None] | None = None
        self._content: StreamReader | None = None
        self._read = self._read_before = 0
        self._encrypted = False
        self._wanted = self._keeps_alive = True
        self._new = True
        self._early = b""

    def hold(self, held: Connection, view: KernelView | None) -> None:
        """Take what the connector gave for this connection: it counts on having it back."""
        self._held, self._view = held, view
        self._encrypted = self.transport is None or self.transport.get_extra_info("sslcontext") is not None

    def discard(self) -> None:
        """Close it, and end its exchange if there is one: its end may take TLS a while."""
        self.reusable = False
        self._end(LostError())
        if self._held is not None:
            self._held.close()

    def ask(self, request: bytes, receiver: Receiver) -> "asyncio.Future[None]":
        """Send a request; return what is done when the receiver has all that it wants of the response.

        Raises:
            UnansweredError: by the future too: the connection is lost, and there is no response.
            LostError: by the future: there is a part of one.
            HttpProcessingError: by the future: it is malformed.
        """
        transport = self.transport
        if transport is None or transport.is_closing():
            raise UnansweredError
        self._reading = HttpResponseParser(  # a new one, for the last one may have seen the beginning of something else
            self,
            self._loop,
            _BUFFER,
            read_until_eof=True,
            auto_decompress=False,
            max_line_size=self._max_field,
            max_field_size=self._max_field,
        )
        self._receiver = receiver
        self._content = None
        self._read_before = self._read - len(self._early)
        self.reusable, self._wanted = False, True
        self._done = done = self._loop.create_future()
        transport.write(request)
        if self._new:
            self._new = False
            if self._early:
                early, self._early = self._early, b""
                self._parse(early)
        return done

    def has_news(self) -> bool:
        """Return whether the connection is no longer as it was left: something arrived, or it is closed."""
        return self._view is None or self._view.has_news(None if self._encrypted else self._read)

    def silent_s(self) -> float:
        """Return the seconds since its last bytes arrived, at least these: what our loop was late by."""
        return 0.0 if self._view is None else self._view.silent_s()

    # What asyncio and the parser call

    def data_received(self, data: bytes) -> None:
        """Take bytes off the wire."""
        self._read += len(data)
        if self._reading is not None:
            self._parse(data)
        elif self._new:  # a server that is overloaded may answer before it is asked
            self._early += data
        else:
            self.discard()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Hear that there is no connection any more; it may be what ends the body (RFC 9112 section 6.3)."""
        reading = self._reading
        if reading is not None:
            if self._read == self._read_before:
                self._end(UnansweredError())
            elif self._content is None or exc is not None:
                self._end(LostError())
            else:
                self._end_with_connection(reading)
        super().connection_lost(exc)
        self.discard()

    def pause_reading(self) -> None:
        """Go on: what was read is handed on at once."""

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Go on: nothing was paused."""

    # The response

    def _parse(self, data: bytes) -> None:
        assert self._reading is not None, "somebody asked"
        try:
            messages, upgraded, _ = self._reading.feed_data(data)
        except Exception as error:  # noqa: BLE001 - the parser's errors are no closed list
            self._malformed(error)
            return
        self._hand_on(messages, upgraded=upgraded)

    def _hand_on(
        self, messages: "Iterable[tuple[RawResponseMessage, StreamReader]]" = (), *, upgraded: bool = False
    ) -> None:
        """Hand on what was parsed; what the receiver raises is for the one who asked."""
        try:
            for message, content in messages:
                self._begin(message, content, upgraded=upgraded)
            self._pass_on()
        except Exception as error:  # noqa: BLE001 - see above
            self._end(error)

    def _begin(self, message: RawResponseMessage, content: StreamReader, *, upgraded: bool) -> None:
        if self._content is not None:  # a second response to one request
            self._keeps_alive = False
        elif not 100 <= message.code < 200 or message.code == _SWITCHING:
            self._content = content
            self._keeps_alive = not (message.should_close or upgraded)
            assert self._receiver is not None, "somebody asked"
            self._wanted = self._receiver.head(message.code, message.headers)
            if message.code in _WITHOUT_BODY:
                self._wanted = False

    def _pass_on(self) -> None:
        """Hand on what came of the body; see whether that was all."""
        content, receiver = self._content, self._receiver
        if content is None or receiver is None:
            return
        if data := content.read_nowait():
            self._wanted = receiver.feed(data) and self._wanted
        whole = content.is_eof()
        if whole or not self._wanted:
            self.reusable = whole and self._keeps_alive
            self._end()

    def _malformed(self, error: Exception) -> None:
        """Fail, unless the body was whole: then it is what follows that is malformed."""
        if self._content is None or not self._content.is_eof():
            self._end(error if isinstance(error, HttpProcessingError) else HttpProcessingError())
            return
        self._keeps_alive = False
        self._hand_on()

    def _end_with_connection(self, reading: HttpResponseParser) -> None:
        try:
            reading.feed_eof()
        except Exception:  # noqa: BLE001 - the parser's way to say that there was more to come
            self._end(LostError())
        else:
            self._hand_on()

    def _end(self, error: Exception | None = None) -> None:
        """Tell the one who asked, if he still waits."""
        done = self._done
        self._done = self._reading = self._receiver = self._content = None
        if done is None or done.done():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
