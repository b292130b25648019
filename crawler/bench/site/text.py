"""Articles in several languages, from sentence templates and vocabulary.

Lorem ipsum would make language identification and main-text extraction pointless, and a pool of real texts
would be a licence question. Templates filled from word lists read well enough for both analyzers. Each paragraph
keeps to the vocabulary of a topic, and an article to a few topics, as real ones do: if every article used every
word, they would all look like near duplicates of one another.
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

PER_TOPIC = 16
"""Of these, those that belong to one topic: they are neighbours."""

_T = TypeVar("_T")
_SLOT = re.compile(r"\{(\w+)\}")


def deflate(raw: bytes) -> bytes:
    """Compress to DEFLATE blocks that end on a byte boundary and are not the last of their stream (RFC 1951).

    Such pieces can be joined to one stream: none refers back to what stands before it.
    """
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(raw) + packer.flush(zlib.Z_SYNC_FLUSH)


class Grammar:
    """Writes sentences of one language on one topic: with a sixth of all words and templates.

    The same seed gives the same sentences, in every version of Python: of the generator only ``random()`` is
    used, whose sequence is guaranteed.
    """

    def __init__(self, words: Mapping[str, Any], seed: str) -> None:
        self._random = random.Random(seed).random
        self._words = words
        self._lists: dict[str, list[str]] = {
            "adverb": self._some(words["adverbs"].split()),
            "verb": self._some(words["verbs"].split()),
            "things": self._some(words["things"].split()),
            "time": self._some(words["times"]),
            "a": self._some(words["adjectives"].split()),
        }
        nouns: dict[str, str] = words["nouns"]
        self._nouns = self._some([(gender, noun) for gender in nouns for noun in nouns[gender].split()])
        self._sentences: list[str] = self._some(words["sentences"])
        self._heads: list[str]
        self._tails: list[str]
        self._heads, self._tails = (self._some(part.split()) for part in words["names"])

    def headline(self) -> str:
        """One headline, without a full stop."""
        return self._fill(self._one(self._words["headlines"]))

    def paragraph(self) -> str:
        """Three to six sentences."""
        stop: str = self._words["stop"]
        space: str = self._words["space"]
        count = 3 + int(self._random() * 4)
        sentences = (self._fill(self._one(self._sentences)) + stop for _ in range(count))
        return space.join(sentences)

    def _some(self, choices: Sequence[_T]) -> list[_T]:
        """A sixth of the choices, at least four."""
        return sorted(choices, key=lambda _: self._random())[: max(4, len(choices) // 6)]

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
        patterns: list[str] = self._words["phrases"][case][gender]
        return self._one(patterns).format(a=self._one(self._lists["a"]), n=noun)


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
    grammars = [Grammar(words, f"{language} {i // PER_TOPIC}") for i in range(0, POOL, PER_TOPIC)]
    headlines = tuple(grammars[i // PER_TOPIC].headline() for i in range(POOL))
    paragraphs = tuple(_paragraph(grammars[i // PER_TOPIC], i).encode() for i in range(POOL))
    return Material(headlines, paragraphs, tuple(map(len, paragraphs)), words["furniture"])


@functools.cache
def deflated(language: str) -> tuple[bytes, ...]:
    """The paragraphs of a language, each deflated."""
    return tuple(deflate(paragraph) for paragraph in material(language).paragraphs)


def _paragraph(grammar: Grammar, i: int) -> str:
    heading = f"<h2>{grammar.headline()}</h2>\n" if i % 6 == 0 else ""
    return f"{heading}<p>{grammar.paragraph()}</p>\n"
