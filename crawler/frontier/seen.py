"""The seen-set: which URLs are known, in about 17 bytes each.

A linear hash table (Litwin 1980: "Linear hashing: a new tool for file and table addressing") of 64-bit hashes. It
grows by one bucket at a time, so there is neither a pause nor a second copy of the table while it grows: a Python set
takes four times the memory, and stops the event loop for each doubling.
"""

from array import array
from collections.abc import Iterable
from struct import Struct

_pack = Struct("=q").pack
_FIRST = 64  # buckets of an empty table; a power of two
_LOAD = 12  # hashes per bucket, on average: fewer cost memory, more cost time
_LATELY = 2**15  # hashes, of about 100 bytes each


class SeenSet:
    """A set of texts that can only grow, and tells new ones from known ones.

    Texts are told apart by Python's ``hash``: SipHash, keyed at random in each process, so nobody can prepare URLs
    that collide (and the set cannot be stored), and cached in the text. Two texts of ten million share a hash, and
    the second is taken for known, with a probability of 3e-6.

    A site's pages link to the same few hundred others, so the hashes of texts that were known lately are in a plain
    set besides, which answers five times as fast.

    ``expected``: how many will be added soon; saves the time of growing.
    """

    __slots__ = ("_buckets", "_lately", "_len", "_mask", "_room", "_split")

    def __init__(self, expected: int = 0) -> None:
        buckets = max(_FIRST, 1 << (expected // _LOAD).bit_length())
        self._buckets = [b""] * buckets
        self._mask = buckets - 1
        self._split = 0  # buckets before this one are split already: they and their twins use one bit more
        self._room = buckets * _LOAD
        self._len = 0
        self._lately: set[int] = set()

    def __len__(self) -> int:
        """Return how many texts are known."""
        return self._len

    def add(self, text: str) -> bool:
        """Add a text; return whether it was new."""
        value = hash(text)
        number = value & self._mask
        if number < self._split:
            number = value & (2 * self._mask + 1)
        key = _pack(value)
        bucket = self._buckets[number]
        if key in bucket:  # a match across two hashes is as improbable as two equal ones
            return False
        self._buckets[number] = bucket + key
        self._len += 1
        self._room -= 1
        if not self._room:
            self._grow()
        return True

    def missing(self, texts: Iterable[str]) -> list[str]:
        """Return those that are not known, in their order; they are not added."""
        lately, missing = self._lately, []
        unsure = [text for text in texts if hash(text) not in lately]
        if len(lately) > _LATELY:
            lately.clear()
        buckets, split, mask, wide = self._buckets, self._split, self._mask, 2 * self._mask + 1
        for text in unsure:
            value = hash(text)
            if _pack(value) in buckets[n if (n := value & mask) >= split else value & wide]:
                lately.add(value)
            else:
                missing.append(text)
        return missing

    def _grow(self) -> None:
        """Split the next bucket in two, by one more bit of the hashes."""
        bit = self._mask + 1
        values = memoryview(self._buckets[self._split]).cast("q")
        self._buckets.append(array("q", [value for value in values if value & bit]).tobytes())
        self._buckets[self._split] = array("q", [value for value in values if not value & bit]).tobytes()
        self._room = _LOAD
        self._split += 1
        if self._split == bit:
            self._mask += bit
            self._split = 0
