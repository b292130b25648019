"""Content codings: gzip, deflate, brotli and zstd undone in small steps. No I/O.

A compressed body is an instruction to allocate: 77 bytes of brotli can say 50 MB. So nothing is decoded in
one go: each step makes some tens of KiB at most, and whoever takes them may stop. A body that ends early or
is damaged is an error, never half a page.
"""

import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import brotli

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ACCEPT_ENCODING = "gzip, deflate, br, zstd"

MAX_CODINGS = 2

# Output per step; brotli's binding treats it as a hint and may give twice as much.
_STEP = 64 * 1024

# Input per step: the decompressors copy what they did not consume, which makes large inputs quadratic.
_SLICE = 16 * 1024

# RFC 9659: a zstd window of more than 8 MiB need not be supported on the web.
_ZSTD_WINDOW_LOG = 23

_GZIP_MAGIC = (b"\x1f\x8b",)
_ZSTD_MAGIC = (b"\x28\xb5\x2f\xfd", *(bytes([low]) + b"\x2a\x4d\x18" for low in range(0x50, 0x60)))
_DAMAGE = (zlib.error, zstd.ZstdError, brotli.error, EOFError)


class DecodeError(Exception):
    """A body that is not what its ``Content-Encoding`` says; ``str()`` is one line for a person."""


class Decompressor(Protocol):
    """One compressed stream, in the shape of the standard library's decompressors (bz2, lzma, zstd)."""

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was reached."""
        ...

    @property
    def needs_input(self) -> bool:
        """Whether more output takes more input; if not, ``decompress(b"")`` gives more."""
        ...

    @property
    def unused_data(self) -> bytes:
        """What followed the end of the stream."""
        ...

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return what comes out next, about ``max_length`` bytes at most."""
        ...


class _Inflate:
    """zlib as a :class:`Decompressor`; bytes after the end of the stream are dropped, as browsers do."""

    def __init__(self, wbits: int) -> None:
        self._inflate = zlib.decompressobj(wbits)
        self._rest = b""
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflate.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        if self._inflate.eof:
            return b""
        out = self._inflate.decompress(self._rest + data, max_length)
        self._rest = self._inflate.unconsumed_tail
        self.needs_input = self._inflate.eof or (not self._rest and len(out) < max_length)
        return out


class _Deflate:
    """``deflate`` in both senses: zlib format (RFC 1950), and the raw one (RFC 1951) that some servers send.

    The first two bytes tell: a zlib header has method 8 and is a multiple of 31; no raw stream begins so.
    """

    unused_data = b""

    def __init__(self) -> None:
        self._head = b""
        self._inflate: _Inflate | None = None

    @property
    def eof(self) -> bool:
        return self._inflate is not None and self._inflate.eof

    @property
    def needs_input(self) -> bool:
        return self._inflate is None or self._inflate.needs_input

    def decompress(self, data: bytes, max_length: int) -> bytes:
        if self._inflate is None:
            data = self._head = self._head + data
            if len(data) < 2:
                return b""
            is_zlib = data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
            self._inflate = _Inflate(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)
        return self._inflate.decompress(data, max_length)


class _Brotli:
    """brotli as a :class:`Decompressor`. Its binding calls bytes after the end damage."""

    unused_data = b""

    def __init__(self) -> None:
        self._brotli = brotli.Decompressor()

    @property
    def eof(self) -> bool:
        return bool(self._brotli.is_finished())

    @property
    def needs_input(self) -> bool:
        return bool(self._brotli.can_accept_more_data())

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return bytes(self._brotli.process(data, output_buffer_limit=max_length))


def _zstd() -> Decompressor:
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG})


@dataclass(frozen=True, slots=True)
class _Coding:
    """A content coding. A body may hold several streams in a row where they begin with one of ``magics``."""

    name: str
    begin: Callable[[], Decompressor]
    magics: tuple[bytes, ...] = ()


_GZIP = _Coding("gzip", lambda: _Inflate(16 + zlib.MAX_WBITS), _GZIP_MAGIC)
_CODINGS = {
    "gzip": _GZIP,
    "x-gzip": _GZIP,
    "deflate": _Coding("deflate", _Deflate),
    "br": _Coding("brotli", _Brotli),
    "zstd": _Coding("zstd", _zstd, _ZSTD_MAGIC),
}


class _Stage:
    """Undoes one coding: the streams of a body one after another, and what may follow the last.

    Bytes after a stream that do not begin another are ignored, with all that follow: servers pad with zeros
    or newlines, and browsers do the same. Only brotli's binding cannot tell them from damage.
    """

    def __init__(self, coding: _Coding) -> None:
        self._coding = coding
        self._stream: Decompressor | None = coding.begin()
        self._used = False
        self._gap = b""  # what follows a stream, while too short to tell whether another one begins
        self._ignoring = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what ``data`` decodes to, in small pieces."""
        self._used = self._used or bool(data)
        try:
            yield from self._steps(data)
        except _DAMAGE as error:
            raise DecodeError(f"damaged {self._coding.name} body: {error}") from error

    def finish(self) -> None:
        """Check that the body did not end inside a stream; an empty body is none."""
        if self._used and self._stream is not None and not self._stream.eof:
            raise DecodeError(f"the {self._coding.name} body ends early")

    def _steps(self, data: bytes) -> Iterator[bytes]:
        while not self._ignoring:
            if self._stream is None:
                self._gap += data
                if not self._another_begins():
                    return
                self._stream, data, self._gap = self._coding.begin(), self._gap, b""
            stream = self._stream
            out = stream.decompress(data, _STEP)
            yield out
            data = b""
            if stream.eof and self._coding.magics:
                self._stream, data = None, stream.unused_data
            elif stream.needs_input or not out:
                return

    def _another_begins(self) -> bool:
        """Return whether the gap begins another stream; decide to ignore it where it never will."""
        if self._gap.startswith(self._coding.magics):
            return True
        self._ignoring = not any(magic.startswith(self._gap) for magic in self._coding.magics)
        return False


class Decoding:
    """Undoes a ``Content-Encoding``: :meth:`feed` it, then :meth:`finish`.

    Raises:
        DecodeError: by the constructor, for an unknown coding or more than :data:`MAX_CODINGS`.
    """

    def __init__(self, content_encoding: str) -> None:
        names = [name for part in content_encoding.lower().split(",") if (name := part.strip())]
        names = [name for name in names if name != "identity"]
        if len(names) > MAX_CODINGS:
            raise DecodeError(f"{len(names)} content codings, at most {MAX_CODINGS} are undone")
        unknown = [name for name in names if name not in _CODINGS]
        if unknown:
            raise DecodeError(f"unknown content coding {unknown[0][:40]!r}")
        self._stages = [_Stage(_CODINGS[name]) for name in reversed(names)]

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what ``data`` decodes to, in small pieces; stop taking them at any time, for good.

        Raises:
            DecodeError: damage.
        """
        for start in range(0, len(data), _SLICE):
            yield from _through(self._stages, data[start : start + _SLICE])

    def finish(self) -> None:
        """Check that the body is complete.

        Raises:
            DecodeError: it ends early.
        """
        for stage in self._stages:
            stage.finish()


def _through(stages: Sequence[_Stage], data: bytes) -> Iterator[bytes]:
    if not stages:
        yield data
        return
    for piece in stages[0].feed(data):
        yield from _through(stages[1:], piece)
