"""How hard a page's running text is to read: Flesch's formula or its kin for the language, and LIX.

Own counting, since the library for it (textstat) downloads a dictionary at run time.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from cpu_stage.analyzers import options
from cpu_stage.analyzers.language import MODEL, detect
from cpu_stage.analyzers.syllables import syllables
from cpu_stage.analyzers.words import is_ideograph, prose, sentences, words
from cpu_stage.types import Json, Needs, Page

_WORDS_PER_MINUTE = 238
_LONG_WORD = 6


@dataclass(frozen=True, slots=True)
class _Formula:
    """Reading ease = base - sentence x (words per sentence) - syllable x (syllables per word)."""

    base: float
    sentence: float
    syllable: float


_READING_EASE: Mapping[str, _Formula] = {
    "de": _Formula(180, 1, 58.5),  # Amstad, Wie verständlich sind unsere Zeitungen?, 1978
    "en": _Formula(206.835, 1.015, 84.6),  # Flesch, A new readability yardstick, J. of Applied Psychology 32, 1948
    "es": _Formula(206.84, 1.02, 60),  # Fernández Huerta, Medidas sencillas de lecturabilidad, 1959
    "fr": _Formula(207, 1.015, 73.6),  # Kandel & Moles, Application de l'indice de Flesch à la langue française, 1958
    "it": _Formula(217, 1.3, 60),  # Franchina & Vacca, Adaptation of Flesch readability index, 1986
    "nl": _Formula(206.835, 0.93, 77),  # Douma, De leesbaarheid van landbouwbladen, 1960
    "pt": _Formula(248.835, 1.015, 84.6),  # Martins et al., Readability formulas applied to textbooks, 1996
    "ru": _Formula(206.835, 1.3, 60.1),  # Oborneva, Автоматизированная оценка сложности текстов, 2006
    "tr": _Formula(198.825, 2.61, 40.175),  # Ateşman, Türkçede okunabilirliğin ölçülmesi, 1997
}


@dataclass(frozen=True, slots=True)
class _Counts:
    """What the formulas are made of."""

    words: Counter[str]
    sentences: int

    @property
    def total(self) -> int:
        """The number of words."""
        return self.words.total()

    def share(self, weight: Mapping[str, int]) -> float:
        """Return the mean of a weight of words over the text."""
        return sum(weight[word] * count for word, count in self.words.items()) / self.total


class Readability:
    """Measures the running text: menus, headings, tables and code are left out (:func:`prose`).

    ``language`` (ISO 639-1) chooses the formula; by default the text's own does.
    """

    needs = Needs.TEXT
    libraries = (MODEL,)

    def __init__(self, language: str | None = None) -> None:
        self._language = options.language(language)

    def __call__(self, page: Page) -> dict[str, Json]:
        """Return counts and indices; what does not apply to the language or the text is null.

        ``words``, ``sentences``, ``characters`` (in words) and ``reading_s``, at 238 words a minute (Brysbaert, J. of
        Memory and Language 109, 2019); ``words_per_sentence`` and ``syllables_per_word``; ``reading_ease``, about 0
        (hard) to 100 (easy) in every language; ``grade``, the US school grade (Kincaid et al., 1975; English only);
        ``lix`` (Björnsson, Läsbarhet, 1968), about 20 (easy) to 60 (hard).
        """
        lines = prose(page.text)
        counts = _Counts(
            Counter(word for line in lines for word in words(line)),
            sum(1 for line in lines for _ in sentences(line)),
        )
        language = self._language or detect(page.text).code
        return {"language": language, **_sizes(counts), **_indices(counts, language)}


def _sizes(counts: _Counts) -> dict[str, Json]:
    return {
        "words": counts.total,
        "sentences": counts.sentences,
        "characters": sum(len(word) * count for word, count in counts.words.items()),
        "reading_s": round(counts.total * 60 / _WORDS_PER_MINUTE),
    }


def _indices(counts: _Counts, language: str | None) -> dict[str, Json]:
    result: dict[str, Json] = dict.fromkeys(
        ("words_per_sentence", "syllables_per_word", "reading_ease", "grade", "lix")
    )
    if not counts.total:
        return result
    sentence = counts.total / counts.sentences
    result["words_per_sentence"] = round(sentence, 1)
    if not any(map(is_ideograph, counts.words)):
        result["lix"] = round(sentence + 100 * counts.share({w: len(w) > _LONG_WORD for w in counts.words}), 1)
    if language is not None and (formula := _READING_EASE.get(language)):
        syllable = counts.share({word: syllables(word, language) for word in counts.words})
        result["syllables_per_word"] = round(syllable, 2)
        result["reading_ease"] = round(formula.base - formula.sentence * sentence - formula.syllable * syllable, 1)
        if language == "en":
            result["grade"] = round(0.39 * sentence + 11.8 * syllable - 15.59, 1)
    return result
