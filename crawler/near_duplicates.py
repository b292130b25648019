"""Which page says nearly the same as an earlier one, by their SimHashes. Sans-I/O.

Manku et al., "Detecting near-duplicates for web crawling", WWW 2007: of two SimHashes of 64 bits that differ in three
at most, one of four pieces of 16 bits is the same. So each piece leads to those that have it. Only *originals* are
kept, pages that are near no earlier one: a site's thousand copies of a page take the place of one.
"""

from array import array
from collections.abc import Iterator

NEAR = 3
"""Two texts are near duplicates where their SimHashes differ in so many bits at most."""

_PIECES = 4
_BITS = 16
_NONE = 0xFFFF_FFFF
_LOOKS = 256  # at the newest of a piece; whoever makes more texts with one piece in common wants to slow us down


class SimhashIndex:
    """The originals' SimHashes, numbered from 0 as they come: 24 bytes each."""

    def __init__(self) -> None:
        self._hashes = array("Q")
        self._newest = [array("I", [_NONE]) * (1 << _BITS) for _ in range(_PIECES)]
        self._before = [array("I") for _ in range(_PIECES)]

    def __len__(self) -> int:
        """How many there are."""
        return len(self._hashes)

    def __getitem__(self, number: int) -> int:
        """Return an original's SimHash."""
        return self._hashes[number]

    def add(self, simhash: int) -> int:
        """Add an original; return its number."""
        number = len(self._hashes)
        self._hashes.append(simhash)
        for newest, before, piece in zip(self._newest, self._before, _pieces(simhash), strict=True):
            before.append(newest[piece])
            newest[piece] = number
        return number

    def find(self, simhash: int, most: int = NEAR) -> int | None:
        """Return the number of an original that differs in ``most`` bits at most; the nearest of those looked at."""
        best: int | None = None
        for newest, before, piece in zip(self._newest, self._before, _pieces(simhash), strict=True):
            number = newest[piece]
            for _ in range(_LOOKS):
                if number == _NONE:
                    break
                distance = (self._hashes[number] ^ simhash).bit_count()
                if distance <= most:
                    best, most = number, distance - 1
                number = before[number]
        return best


def _pieces(simhash: int) -> Iterator[int]:
    for n in range(_PIECES):
        yield simhash >> (n * _BITS) & ((1 << _BITS) - 1)
