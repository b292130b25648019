import json
import string
from pathlib import Path
from typing import Any

import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from cpu_stage.analyzers.fingerprint import Fingerprint, distance, simhash
from cpu_stage.analyzers.keywords import Keywords
from cpu_stage.analyzers.language import Language
from cpu_stage.analyzers.readability import Readability
from cpu_stage.types import Page

TEXTS: dict[str, str] = json.loads((Path(__file__).parent / "data" / "texts.json").read_text(encoding="utf-8"))


def page(text: str) -> Page:
    return Page("http://127.0.0.1/page", "text/html", "utf-8", None, text=text)


@pytest.mark.parametrize("code", TEXTS)
def test_language_of_a_paragraph(code: str) -> None:
    assert Language()(page(TEXTS[code]))["code"] == code


@pytest.mark.parametrize("text", ["", "404", "|||| ---- 12:30", "Login", "OK"])
def test_too_little_text_has_no_language(text: str) -> None:
    assert Language()(page(text))["code"] is None


def test_language_of_what_is_no_language() -> None:
    values = Language()(page("asdkjh qwelkj zxcmn qweoiu lkjasd mnbzxc " * 5))
    assert values["code"] is None


def test_one_short_sentence_is_enough() -> None:
    assert Language()(page("Dies ist ein kurzer Satz."))["code"] == "de"
    assert Language()(page("This is a short sentence."))["code"] == "en"


def test_the_running_text_outvotes_menus() -> None:
    menu = "\n".join(f"* {word}" for word in ["Home", "Products", "Shopping cart", "Help and contact", "Sign in"] * 3)
    assert Language()(page(f"{menu}\n\n{TEXTS['de']}\n\n{menu}"))["code"] == "de"


def test_only_a_confident_guess_is_reported() -> None:
    text = "Привет мир"
    assert Language()(page(text))["code"] is None
    assert Language(min_confidence=0.0)(page(text))["code"] == "ru"


def keywords(text: str, **options: Any) -> list[dict[str, Any]]:
    found: Any = Keywords(**options)(page(text))["terms"]
    return list(found)


def terms(text: str, **options: Any) -> list[str]:
    return [term["term"] for term in keywords(text, **options)]


@pytest.mark.parametrize(
    ("code", "term"),
    [
        ("en", "database"),
        ("de", "Leuchtturm"),
        ("fr", "base de données"),
        ("es", "molino"),
        ("it", "vulcano"),
        ("pt", "farol"),
        ("nl", "molen"),
        ("ru", "маяка"),
        ("ja", "灯台"),
        ("zh", "数据库"),
    ],
)
def test_the_top_term_is_what_the_text_is_about(code: str, term: str) -> None:
    assert terms(TEXTS[code])[0] == term


@pytest.mark.parametrize("code", ["en", "de", "fr", "es", "it", "pt", "nl", "ru"])
def test_no_keyword_is_a_stop_word(code: str) -> None:
    stop = {
        *("the", "a", "of", "and", "that", "der", "die", "und", "ist", "la", "le", "les", "et", "un", "une", "el"),
        *("los", "y", "il", "gli", "e", "o", "os", "de", "het", "een", "en", "van", "и", "на", "если"),
    }
    assert not stop.intersection(term.lower() for term in terms(TEXTS[code] * 3, count=50))


def test_scores_and_counts_tell_how_much_of_the_text_a_term_covers() -> None:
    found = keywords("alpha beta gamma alpha delta alpha beta zeta alpha eta", language="en")
    assert found == [{"term": "alpha", "count": 4, "score": 0.4}, {"term": "beta", "count": 2, "score": 0.2}]


def test_what_a_phrase_covers_is_not_counted_for_its_words_again() -> None:
    text = "solar panel. " * 4 + "a panel. a panel. a panel."
    found = {term["term"]: term for term in keywords(text, language="en")}
    assert found["solar panel"]["count"] == 4
    assert "solar" not in found
    assert found["panel"]["count"] == 7
    assert found["panel"]["score"] == round(3 / 14, 4)


def test_punctuation_separates_phrases() -> None:
    assert "solar panel" not in terms("solar, panel. " * 5, language="en")


def test_a_term_is_written_as_the_text_mostly_writes_it() -> None:
    assert terms("PostgreSQL postgresql PostgreSQL NASA nasa NASA", language="en") == ["NASA", "PostgreSQL"]


