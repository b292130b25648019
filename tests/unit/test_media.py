"""What a body is: by its type, else by its first bytes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpu_stage.parse import ParseOptions, parse
from cpu_stage.types import Page

BODY = b"<p>text<a href=/x>y</a>"


def page(content_type: str, body: bytes = BODY) -> Page:
    return parse("http://e.test/", content_type, body, ParseOptions())


@pytest.mark.parametrize(
    ("content_type", "media"),
    [
        ("text/html", "text/html"),
        ("Text/HTML", "text/html"),
        ("  text/html ; charset=utf-8", "text/html"),
        ("text/html;", "text/html"),
        ("text/html,text/html", "text/html"),
        ("text/html; charset", "text/html"),
        ("application/xhtml+xml", "application/xhtml+xml"),
        ("application/xhtml+xml; charset=UTF-8; profile=x", "application/xhtml+xml"),
    ],
)
def test_html_and_xhtml_are_parsed_as_html(content_type: str, media: str) -> None:
    found = page(content_type)
    assert (found.content_type, found.text, found.links) == (media, "texty", ("http://e.test/x",))


@pytest.mark.parametrize(
    "content_type", ["text/plain", "TEXT/Plain;charset=utf-8", "text/csv", "text/markdown", "text/xml"]
)
def test_other_text_is_text_as_it_stands(content_type: str) -> None:
    found = page(content_type)
    assert (found.text, found.title, found.links, found.html) == (BODY.decode(), None, (), "")
    assert found.content_type == content_type.partition(";")[0].lower()
    assert found.charset == "utf-8"


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        " ",
        "html",
        "text",
        "/",
        "text/",
        "/html",
        "*/*",
        "text html",
        "text/html charset=utf-8",
        "é/é",
        "\ud800",
        "\0",
    ],
)
@pytest.mark.parametrize(
    "start", [b"<!DOCTYPE html>", b"\n <HTML>", b"<!-- x -->", b"<p>", b"<a href=q>", b"\xef\xbb\xbf<b>"]
)
def test_a_missing_or_broken_type_is_judged_by_the_first_bytes(content_type: str, start: bytes) -> None:
    found = page(content_type, start + BODY)
    assert found.content_type == "text/html"
    assert "http://e.test/x" in found.links


@pytest.mark.parametrize(
    "declared", ["application/octet-stream", "application/x-httpd-php", "unknown/unknown", "image/png"]
)
def test_any_other_type_is_judged_so_too_and_kept(declared: str) -> None:
    assert page(declared).links == ("http://e.test/x",)
    assert page(declared).content_type == declared


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "text/plain"),
        (b"plain text with <p> later", "text/plain"),
        (b'{"json": true}', "text/plain"),
        (b"<pre>x", "text/plain"),  # a tag that is none of the standard's signatures
        (b"<article>x", "text/plain"),
        (b"caf\xe9\t\r\n\x0c\x1b[0m", "text/plain"),
        (b"\xff\xfea\0b\0", "text/plain"),
        (b"\xfe\xff\0a\0b", "text/plain"),
        (b"\x89PNG\r\n\x1a\n", "application/octet-stream"),
        (b"GIF89a\x01\x00\x01\x00", "application/octet-stream"),
        (b"PK\x03\x04", "application/octet-stream"),
        (b"\x7fELF\x01", "application/octet-stream"),
        (b"text\0with a NUL", "application/octet-stream"),
        (b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>", "application/octet-stream"),
        (b"%!PS-Adobe-3.0\n%%Pages: 1", "application/octet-stream"),
        (b"x" * 1445 + b"\0", "text/plain"),
    ],
)
def test_bodies_without_a_type(body: bytes, kind: str) -> None:
    assert page("", body).content_type == kind


def test_what_is_binary_has_no_content() -> None:
    found = parse("http://e.test/", "application/pdf", b"%PDF-1.4\0<a href=x>", ParseOptions(), robots="noindex")
    assert found == Page("http://e.test/", "application/pdf", "", None, meta={"robots": "noindex"})


@pytest.mark.parametrize(
    ("content_type", "charset"),
    [
        ("text/html; charset=koi8-r", "koi8-r"),
        ("text/html;charset=koi8-r", "koi8-r"),
        ("text/html; x=y; CHARSET = 'koi8-r'", "koi8-r"),
        ('text/html; charset="koi8-r"', "koi8-r"),
        ('text/html; charset="koi8-r', "koi8-r"),
        ("text/html; charset=koi8-r; charset=utf-8", "koi8-r"),
        ("text/html, text/html; charset=koi8-r", "koi8-r"),
        ("; charset=koi8-r", "koi8-r"),
        ("text/html; charset=", "utf-8"),
        ("text/html; xcharset=koi8-r", "utf-8"),
        ("text/html; charset koi8-r", "utf-8"),
        ("charset=koi8-r", "utf-8"),
    ],
)
def test_the_charset_of_a_header(content_type: str, charset: str) -> None:
    assert page(content_type).charset == charset


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.text(st.characters()), st.binary(max_size=50))
def test_any_header_gives_a_page(content_type: str, body: bytes) -> None:
    found = page(content_type, body)
    assert found.content_type == found.content_type.lower()
    assert found.content_type.count("/") == 1
    assert found.content_type.isascii()
