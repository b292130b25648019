"""What a server sends, on its way to http.client: in time, within limits, and nothing taken for what it is not.

http.client takes almost anything for a response: a header that breaks off, a line without a colon, two lengths
that contradict each other, a chunk of a negative size (which it reads to the end of the connection, of any
length). It drops what follows a response in its buffer. And of interim responses it knows but one. So the header
is read here, as lines, and handed over when it is complete and sound; of a body, the lines between its chunks
are checked. All else is left to http.client and urllib3.
"""

import http.client
import io
import re
import socket
import ssl
from typing import TYPE_CHECKING, cast

from crawler.fetch.call import Call, LateError, LostError, WireError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BUFFER = 32 * 1024
_MAX_LINES = 100  # of one header, or of a trailer: http.client takes no more
_MAX_INTERIM = 16

_STATUS = re.compile(rb"HTTP/1\.[01] [1-9][0-9]{2}(?: [^\x00\r\n]*)?\r?\n")
_INTERIM = re.compile(rb"HTTP/1\.[01] 1(?!01)")  # RFC 9110 section 15.2; after 101 there is no more HTTP
_FIELD = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[^\x00\r\n]*\r?\n")  # RFC 9110 section 5.1
_FOLD = re.compile(rb"[ \t][^\x00\r\n]*\r?\n")  # RFC 9112 section 5.2: obsolete, but seen
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\x00\r\n]*)?\r?\n")
_BLANK = (b"\r\n", b"\n")


class MalformedError(WireError):
    """What came is no HTTP; ``str()`` is one line for a person."""


class TimedSocket:
    """A connected socket as http.client and urllib3 use one; each wait is within the time of the current call.

    ``surplus`` says whether more came than the last response that was read to its end.
    """

    def __init__(self, connection: socket.socket, max_line: int) -> None:
        self.surplus = False
        self._socket = connection
        self._max_line = max_line
        self._call: Call

    def serve(self, call: Call) -> None:
        """Belong to a call from now on.

        Raises:
            LostError: it was aborted.
        """
        self._call = call
        call.hold(self._socket)

    def sendall(self, data: bytes) -> None:
        """Send, in time."""
        self._socket.settimeout(self._call.remaining())
        try:
            self._socket.sendall(data)
        except TimeoutError as error:
            raise LateError from error
        except OSError as error:
            raise LostError from error

    def receive(self, raw: io.RawIOBase, buffer: "WriteableBuffer", *, block: bool) -> int | None:
        """Read what is there next, in time; None where there is nothing and it shall not block.

        Raises:
            WireError: it came too late, or never will.
        """
        self._socket.settimeout(self._call.remaining() if block else 0.0)
        try:
            count = raw.readinto(buffer)
        except TimeoutError as error:
            raise LateError from error
        except ssl.SSLWantReadError:
            return None
        except OSError as error:
            raise LostError from error
        self._call.came(count or 0)
        if count == 0 and self._call.is_aborted:  # the end is ours, and ends no body
            raise LostError
        return count

    def makefile(self, mode: str) -> "Wire":
        """Return a reader for the next response."""
        assert mode == "rb"
        self.surplus = False
        return Wire(_Timed(self, self._socket.makefile("rb", buffering=0)), self, self._max_line)

    def settimeout(self, _: float | None) -> None:
        """Nothing: the time is the call's."""

    def fileno(self) -> int:
        """Return the descriptor, for a poll."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close, once every reader is closed."""
        self._socket.close()


class _Timed(io.RawIOBase):
    """The bytes of a response; closing it closes the socket if that was closed already."""

    def __init__(self, connection: TimedSocket, raw: io.RawIOBase) -> None:
        self.block = True
        self._connection = connection
        self._raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        return self._connection.receive(self._raw, buffer, block=self.block)

    def close(self) -> None:
        self._raw.close()
        super().close()


