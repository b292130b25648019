"""A response body as it comes off the wire: collected, decoded, every size bounded. No I/O."""

from crawler.codings import Decoding

_ANY_RATIO = 2**20  # up to so many bytes a body may be of any ratio: a small page of one repeated line is no bomb


class BodyTooLargeError(Exception):
    """A body above a limit; ``str()`` is one line for a person."""


class Body:
    """Collects one body: :meth:`feed` it from the wire, then :meth:`finish`.

    More than ``max_wire`` bytes on the wire or ``max_bytes`` decoded are an error or, where ``truncate`` is
    set, the end of the body; so is what decodes to more than ``max_ratio`` times its bytes, above a mebibyte.

    Raises:
        DecodeError: by the constructor, for an unknown content coding.
    """

    def __init__(
        self, content_encoding: str, *, max_wire: int, max_bytes: int, max_ratio: int = 0, truncate: bool = False
    ) -> None:
        self.wire_bytes = 0
        self._decoding = Decoding(content_encoding) if content_encoding else None
        self._max_wire = max_wire
        self._max_bytes = max_bytes
        self._max_ratio = max_ratio
        self._truncate = truncate
        self._pieces: list[bytes] = []
        self._size = 0
        self._cut = False

    def expect(self, length: int) -> None:
        """Check an announced length, so that a body that is too large is not begun.

        Raises:
            BodyTooLargeError: it is above a limit and may not be cut.
        """
        if length > self._max_wire and not self._truncate:
            raise BodyTooLargeError(f"a body of {length} bytes is announced, at most {self._max_wire} are read")

    def feed(self, data: bytes) -> bool:
        """Take bytes off the wire; return whether more are wanted.

        Raises:
            BodyTooLargeError: above a limit.
            DecodeError: damaged.
        """
        room = self._max_wire - self.wire_bytes
        self.wire_bytes += len(data)
        if len(data) > room:
            self._exceed(f"more than {self._max_wire} bytes on the wire")
            data = data[:room]
        for piece in self._decoding.feed(data) if self._decoding else (data,):
            if not self._keep(piece):
                break
        return not self._cut

    def finish(self) -> bytes:
        """Return the body, decoded; all of it, unless it was cut.

        Raises:
            DecodeError: it ended early.
        """
        if self._decoding and not self._cut:
            self._decoding.finish()
        return b"".join(self._pieces)

    def _keep(self, piece: bytes) -> bool:
        """Add decoded bytes; return whether all of them fitted."""
        most = self._max_bytes
        if self._max_ratio and self._size + len(piece) > _ANY_RATIO:
            most = min(most, max(_ANY_RATIO, self._max_ratio * self.wire_bytes))
        room = most - self._size
        fits = len(piece) <= room
        if not fits:
            by_ratio = f" ({self._max_ratio} times those on the wire)" if most < self._max_bytes else ""
            self._exceed(f"more than {most} bytes{by_ratio}")
            piece = piece[:room]
        self._size += len(piece)
        self._pieces.append(piece)
        return fits

    def _exceed(self, what: str) -> None:
        if not self._truncate:
            raise BodyTooLargeError(f"a body of {what}")
        self._cut = True
