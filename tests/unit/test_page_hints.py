"""What a page says of itself: title, robots directives, description, language, OpenGraph."""

import pytest

from cpu_stage.parse import ParseOptions, parse
from cpu_stage.types import Needs, Page
from cpu_stage.worker import noindex


def page(html: str, robots: str = "", options: ParseOptions | None = None) -> Page:
    return parse("http://e.test/", "text/html", html.encode(), options or ParseOptions(), robots=robots)


# Title


@pytest.mark.parametrize(
    ("html", "title"),
    [
        ("<title> A \n page\t </title>", "A page"),
        ("<title>&nbsp;a&nbsp;&amp;&nbsp;b</title>", "a & b"),
        ("<title> </title>", None),
        ("<title></title>", None),
        ("<p>none", None),
        ("<svg><title>icon</title></svg>", None),
        ("<title>" + "ab " * 1000 + "</title>", "ab " * 333 + "a"),
        ("<title>" + "a" * 999 + " b</title>", "a" * 999),
    ],
)
def test_a_title_is_one_line_of_at_most_a_thousand_characters(html: str, title: str | None) -> None:
    assert page(html).title == title


# Robots


@pytest.mark.parametrize(
    ("html", "header", "robots"),
    [
        ("<meta name=robots content=noindex>", "", "noindex"),
        ("<META NAME=' Robots ' CONTENT=' NoIndex , FOLLOW '>", "", "noindex, follow"),
        ("<meta name=robots content=noindex><p><meta name=robots content='nofollow,noindex'>", "", "noindex, nofollow"),
        ("<meta name=robots content='noindex nofollow'>", "", "noindex, nofollow"),
        ("<meta name=robots content='noindex; nofollow'>", "", "noindex, nofollow"),
        ("<meta name=robots content=',, ;'>", "", None),
        ("<meta name=robots content>", "", None),
        ("<meta name=robots>", "", None),
        ("<meta name=googlebot content=noindex>", "", None),
        ("<meta name=robots content=noindex>", "nofollow, noindex", "noindex, nofollow"),
        ("", "NOINDEX", "noindex"),
        ("", "max-snippet:20,  max-image-preview : large", "max-snippet: 20, max-image-preview: large"),
        (
            "",
            "unavailable_after: 25 Jun 2010 15:00:00 PST, nofollow",
            "unavailable_after: 25 jun 2010 15:00:00 pst, nofollow",
        ),
        ("", "", None),
        ("", " , ,", None),
    ],
)
def test_the_directives_of_page_and_header_are_joined(html: str, header: str, robots: str | None) -> None:
    assert page(html, header).meta.get("robots") == robots


@pytest.mark.parametrize(
    ("header", "robots"),
    [
        ("googlebot: noindex", None),
        ("googlebot: noindex, nofollow", None),
        ("GoogleBot : noindex", None),
        ("googlebot-news: noindex", None),
        ("360spider: noindex", None),
        ("bot/2.1: noindex, nofollow", None),
        ("x_bot.com: noindex nofollow", None),
        ("*: noindex", "noindex"),
        ("googlebot: noindex, *: nofollow", "nofollow"),
        ("nofollow, googlebot: noindex", "nofollow"),
        ("a: noindex, b: nofollow", None),
        ("googlebot: max-snippet: 3", None),
        ("googlebot:", None),
        ("unavailable_after: 1 Jan 2030, googlebot: noindex", "unavailable_after: 1 jan 2030"),
    ],
)
def test_directives_for_a_named_robot_are_not_for_everyone(header: str, robots: str | None) -> None:
    assert page("", header).meta.get("robots") == robots


@pytest.mark.parametrize(
    ("header", "refused"),
    [
        ("noindex", True),
        ("follow, none", True),
        ("noindex nofollow", True),
        ("nofollow", False),
        ("noimageindex, indexifembedded", False),
        ("noindexing", False),
        ("otherbot: noindex", False),
        ("360spider: noindex", False),
        ("unavailable_after: noindex", False),
        ("", False),
    ],
)
def test_only_the_directive_itself_refuses_indexing(header: str, refused: bool) -> None:
    assert noindex(page("", header)) is refused