def test_elided_articles_and_clitics_are_no_part_of_a_term() -> None:
    assert terms("l'université d'université l\u2019université", language="fr") == ["université"]
    assert terms("the lighthouse's lighthouse, lighthouse's", language="en") == ["lighthouse"]


def test_a_language_without_stop_words_leaves_short_words_out() -> None:
    assert terms("foo lantern foo lantern foo bar", language="xx") == ["lantern"]


def test_count_limits_the_terms() -> None:
    text = " ".join(f"{a}{b}word" for a in "bcdfghk" for b in "aeiou") + " "
    assert len(terms(text * 2, count=7, language="en")) == 7


def test_simhash_of_near_duplicates_is_near_and_of_others_is_not() -> None:
    words = [f"{a}{b}{c}" for a in string.ascii_lowercase for b in "aeiou" for c in "nrst"]
    one, other = " ".join(words), " ".join(reversed(words))
    edited = one.replace(words[250], "edited")
    hashes = [str(Fingerprint()(page(text))["simhash"]) for text in (one, edited, other)]
    assert 0 <= distance(hashes[0], hashes[1]) <= 3
    assert distance(hashes[0], hashes[2]) > 15


def test_exact_differs_with_any_word_but_not_with_white_space() -> None:
    def exact(text: str) -> object:
        return Fingerprint()(page(text))["exact"]

    assert exact("one two\n three ") == exact("one two three")
    assert exact("one two three") != exact("one two three!")


def test_fingerprint_of_little_text() -> None:
    assert Fingerprint()(page(" ... "))["simhash"] is None
    values = Fingerprint()(page("Hello"))
    assert (len(str(values["simhash"])), values["shingles"]) == (16, 1)
    assert Fingerprint()(page("lone surrogate \ud800 here"))["shingles"] == 1


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.sets(st.binary(max_size=20), min_size=1, max_size=40))
def test_simhash_is_the_majority_of_the_hashes_bit_by_bit(features: set[bytes]) -> None:
    hashes = [xxhash.xxh3_64_intdigest(feature) for feature in features]
    majority = sum((2 * sum(value >> bit & 1 for value in hashes) > len(hashes)) << bit for bit in range(64))
    assert simhash(features) == majority


GETTYSBURG = (
    "Four score and seven years ago our fathers brought forth on this continent, a new nation, conceived in Liberty, "
    "and dedicated to the proposition that all men are created equal."
)


def test_readability_of_a_known_sentence() -> None:
    values = Readability()(page(GETTYSBURG))
    # 30 words, 48 syllables by the dictionary, 8 words of more than six letters
    assert (values["words"], values["sentences"], values["words_per_sentence"]) == (30, 1, 30.0)
    assert values["syllables_per_word"] == round(48 / 30, 2)
    assert values["reading_ease"] == pytest.approx(206.835 - 1.015 * 30 - 84.6 * 48 / 30, abs=0.06)
    assert values["grade"] == pytest.approx(0.39 * 30 + 11.8 * 48 / 30 - 15.59, abs=0.06)
    assert values["lix"] == pytest.approx(30 + 100 * 8 / 30, abs=0.06)
    assert values["reading_s"] == 8


@pytest.mark.parametrize("code", ["de", "en", "es", "fr", "it", "nl", "pt", "ru"])
def test_plain_paragraphs_are_readable_in_every_language_that_has_a_formula(code: str) -> None:
    values = Readability()(page(TEXTS[code]))
    assert values["language"] == code
    assert isinstance(values["reading_ease"], float)
    assert 40 < values["reading_ease"] < 110
    assert (values["grade"] is None) == (code != "en")


def test_a_language_without_a_formula_has_lix_alone() -> None:
    values = Readability()(
        page("Fyren står på en klippa ovanför hamnen. Ljuset syns mycket långt när vädret är klart.")
    )
    assert (values["language"], values["reading_ease"], values["syllables_per_word"]) == ("sv", None, None)
    assert isinstance(values["lix"], float)


def test_ideographs_have_no_lix() -> None:
    assert Readability()(page(TEXTS["zh"]))["lix"] is None


def test_menus_and_headings_do_not_count() -> None:
    around = "\nHome\n* About us\n\nThe lighthouse\n\n"
    assert Readability()(page(around + TEXTS["en"] + around)) == Readability()(page(TEXTS["en"]))


def test_readability_of_a_page_without_running_text() -> None:
    values = Readability()(page("Home\nAbout\n"))
    assert (values["words"], values["sentences"], values["lix"], values["reading_ease"]) == (0, 0, None, None)
