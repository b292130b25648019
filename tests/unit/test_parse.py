"""Parsing as a whole: it never fails, nothing outgrows the body but the links, and work grows with the page."""

import sys
from collections.abc import Callable
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpu_stage.parse import ParseOptions, parse, strip
from cpu_stage.parsers import PARSERS
from cpu_stage.types import Page

PIECES = [
    *(
        "<a href=x>",
        "<a href='/y?\u00e9#z' rel=nofollow>",
        "<area href=//h.test>",
        "<base href=/b/>",
        "<base href=data:x>",
    ),
    *(
        "<link rel=canonical href=c>",
        "<meta http-equiv=refresh content='0;r'>",
        "<meta name=robots content='a:b,none'>",
    ),
    *("<meta name=description content=d>", "<meta property=og:x content=y>", "<meta charset=koi8-r>", "<html lang=en>"),
    *("<meta http-equiv=content-type content='text/html;charset=utf-16'>", "<title>", "</title>", "<svg>", "</svg>"),
    *("<table>", "<td>", "<template>", "<noscript>", "<script>", "<!--", "-->", "<p>", "</p>", "<pre>", "&", "&amp;"),
    *("<", ">", " ", "'", '"', "x", "\u00e9", "\u6f22", "\xa0", "\ufeff", "\0", "\n"),
]
TAGS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
BODIES = st.one_of(
    st.binary(max_size=100),
    st.builds(str.encode, TAGS, st.sampled_from(["utf-8", "utf-16", "gb18030", "utf-16-be", "utf-32"])),
    st.builds(lambda *parts: b"".join(parts), TAGS.map(str.encode), st.binary(max_size=20), TAGS.map(str.encode)),
)
HEADERS = st.one_of(
    st.sampled_from(["", "text/html", "text/plain", "application/xhtml+xml; charset=utf-8", "image/png", "*/*"]),
    st.builds("text/html; charset={}".format, st.sampled_from(["utf-16", "shift_jis", "latin1", "replacement", "zip"])),
    st.text(st.characters(), max_size=30),
)
URLS = st.one_of(
    st.sampled_from(["http://e.test/", "https://e.test/a/b?c", "mailto:a@b.test"]), st.text(st.characters())
)
ROBOTS = st.one_of(st.text(st.sampled_from("noindexfw:*, ;\udcff"), max_size=20), st.text(st.characters(), max_size=10))

OWN_LIMIT = 8 * 1024
"""Characters of a URL: what a page calls canonical, next and refresh is one, and no part of its body."""


@pytest.mark.parametrize("parser", PARSERS)
@settings(derandomize=True, deadline=None, max_examples=250)
@given(url=URLS, header=HEADERS, body=BODIES, robots=ROBOTS, most=st.integers(0, 5))
def test_anything_gives_a_page(parser: str, url: str, header: str, body: bytes, robots: str, most: int) -> None:
    page = parse(url, header, body, ParseOptions(parser=parser, max_links=most), robots=robots)
    assert page.url == url
    assert page.nofollow <= set(page.links)
    assert len(set(page.links)) == len(page.links) <= most
    assert len(page.text) <= len(body)
    assert len(page.html) <= len(body)
    assert page.title is None or 0 < len(page.title) <= min(1_000, len(body))
    meta = {key: value for key, value in page.meta.items() if key not in {"canonical", "next", "refresh", "robots"}}
    assert sum(map(len, meta.values())) <= len(body)
    assert len(page.meta.get("robots", "")) <= 2 * (len(body) + len(robots))
    assert all(len(value) <= OWN_LIMIT for value in page.meta.values())
    written = (
        page.content_type,
        page.charset,
        page.title or "",
        page.text,
        page.html,
        *page.links,
        *page.meta.values(),
    )
    assert "".join(written).encode().decode() == "".join(written)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(body=BODIES, header=HEADERS)
def test_a_page_is_a_function_of_what_came(body: bytes, header: str) -> None:
    one, other = (parse("http://e.test/", header, body, ParseOptions()) for _ in range(2))
    assert one == other


@settings(derandomize=True, deadline=None, max_examples=100)
@given(TAGS)
def test_both_parsers_give_the_same_page(html: str) -> None:
    one, other = (parse("http://e.test/", "text/html", html.encode(), ParseOptions(parser=name)) for name in PARSERS)
    assert one == other


def test_an_unknown_parser_is_an_error() -> None:
    with pytest.raises(ValueError, match="'bs4' is unknown; accepted: turbohtml, selectolax"):
        parse("http://e.test/", "text/html", b"", ParseOptions(parser="bs4"))


def test_a_stripped_page_is_what_a_record_and_the_frontier_need() -> None:
    page = parse("http://e.test/", "text/html", b"<title>T</title>x<a href=y>", ParseOptions())
    light = strip(page)
    assert (light.text, light.html) == ("", "")
    assert (light.url, light.title, light.links, light.meta) == (page.url, page.title, page.links, page.meta)
    bare = Page("http://e.test/", "text/html", "utf-8", None)
    assert strip(bare) is bare


# Work, counted: calls of Python and C functions, which do not depend on the machine


def work(body: bytes) -> int:
    count = 0

    def profile(frame: FrameType, event: str, arg: object) -> None:
        nonlocal count
        count += event.endswith("call")

    previous = sys.getprofile()
    sys.setprofile(profile)
    try:
        parse("http://e.test/", "text/html", body, ParseOptions())
    finally:
        sys.setprofile(previous)
    return count


def numbered(template: bytes) -> Callable[[int], bytes]:
    return lambda size: b"".join(template % n for n in range(size))


def repeated(piece: bytes) -> Callable[[int], bytes]:
    return lambda size: piece * size


@pytest.mark.parametrize(
    "make",
    [
        repeated(b"<div>x"),
        repeated(b"<div>x</div>"),
        repeated(b"<b>x"),
        repeated(b"<a href=x>y"),
        repeated(b"<table><tr><td>x"),
        repeated(b"<ul><li>x"),
        repeated(b"<template>x</template>"),
        repeated(b"<svg><title>x</title>"),
        repeated(b"<meta name=robots content=noindex>"),
        repeated(b"<base href=/x/>"),
        numbered(b"<a href=/%d>x</a>"),
        numbered(b"<a href='#%d'>x</a>"),
        numbered(b"<a href=mailto:%d>x</a>"),
        numbered(b"<meta property=og:%d content=x>"),
        numbered(b"<meta name=robots content='a%d, b'>"),
        numbered(b"<link rel=next href=%d>"),
        numbered(b"<meta http-equiv=refresh content='0;%d'>"),
        numbered(b"<font size=%d><p>x"),
        numbered(b"<p class=%d>caf\xe9"),
    ],
)
def test_twice_the_page_is_no_more_than_twice_the_work(make: Callable[[int], bytes]) -> None:
    once, twice = work(make(1_000)), work(make(2_000))
    assert twice <= 2 * once
