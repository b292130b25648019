import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpu_stage.analyzers.syllables import LANGUAGES, syllables
from cpu_stage.analyzers.words import prose, running_text, sentences, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't stop: open-source, it's 3.14!", ["Don't", "stop", "open", "source", "it's", "3", "14"]),
        ("l\u2019universit\u00e9 d'\u00e9t\u00e9", ["l\u2019universit\u00e9", "d'\u00e9t\u00e9"]),
        ("__init__ snake_case", ["init__", "snake_case"]),
        ("e\u0301te\u0301", ["e\u0301te\u0301"]),
        ("हिन्दी में लिखा", ["हिन्दी", "में", "लिखा"]),
        ("Python是语言", ["Python", "是", "语", "言"]),
        ("これはテスト", ["こ", "れ", "は", "テスト"]),
        ("서버 로그", ["서버", "로그"]),
        (" -- ... __ ", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.text(st.characters(max_codepoint=0x2FF)))
def test_words_do_not_depend_on_what_other_script_follows(text: str) -> None:
    assert words(f"{text} 字")[:-1] == words(text)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ('He said "Stop." Then he left...', ['He said "Stop."', "Then he left..."]),
        ("Use an index, e.g. this one, in version 3.5 of it.", ["Use an index, e.g. this one, in version 3.5 of it."]),
        ("J. R. Smith wrote it. Well.", ["J. R. Smith wrote it.", "Well."]),
        ("今日は。「明日。」また", ["今日は。", "「明日。」", "また"]),
        ("यह पहला है। यह दूसरा।", ["यह पहला है।", "यह दूसरा।"]),
        ("", []),
    ],
)
def test_sentences(line: str, expected: list[str]) -> None:
    assert list(sentences(line)) == expected


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.text("aB .!?\"')。 1é"))
def test_sentences_lose_nothing(line: str) -> None:
    assert "".join("".join(sentences(line)).split()) == "".join(line.split())


@pytest.mark.parametrize(
    "line", ["." * 1_000_000, "。" * 1_000_000, "!" + ")" * 1_000_000, ".)" * 500_000, "a'" * 500_000]
)
def test_a_hostile_line_is_read_in_one_pass(line: str) -> None:
    assert "".join(sentences(line)) == line  # quadratic work would never end
    assert prose(line) == []
    assert len(words(line)) <= 1


def test_prose_is_the_lines_that_hold_a_sentence() -> None:
    text = "Home\n* A menu entry of many words\n\n  This line is prose, of course. \nToo short.\nx = 1\n"
    assert prose(text) == ["This line is prose, of course."]


def test_running_text_is_all_of_it_where_prose_is_rare() -> None:
    footer = "All of this is our work."
    table = "\n".join(f"Lamp {n} | {n} euro" for n in range(20))
    assert running_text(f"{table}\n{footer}") == [*table.split("\n"), footer]
    assert running_text(f"Menu\n{footer}") == [footer]


@pytest.mark.parametrize(
    ("language", "counts"),
    [
        ("de", {"Datenbank": 3, "Bäume": 2, "Europa": 3, "die": 1}),
        ("en", {"the": 1, "create": 2, "handled": 2, "called": 1, "statement": 2, "science": 2, "table": 2, "sql": 1}),
        ("es", {"país": 2, "ciudad": 2, "día": 2, "guerra": 2, "mayoría": 4, "muy": 1, "información": 4}),
        ("fr", {"le": 1, "année": 2, "partie": 2, "théâtre": 2, "lumière": 2, "ordinateur": 4, "pièce": 1}),
        ("it", {"più": 1, "famiglia": 3, "buono": 2, "virtù": 2, "università": 5}),
        ("nl", {"mooie": 2, "geschreven": 3, "huis": 1, "leeuw": 1, "zien": 1}),
        ("pt", {"não": 1, "informação": 4, "coração": 3, "água": 2}),
        ("ru", {"программа": 3, "ёж": 1, "любовь": 2, "в": 1}),
        ("tr", {"okunabilirlik": 6, "bir": 1, "İstanbul": 3}),
    ],
)
def test_syllables(language: str, counts: dict[str, int]) -> None:
    assert {word: syllables(word, language) for word in counts} == counts


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_any_string_has_a_syllable_at_once(language: str) -> None:
    assert syllables("", language) == 1
    assert 1 <= syllables("ae" * 1_000_000, language) <= 50