class Wire(io.BufferedReader):
    """Reads one response; its lines are complete and short, or an error.

    ``in_chunks`` says that the next line is to be the size of a chunk.
    """

    def __init__(self, raw: _Timed, connection: TimedSocket, max_line: int) -> None:
        super().__init__(raw, _BUFFER)
        self.in_chunks = False
        self._connection = connection
        self._max_line = max_line
        self._trailer = 0

    def readline(self, _: int | None = -1, /) -> bytes:
        """Return the next line of a body in chunks: the size of a chunk, or one of the trailer.

        Raises:
            WireError: there is none, or it is none of them.
        """
        line = self._line()
        if self.in_chunks:
            size = _CHUNK.fullmatch(line)
            if size is None:
                raise MalformedError("the size of a chunk is missing")
            self.in_chunks = int(size[1], 16) > 0
        else:
            self._trailer += 1
            if self._trailer > _MAX_LINES:
                raise MalformedError(f"more than {_MAX_LINES} lines after the last chunk")
        return line

    def read_header(self) -> bytes:
        """Return status line and fields of the final response; interim ones are skipped.

        Raises:
            WireError: there is none.
        """
        for _ in range(_MAX_INTERIM):
            header = self._read_one_header()
            if not _INTERIM.match(header):
                return header
        raise MalformedError(f"more than {_MAX_INTERIM} interim responses")

    def close(self) -> None:
        """Close, and note whether something was left."""
        if not self.closed:
            self._connection.surplus = self._has_more()
        super().close()

    def _read_one_header(self) -> bytes:
        if not b"HTTP/".startswith(self.peek(1)[: len("HTTP/")]):  # before a line that may never end
            raise MalformedError("it does not begin with HTTP/")
        lines = [self._line()]
        if not _STATUS.fullmatch(lines[0]):
            raise MalformedError("no status line")
        while (line := self._line()) not in _BLANK:
            if not _FIELD.fullmatch(line) and not (len(lines) > 1 and _FOLD.fullmatch(line)):
                raise MalformedError(f"{line.strip()[:80]!r} is no header field")
            lines.append(line)
            if len(lines) > _MAX_LINES:
                raise MalformedError(f"more than {_MAX_LINES} header fields")
        return b"".join((*lines, line))

    def _line(self) -> bytes:
        line = super().readline(self._max_line + 1)
        if len(line) > self._max_line:
            raise MalformedError(f"a line of more than {self._max_line} bytes")
        if not line.endswith(b"\n"):
            raise LostError
        return line

    def _has_more(self) -> bool:
        cast("_Timed", self.raw).block = False
        try:
            return bool(self.peek(1))
        except WireError:
            return True


class StrictResponse(http.client.HTTPResponse):
    """http.client's response, of a header that is sound."""

    def begin(self) -> None:
        """Read the header.

        Raises:
            WireError: it is not complete, not in time, not HTTP, or leaves open where the body ends.
        """
        wire = cast("Wire", self.fp)
        header = io.BytesIO(wire.read_header())
        try:
            self.fp = cast("io.BufferedReader", header)
            super().begin()
        finally:
            self.fp = wire
        _check_framing(self.headers)
        wire.in_chunks = bool(self.chunked)


def _check_framing(headers: http.client.HTTPMessage) -> None:
    """Check that two readers could not disagree on where the body ends (RFC 9112 section 6.3)."""
    lengths = [value.strip() for value in headers.get_all("content-length", [])]
    codings = [value.strip().lower() for value in headers.get_all("transfer-encoding", [])]
    if codings and lengths:
        raise MalformedError("Content-Length and Transfer-Encoding")
    if codings not in ([], ["chunked"]):
        raise MalformedError(f"Transfer-Encoding: {', '.join(codings)[:80]}")
    if len(lengths) > 1 or any(not re.fullmatch("[0-9]{1,18}", length) for length in lengths):
        raise MalformedError(f"Content-Length: {', '.join(lengths)[:80]}")
