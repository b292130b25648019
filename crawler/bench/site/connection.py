"""One connection to the synthetic web: a bare protocol, because anything more would be the bottleneck.

Requests of a connection are answered one after the other, in order, also when they are pipelined. Latency is
a timer, not a task. A long body goes out in pieces as the client takes them, so that the audit counts what was
sent to a client that went away.
"""

import asyncio
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from crawler.bench.site.answers import Answer, Answers
from crawler.bench.site.audit import Audit
from crawler.bench.site.http import BadRequestError, Request, Response, parse, response

AUDIT, RESET = "/__audit__", "/__reset__"
PIECE = 64 * 1024
_LINGER_NOT = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Web:
    """What the connections of all hosts share."""

    answers: Answers
    audit: Audit
    report: Callable[[], bytes]
    open: set["Connection"] = field(default_factory=set)


class Connection(asyncio.Protocol):
    """Reads requests, asks :class:`Answers`, tells :class:`Audit`."""

    def __init__(self, web: Web, host: int) -> None:
        self._web = web
        self._host = host
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._buffer = b""
        self._request: Request | None = None
        """The request that is being answered."""
        self._timer: asyncio.TimerHandle | None = None
        self._rest = memoryview(b"")
        self._paused = False
        self._counted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start."""
        self._transport = cast("asyncio.Transport", transport)
        self._web.open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio passes it
        """Drop what was to be sent."""
        self._web.open.discard(self)
        self._buffer = b""
        self._rest = memoryview(b"")
        if self._timer is not None:
            self._timer.cancel()
        if self._request is not None:
            self._end()
        if self._counted:
            self._web.audit.disconnected(self._host)

    def abort(self) -> None:
        """End the connection at once."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Answer what is complete."""
        self._buffer = self._buffer + data if self._buffer else data
        self._advance()

    def pause_writing(self) -> None:
        """The client does not keep up."""
        self._paused = True

    def resume_writing(self) -> None:
        """The client took what there was."""
        self._paused = False
        if self._request is not None and self._timer is None:
            self._pump()
            self._advance()

    def _advance(self) -> None:
        """Start answering requests until one has to wait, or the buffer holds none."""
        while self._request is None and self._buffer and not self._transport.is_closing():
            try:
                parsed = parse(self._buffer)
            except BadRequestError as error:
                self._refuse(error.status)
                return
            if parsed is None:
                return
            request, size = parsed
            self._buffer = self._buffer[size:]
            self._handle(request)

    def _handle(self, request: Request) -> None:
        if request.path in {AUDIT, RESET}:
            self._control(request)
            return
        if not self._counted:
            self._counted = True
            self._web.audit.connected(self._host)
        self._request = request
        hit = self._web.audit.started(self._host, request.path, request.headers.agent)
        answer = self._web.answers.answer(self._host, request.path)
        if answer.latency > 0:
            self._timer = self._loop.call_later(answer.latency, self._late, answer, hit)
        else:
            self._reply(answer, hit)

    def _late(self, answer: Answer, hit: int) -> None:
        self._timer = None
        self._reply(answer, hit)
        self._advance()

    def _reply(self, answer: Answer, hit: int) -> None:
        assert self._request is not None
        method, path, headers = self._request
        if method not in {"GET", "HEAD"}:
            self._send(response(405, "text/plain", b"", "Allow: GET, HEAD"))
        elif hit > answer.trouble:
            self._send(answer.gzipped if answer.gzipped and headers.gzip else answer.plain)
        elif answer.reset:
            self._reset()
        else:
            unavailable, moment = self._web.answers.unavailable(time.time())
            self._web.audit.retry_after(self._host, path, moment)
            self._send(unavailable)

    def _send(self, answer: Response) -> None:
        assert self._request is not None
        body = b"" if self._request.method == "HEAD" else answer.body
        head = answer.head + self._head_end(self._request.headers.keep_alive)
        if len(body) <= PIECE:
            self._write(head + body)
            self._finish()
        else:
            self._write(head)
            self._rest = memoryview(body)
            self._pump()

    def _pump(self) -> None:
        """Send the rest of a long body while the client takes it."""
        while self._rest and not self._paused:
            piece, self._rest = self._rest[:PIECE], self._rest[PIECE:]
            self._write(piece)
        if not self._rest:
            self._finish()

    def _write(self, data: bytes | memoryview) -> None:
        self._transport.write(data)
        self._web.audit.sent(self._host, len(data))

    def _finish(self) -> None:
        """The answer is complete."""
        assert self._request is not None
        keep_alive = self._request.headers.keep_alive
        self._end()
        if not keep_alive:
            self._transport.close()

    def _end(self) -> None:
        assert self._request is not None
        self._web.audit.finished(self._host, self._request.path)
        self._request = None

    def _reset(self) -> None:
        """Close with RST instead of FIN: no lingering (socket(7))."""
        sock: socket.socket = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        self._end()
        self._transport.abort()

    def _control(self, request: Request) -> None:
        """Serve the audit, or reset it; neither is counted."""
        if request.path == AUDIT:
            answer = response(200, "application/json", self._web.report())
        elif request.method == "POST":
            self._web.audit.reset()
            answer = response(200, "application/json", b"{}")
        else:
            answer = response(405, "text/plain", b"", "Allow: POST")
        self._transport.write(answer.head + self._head_end(request.headers.keep_alive) + answer.body)
        if not request.headers.keep_alive:
            self._transport.close()

    def _refuse(self, status: int) -> None:
        """Answer what is no request, and end the connection."""
        answer = response(status, "text/plain", b"")
        self._transport.write(answer.head + self._head_end(keep_alive=False))
        self._transport.close()

    @staticmethod
    def _head_end(keep_alive: bool) -> bytes:
        return b"\r\n" if keep_alive else b"Connection: close\r\n\r\n"
