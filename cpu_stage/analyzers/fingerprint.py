"""Fingerprints of a page's text: one that near duplicates share (SimHash), one that only equal texts share.

SimHash: Charikar, STOC 2002; on web pages: Manku et al., "Detecting near-duplicates for web crawling", WWW 2007.
"""

from collections.abc import Collection

import xxhash

from cpu_stage.analyzers.words import words
from cpu_stage.types import Json, Needs, Page

_SHINGLE = 3


class Fingerprint:
    """Fingerprints the whole text, by its distinct word 3-grams in lower case."""

    needs = Needs.TEXT

    def __call__(self, page: Page) -> dict[str, Json]:
        """Return ``simhash`` (16 hex digits), ``exact`` (32) and ``shingles``, the number of distinct 3-grams.

        Texts whose simhashes are within a :func:`distance` of 3 are near duplicates (Manku et al. for 8 billion
        pages); the fewer shingles, the less that says. A text without words has no simhash. ``exact`` (XXH3) does
        not see white space.
        """
        shingles = _shingles(words(page.text.lower()))
        return {
            "simhash": f"{simhash(shingles):016x}" if shingles else None,
            "exact": xxhash.xxh3_128_hexdigest(" ".join(page.text.split()).encode("utf-8", "replace")),
            "shingles": len(shingles),
        }


def simhash(features: Collection[bytes]) -> int:
    """Return the 64 bits that the majority of the features' hashes has; similar sets differ in few."""
    hashes = b"".join(map(xxhash.xxh3_64_digest, features))
    lowest = int.from_bytes(b"\1" * len(features))
    result = 0
    for byte in range(8):
        # The features' n-th bytes as one long number: so a bit is counted in all of them by one instruction each.
        column = int.from_bytes(hashes[7 - byte :: 8])
        for bit in range(8):
            votes = (column >> bit & lowest).bit_count()
            result |= (2 * votes > len(features)) << (8 * byte + bit)
    return result


def distance(first: str, second: str) -> int:
    """Return in how many of their 64 bits two simhashes differ."""
    return (int(first, 16) ^ int(second, 16)).bit_count()


def _shingles(tokens: list[str]) -> set[bytes]:
    """Return the distinct 3-grams; a shorter text is one shingle."""
    ends = range(_SHINGLE, max(_SHINGLE, len(tokens)) + 1) if tokens else ()
    return {" ".join(tokens[end - _SHINGLE : end]).encode("utf-8", "replace") for end in ends}
