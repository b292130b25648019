"""Pages that are made to hurt a parser, one case a path; each is an honest HTTP response."""

import random
from collections.abc import Callable, Mapping

from tests.wire import response

SEED = 20
MIB = 1 << 20
_letters = random.Random(SEED).choices("abcdefghij", k=200)


def _html(body: str, head: str = "<title>page</title>") -> bytes:
    return f"<!doctype html><html><head>{head}</head><body>{body}</body></html>".encode()


PAGES: Mapping[str, Callable[[], bytes]] = {
    "nested": lambda: _html("<div>" * 200_000),
    "nested-formatting": lambda: _html("<b><i><u>" * 20_000 + "x"),
    "nested-tables": lambda: _html("<table><tr><td>" * 20_000),
    "nested-lists": lambda: _html("<ul><li>" * 50_000),
    "unclosed": lambda: _html("<a href=/x><p><b>" * 20_000),
    "one-line": lambda: _html("<p>" + "word " * MIB),
    "links": lambda: _html("".join(f"<a href=/seen/{n}>{n}</a>" for n in range(120_000))),
    "long-url": lambda: _html(f"<a href='/{'a' * 65_536}'>long</a>"),
    "long-title": lambda: _html("text", f"<title>{'title ' * 500_000}</title>"),
    "attributes": lambda: _html("<p " + " ".join(f"a{n}=1" for n in range(100_000)) + ">x"),
    "long-attribute": lambda: _html(f"<p class='{'c ' * MIB}'>x"),
    "entities": lambda: _html("&amp;" * MIB),
    "open-comment": lambda: _html("<!--" * MIB),
    "open-tag": lambda: _html("<a " * MIB),
    "open-script": lambda: _html("<script>" + "<!--<script>" * 100_000),
    "half-entities": lambda: _html("&" * 2 * MIB),
    "nul": lambda: bytes(2 * MIB),
    "noise": lambda: random.Random(SEED).randbytes(MIB),
    "formatting": lambda: _html("".join(f"<{a}>" for a in _letters) * 500),
    "doctype": lambda: b"<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;'>]><p>&b;&b;" * 1000,
    "select": lambda: _html("<select>" + "<option>" * 200_000),
    "base": lambda: _html("<a href='x'>x</a>" * 1000, "<base href='javascript:alert(1)//'>"),
    "refresh-to-itself": lambda: _html("x", "<meta http-equiv=refresh content='0; url=?'>"),
    "json-ld": lambda: _html("<script type='application/ld+json'>" + "[" * 200_000 + "</script>"),
}

TYPES: Mapping[str, str] = {
    "punycode": "text/html; charset=punycode",
    "idna": "text/html; charset=idna",
    "rot13": "text/html; charset=rot13",
    "zip": "text/html; charset=zlib",
    "unicode-escape": "text/html; charset=unicode_escape",
    "utf-7": "text/html; charset=utf-7",
    "undefined": "text/html; charset=undefined",
    "long": "text/html; charset=" + "x" * 20_000,
    "escape": "text/html; charset=\x1b[31m",
}


def served() -> dict[str, bytes]:
    """Return the responses by path."""
    shaped = {f"/page/{name}": response(make()) for name, make in PAGES.items()}
    body = b"a" * (MIB // 2) + b"-0123456789" * 1000
    return shaped | {f"/charset/{name}": response(body, content_type=kind) for name, kind in TYPES.items()}
