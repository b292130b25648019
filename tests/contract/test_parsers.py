"""The parser suite, bound to each library; and where the two of them agree, and where they are known not to."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpu_stage.parsers import PARSERS, HtmlDocument, load
from tests.contract.parser_suite import ANY_TEXT, SOUP, ParserSuite, elements


class TestTurbohtml(ParserSuite):
    def document(self, html: str) -> HtmlDocument:
        return load("turbohtml")(html)


class TestSelectolax(ParserSuite):
    def document(self, html: str) -> HtmlDocument:
        return load("selectolax")(html)


def differences(html: str) -> set[str]:
    """Name the answers in which the parsers differ. Elements count once: clones of a link say nothing new."""
    one, other = load("turbohtml")(html), load("selectolax")(html)
    return {
        name
        for name, same in {
            "title": one.title() == other.title(),
            "text": one.text() == other.text(),
            "elements": set(elements(one)) == set(elements(other)),
        }.items()
        if not same
    }


@settings(derandomize=True, deadline=None, max_examples=300)
@given(SOUP)
def test_the_parsers_agree(html: str) -> None:
    assert differences(html) == set()


@pytest.mark.parametrize(
    ("html", "where"),
    [
        (
            "<title>\ud800</title>\udfffx<a href='\udfff'>",
            {"title", "text", "elements"},
        ),  # lexbor drops what is no UTF-8
        # turbohtml nests 512 deep, as browsers do; what is deeper stands beside, and its raw text is text
        ("<div>" * 512 + "<script>x</script>", {"text"}),
        ("<div>" * 512 + "<title>x</title>", {"title", "text"}),
        ("<frameset><html lang=de>", {"elements"}),  # turbohtml does not merge a second html tag there
        ("<b><template><frameset></template>x", {"text"}),
        ("<dt><isindex><rp><dd>x", {"text"}),  # to turbohtml, isindex is a special element still
        ("<table><math><template><mi><p></template><th>x", {"text"}),
    ],
)
def test_where_they_are_known_to_differ(html: str, where: set[str]) -> None:
    assert differences(html) == where


@pytest.mark.parametrize("parser", PARSERS)
@settings(derandomize=True, deadline=None, max_examples=150)
@given(html=st.one_of(ANY_TEXT, SOUP))
def test_any_text_gives_a_document(parser: str, html: str) -> None:
    document = load(parser)(html)
    title, text = document.title(), document.text()
    assert title is None or len(title) <= len(html)
    assert len(text) <= len(html)
    assert all(line == " ".join(line.split()) for line in text.split("\n"))
    assert "" not in text.split("\n")[1:]
    assert elements(document)[0][0] == "html"
    assert (title, text, elements(document)) == (document.title(), document.text(), elements(document))


def test_an_unknown_parser_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'lxml' is unknown; accepted: turbohtml, selectolax"):
        load("lxml")


BOMBS = {
    "attributes for the root": '"".join(f"<html a{n}=x>" for n in range(15_000))',
    "attributes for the body": '"".join(f"<BODY a{n}=x>" for n in range(15_000))',
    "copied options": '"<select>" + 8_000 * "<selectedContent></selectedcontent>" + "<option>" + 8_000 * "<b></b>"',
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_turbohtml_needs_little_memory_for_pages_that_make_it_copy(bomb: str) -> None:
    program = f"""
import resource
from cpu_stage.parsers import load
parse, html = load("turbohtml"), {bomb}
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
print(len(list(parse(html + "<a>").elements())))
"""
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (child.returncode, child.stdout, child.stderr) == (0, "2\n", "")
