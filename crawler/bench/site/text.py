"""Articles in several languages, from sentence templates and vocabulary.

Lorem ipsum would make language identification and main-text extraction pointless, and a pool of real texts
would be a licence question. Templates filled from word lists read well enough for both analyzers, and two
articles share few word 3-grams, so that near-duplicate fingerprints stay apart.
"""

import functools
import random
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from crawler.bench.site.spec import WORDS

POOL = 256
"""Paragraphs and headlines that each language has: one byte of randomness picks one."""

_T = TypeVar("_T")
_SLOT = re.compile(r"\{(\w+)\}")


def deflate(raw: bytes) -> bytes:
    """Compress to DEFLATE blocks that end on a byte boundary and are not the last of their stream (RFC 1951).

    Such pieces can be joined to one stream: none refers back to what stands before it.
    """
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(raw) + packer.flush(zlib.Z_SYNC_FLUSH)


class Grammar:
    """Writes sentences of one language; the same ones for the same seed."""

    def __init__(self, words: Mapping[str, Any], seed: str) -> None:
        # Of the generator only random() is used: its sequence is the same in every version of Python.
        self._random = random.Random(seed).random
        self._words = words
        self._lists: dict[str, list[str]] = {
            "adverb": words["adverbs"].split(),
            "verb": words["verbs"].split(),
            "things": words["things"].split(),
            "time": words["times"],
            "a": words["adjectives"].split(),
        }
        self._nouns = [(gender, noun) for gender, nouns in words["nouns"].items() for noun in nouns.split()]
        self._heads, self._tails = (part.split() for part in words["names"])

    def headline(self) -> str:
        """One headline, without a full stop."""
        return self._fill(self._one(self._words["headlines"]))

    def paragraph(self) -> str:
        """Three to six sentences."""
        stop = self._words["stop"]
        count = 3 + int(self._random() * 4)
        sentences = (self._fill(self._one(self._words["sentences"])) + stop for _ in range(count))
        return str(self._words["space"]).join(sentences)

    def _one(self, choices: Sequence[_T]) -> _T:
        return choices[int(self._random() * len(choices))]

    def _fill(self, template: str) -> str:
        text = _SLOT.sub(self._slot, template)
        return text[0].upper() + text[1:]

    def _slot(self, match: re.Match[str]) -> str:
        slot = match[1]
        if slot in self._lists:
            return self._one(self._lists[slot])
        if slot == "name":
            return self._one(self._heads) + self._one(self._tails)
        if slot == "year":
            return str(1801 + int(self._random() * 224))
        if slot == "count":
            return str(10 + 10 * int(self._random() * 90))  # round numbers take the genitive plural in Russian
        return self._noun_phrase(slot)

    def _noun_phrase(self, case: str) -> str:
        gender, noun = self._one(self._nouns)
        pattern: str = self._one(self._words["phrases"][case][gender])
        return pattern.format(a=self._one(self._lists["a"]), n=noun)


@dataclass(frozen=True, slots=True)
class Material:
    """What the pages of one language are made of."""

    headlines: tuple[str, ...]
    paragraphs: tuple[bytes, ...]
    sizes: tuple[int, ...]
    furniture: Mapping[str, str]


@functools.cache
def material(language: str) -> Material:
    """Write the material of a language: once per process, and the same for every web."""
    words = WORDS[language]
    grammar = Grammar(words, language)
    headlines = tuple(grammar.headline() for _ in range(POOL))
    paragraphs = tuple(_paragraph(grammar, i).encode() for i in range(POOL))
    return Material(headlines, paragraphs, tuple(map(len, paragraphs)), words["furniture"])


@functools.cache
def deflated(language: str) -> tuple[bytes, ...]:
    """The paragraphs of a language, each deflated."""
    return tuple(deflate(paragraph) for paragraph in material(language).paragraphs)


def _paragraph(grammar: Grammar, i: int) -> str:
    heading = f"<h2>{grammar.headline()}</h2>\n" if i % 6 == 0 else ""
    return f"{heading}<p>{grammar.paragraph()}</p>\n"
