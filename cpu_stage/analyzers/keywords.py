"""The terms that a page's text is about: frequent words and phrases, without the words that every text has.

A worker does not know how many other pages use a word, so there is no inverse document frequency; lists of stop
words for 58 languages (stopwordsiso) take its place. A phrase is two neighbours (``window function``), or two with
one stop word between them (``base de données``), that stand together much more often than apart: the equivalence
index c(ab)² / (c(a) c(b)) of co-word analysis (Callon et al., Scientometrics 22, 1991). What a phrase covers is not
counted for its words again, the idea of the C-value (Frantzi et al., Int. J. on Digital Libraries 3, 2000).
"""

import functools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cpu_stage.analyzers import options
from cpu_stage.analyzers.language import MODEL, detect
from cpu_stage.analyzers.words import is_ideograph, running_text, words
from cpu_stage.types import Json, Needs, Page

_BREAK = re.compile(r"[^\w\s'\u2019\u0300-\u1cff-]+|\s-+\s")
_TOGETHER = 0.2
_FEWEST_PHRASES = 3
_FEWEST_WORDS = 2
_LONGEST = 40


class Keywords:
    """Lists the top terms. ``language`` (ISO 639-1) chooses the stop words; by default the text's own does."""

    needs = Needs.TEXT
    libraries = ("stopwordsiso", MODEL)

    def __init__(self, count: int = 10, language: str | None = None) -> None:
        self._count = options.whole("count", count, least=1)
        self._language = options.language(language)

    def __call__(self, page: Page) -> dict[str, Json]:
        """Return ``language`` and ``terms``, best first: ``term``, its ``count``, its ``score``.

        The score is the share of the text's words that only this term covers, from 0 to 1.
        """
        language = self._language or detect(page.text).code
        counts = _Counts(_stop_words(language))
        for line in running_text(page.text):
            for part in _BREAK.split(line):
                counts.add(words(part))
        best = sorted(counts.terms(), key=lambda term: (-term.covers, term.folded))[: self._count]
        written, total = counts.spellings(), counts.words.total()
        terms: list[Json] = [
            {"term": term.text(written), "count": term.count, "score": round(term.covers / total, 4)} for term in best
        ]
        return {"language": language, "terms": terms}


@dataclass(frozen=True, slots=True)
class _Term:
    """A word or phrase, folded to lower case; ``covers`` counts the words that are nobody else's."""

    folded: tuple[str, ...]
    count: int
    covers: int

    def text(self, written: dict[str, str]) -> str:
        """Return it as the text mostly writes it."""
        return ("" if is_ideograph(self.folded[0]) else " ").join(written[word] for word in self.folded)


@dataclass(slots=True)
class _Counts:
    """Counts of a text's words, and of its phrases."""

    stop: frozenset[str]
    words: Counter[str] = field(default_factory=Counter)
    phrases: Counter[tuple[str, ...]] = field(default_factory=Counter)
    surfaces: Counter[str] = field(default_factory=Counter)

    def add(self, part: Sequence[str]) -> None:
        """Count a stretch of words that no punctuation interrupts."""
        bare = [_bare(word) for word in part]
        folded = [word.lower() for word in bare]
        carries = [self._carries(word, key) for word, key in zip(bare, folded, strict=True)]
        self.surfaces.update(bare)
        self.words.update(folded)
        for n in range(1, len(folded)):
            if carries[n] and carries[n - 1]:
                self.phrases[folded[n - 1], folded[n]] += 1
            elif n > 1 and carries[n] and carries[n - 2] and folded[n - 1] in self.stop:
                self.phrases[folded[n - 2], folded[n - 1], folded[n]] += 1

    def terms(self) -> Iterator[_Term]:
        """Find the phrases that hold together, then the words that are more than a part of those."""
        inside: Counter[str] = Counter()
        for phrase, count in self.phrases.items():
            first, last = phrase[0], phrase[-1]
            apart = self.words[first] * self.words[last]
            if count >= _FEWEST_PHRASES and first != last and count * count >= _TOGETHER * apart:
                inside.update({first: count, last: count})
                yield _Term(phrase, count, 2 * count)
        for word, surface in self.spellings().items():
            covers = self.words[word] - inside[word]
            if covers >= _FEWEST_WORDS and len(word) > 1 and self._carries(surface, word):
                yield _Term((word,), self.words[word], covers)

    def spellings(self) -> dict[str, str]:
        """Map each folded word to its most frequent spelling (the first of equals)."""
        return {word.lower(): word for word, _ in reversed(self.surfaces.most_common())}

    def _carries(self, word: str, folded: str) -> bool:
        """Whether the word says what a text is about.

        Where no stop words are known, words of fewer than five letters are taken for them.
        """
        if folded in self.stop or not folded[0].isalpha() or len(folded) > _LONGEST:
            return False
        if is_ideograph(word):
            return not "\u3041" <= word <= "\u309f"  # hiragana: particles and endings
        if len(word) == 2:
            return bool(self.stop) and (word.isupper() or not word.isascii())
        return len(word) >= (3 if self.stop else 5)


def _bare(word: str) -> str:
    """Cut an elided article (``l'eau``) or a clitic (``page's``) off."""
    head, _, tail = word.replace("\u2019", "'").rpartition("'")
    return tail if len(tail) > 2 or not head else head


@functools.lru_cache(maxsize=16)
def _stop_words(language: str | None) -> frozenset[str]:
    from stopwordsiso import stopwords  # noqa: PLC0415 - a worker imports it when it starts, the crawler never

    return frozenset(stopwords(language)) if language else frozenset()
