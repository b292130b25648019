"""Words, sentences and running text: what the analyzers of text agree on.

The boundaries follow Unicode's text segmentation (UAX #29) as far as it needs no dictionary: an ideograph or a
kana is a word of its own, and a script that writes no spaces (Thai, Khmer) gives one long word a phrase.
"""

import re
import unicodedata
from collections.abc import Iterator

_SINGLE = "\u3005\u3007\u3041-\u309f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
# Python's \w leaves out combining marks, without which Hindi, Thai and vocalised Arabic fall to pieces.
_MARKS = "".join(char for char in map(chr, range(0x300, 0x1D00)) if unicodedata.category(char)[0] == "M")
_REST = rf"(?:[^\W{_SINGLE}]+|[{_MARKS}]+)*"
_WORD = re.compile(rf"[{_SINGLE}]|[^\W_{_SINGLE}]{_REST}(?:['\u2019][^\W_{_SINGLE}]{_REST})*")
_SPACED_WORD = re.compile(r"[^\W_]\w*(?:['\u2019][^\W_]\w*)*")
_NOT_SPACED = re.compile(rf"[{_SINGLE}{_MARKS}]")
_IDEOGRAPH = re.compile(rf"[{_SINGLE}]")

_STOPS = ".!?\u2026\u061f\u0964\u0965"
_WIDE_STOPS = "\u3002\uff01\uff1f"
_CLOSING = "\"'\u201d\u2019\u00bb)]\u300d\u300f\uff09"
_LINE_ENDS = tuple(_STOPS + _WIDE_STOPS)
# Possessive, and not begun in the middle of a run: a line of a million dots is read once.
_SENTENCE_END = re.compile(
    rf"(?<![{_STOPS}{_WIDE_STOPS}])(?:[{_STOPS}]++[{re.escape(_CLOSING)}]*+\s+|[{_WIDE_STOPS}]++[{re.escape(_CLOSING)}]*+\s*)"
)

_FEWEST_WORDS = 5
_PROSE_SHARE = 0.25


def words(text: str) -> list[str]:
    """Split into words and numbers, as written; inner apostrophes stay (``don't``), hyphens separate."""
    pattern = _WORD if _NOT_SPACED.search(text) else _SPACED_WORD  # the same, but twice as fast
    return pattern.findall(text)


def is_ideograph(word: str) -> bool:
    """Whether the word is one character of a script that writes no spaces (Han, kana)."""
    return len(word) == 1 and _IDEOGRAPH.match(word) is not None


def prose(text: str) -> list[str]:
    """Return the lines of five words or more that end with the end of a sentence.

    A page's text has one block a line, so this leaves out menus, headings, tables and most code.
    """
    lines = (line.strip() for line in text.split("\n"))
    return [line for line in lines if line.rstrip(_CLOSING).endswith(_LINE_ENDS) and len(words(line)) >= _FEWEST_WORDS]


def running_text(text: str) -> list[str]:
    """Return the lines that say what a page is about: its prose, or all where prose is under a quarter of it."""
    lines = prose(text)
    return lines if sum(map(len, lines)) >= _PROSE_SHARE * len(text) else text.split("\n")


def sentences(line: str) -> Iterator[str]:
    """Split one block of text at ``.``, ``!``, ``?`` and their kin in other scripts.

    A stop before a lower-case word (``e.g. this``) or after a single capital (``J. R. Smith``) ends nothing.
    """
    start = 0
    for end in _SENTENCE_END.finditer(line):
        if not line[end.end() : end.end() + 1].islower() and not _is_initial(line, end.start()):
            yield line[start : end.end()].strip()
            start = end.end()
    if rest := line[start:].strip():
        yield rest


def _is_initial(text: str, stop: int) -> bool:
    """Whether the stop at this place follows a word of one capital."""
    return text[max(0, stop - 1) : stop].isupper() and not text[max(0, stop - 2) : stop - 1].isalnum()