def test_a_header_that_is_no_ascii_can_be_written_and_means_nothing() -> None:
    assert page("", "noindex\udcff, \u017fnoindex, no\u212aindex, nofollow").meta == {"robots": "nofollow"}


def test_of_a_page_s_directives_no_more_is_read_than_anyone_means() -> None:
    many = "".join(f"<meta name=robots content=d{n}>" for n in range(1_000))
    assert page(many).meta["robots"].split(", ") == [f"d{n}" for n in range(100)]
    assert page(f"<meta name=robots content='{'d' * 3_000},nofollow'>").meta["robots"] == "d" * 2_000


def test_text_and_binary_bodies_have_the_directives_of_their_header() -> None:
    for content_type in ("text/plain", "image/png"):
        found = parse("http://e.test/", content_type, b"\0", ParseOptions(), robots="none")
        assert found.meta == {"robots": "none"}


# Description, language, OpenGraph


@pytest.mark.parametrize(
    ("html", "meta"),
    [
        ("<meta name=description content=' a\n b '>", {"description": "a b"}),
        ("<meta name=Description content=x><meta name=description content=y>", {"description": "x"}),
        (
            "<meta name=description content><meta name=description content=' '><meta name=description content=y>",
            {"description": "y"},
        ),
        ("<meta name=description content='" + "ab" * 2_000 + "'>", {"description": "ab" * 1_000}),
        ("<meta property=og:title content='T &amp; t'>", {"og:title": "T & t"}),
        ("<meta name=og:title content=T>", {"og:title": "T"}),
        ("<meta name=description property=OG:Description content=T>", {"description": "T", "og:description": "T"}),
        ("<meta property=og:image content=/i.png><meta property=og:image content=/j.png>", {"og:image": "/i.png"}),
        ("<meta property=og:" + "x" * 200 + " content=T>", {"og:" + "x" * 97: "T"}),
        ("<meta name=keywords content=x><meta name=twitter:card content=x><meta itemprop=name content=x>", {}),
    ],
)
def test_descriptions_are_kept_flat_and_the_first_counts(html: str, meta: dict[str, str]) -> None:
    assert page(html).meta == meta


@pytest.mark.parametrize(
    ("html", "language"),
    [
        ("<html lang=de>", "de"),
        ("<html LANG=' pt-BR '>", "pt-BR"),
        ("<p>x<html lang=fr>", "fr"),
        ("<html lang=de><meta http-equiv=content-language content=en>", "de"),
        ("<meta http-equiv=Content-Language content=en>", "en"),
        ("<html lang=''><meta http-equiv=Content-Language content=' en , de'>", "en"),
        ("<meta http-equiv=content-language content=en><meta http-equiv=content-language content=de>", "en"),
        ("<html lang=" + "x" * 50 + ">", "x" * 35),
        ("<html xml:lang=de>", None),
        ("<body lang=de>", None),
        ("<svg><html lang=de></html></svg>", None),
        ("<meta name=language content=de>", None),
        ("<html lang>", None),
    ],
)
def test_the_language_is_that_of_the_html_element_else_of_the_meta_element(html: str, language: str | None) -> None:
    assert page(html).meta.get("language") == language


def test_a_page_has_at_most_a_hundred_descriptions() -> None:
    html = "<html lang=en>" + "".join(f"<meta property=og:{n} content=x>" for n in range(1_000))
    assert len(page(html).meta) == 100


def test_a_page_may_call_itself_nothing_that_is_not_its_own() -> None:
    html = "<meta name=canonical content=/x><meta name=next content=/x><meta name=refresh content=/x>"
    assert page(html).meta == {}


# Needs


def test_only_what_is_needed_is_made() -> None:
    html = "<html lang=en><title>T</title><meta name=description content=d><p>text<a href=/x>"
    found = page(html, options=ParseOptions(needs=Needs.NOTHING))
    assert (found.text, found.html, found.meta) == ("", "", {"language": "en"})
    assert (found.title, found.links) == ("T", ("http://e.test/x",))
    assert page(html, options=ParseOptions(needs=Needs.TEXT)).text == "text"
    assert page(html, options=ParseOptions(needs=Needs.HTML)).html == html
    assert page(html, options=ParseOptions(needs=Needs.META)).meta == {"language": "en", "description": "d"}
