"""The bodies of articles: HTML pages of an exact size, joined from prepared fragments.

Making a page takes some tens of microseconds, also compressed: the paragraphs are deflated once, and a gzip
body is their concatenation with the rest as stored blocks (RFC 1951 section 3.2.4, RFC 1952).
"""

import functools
import hashlib
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import orjson

from crawler.bench.site.plan import Plan, Slot
from crawler.bench.site.spec import Kind
from crawler.bench.site.text import PER_TOPIC, POOL, deflated, material

_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_LAST_BLOCK = b"\x03\x00"
_STORED_MAX = 0xFFFF
_DAYS = 28 * 12 * 20

_STYLE = (
    "body{font:1.05rem/1.6 Georgia,serif;margin:0;color:#222}header,footer{background:#f3f1ec;padding:1rem}"
    "main{max-width:44rem;margin:2rem auto;padding:0 1rem}nav ul{display:flex;gap:1rem;list-style:none}"
    ".related{border-top:1px solid #ccc}.cookies{position:fixed;bottom:0;background:#222;color:#fff}"
)


def _stored(raw: bytes) -> bytes:
    """Wrap bytes in stored DEFLATE blocks."""
    blocks = [raw[i : i + _STORED_MAX] for i in range(0, len(raw), _STORED_MAX)]
    return b"".join(struct.pack("<BHH", 0, len(block), len(block) ^ 0xFFFF) + block for block in blocks)


class _Parts(NamedTuple):
    """A page: what stands before its paragraphs, the paragraphs by index, what stands after them."""

    language: str
    head: bytes
    paragraphs: list[int]
    tail: bytes


def _html(parts: _Parts) -> bytes:
    paragraphs = material(parts.language).paragraphs
    return b"".join((parts.head, *[paragraphs[i] for i in parts.paragraphs], parts.tail))


class Pages:
    """Makes the article of any number; needs the base URLs for links between hosts."""

    def __init__(self, plan: Plan, base_urls: tuple[str, ...]) -> None:
        self._plan = plan
        self._base_urls = base_urls

    def html(self, article: Slot) -> bytes:
        """The page of an article, UTF-8."""
        return _html(self._parts(article))

    def gzip(self, article: Slot) -> bytes:
        """The same page as a gzip stream."""
        parts = self._parts(article)
        html, blocks = _html(parts), deflated(parts.language)
        body = [_stored(parts.head), *[blocks[i] for i in parts.paragraphs], _stored(parts.tail), _LAST_BLOCK]
        return b"".join((_GZIP_HEADER, *body, struct.pack("<II", zlib.crc32(html), len(html) & 0xFFFFFFFF)))

    def url(self, slot: Slot) -> str:
        """The absolute URL."""
        return self._base_urls[slot.number % self._plan.hosts] + self._plan.path(slot)

    def _parts(self, article: Slot) -> _Parts:
        language = self._plan.language(article.number)
        head, tail = self._head(article, language).encode(), self._tail(article.number, language).encode()
        room = self._plan.size(article.number) - len(head) - len(tail)
        paragraphs, left = self._choose(article.number, language, room)
        return _Parts(language, head, paragraphs, _padding(left) + tail)

    def _choose(self, number: int, language: str, room: int) -> tuple[list[int], int]:
        """Draw paragraphs of four topics while they fit; at least one. Returns them and the room that is left."""
        sizes = material(language).sizes
        draws = hashlib.shake_128(self._plan.mix(number, 5).to_bytes(8, "little")).digest(4 + max(1, room // 80))
        topics = [draw % (POOL // PER_TOPIC) * PER_TOPIC for draw in draws[:4]]
        chosen: list[int] = []
        for draw in draws[4:]:
            index = topics[draw & 3] + draw // 16
            if sizes[index] > room and chosen:
                break
            chosen.append(index)
            room -= sizes[index]
        return chosen, room

    def _head(self, article: Slot, language: str) -> str:
        number, words = article.number, material(language).furniture
        title, date = _headline(material(language).headlines, number), _date(self._plan.mix(number, 6))
        return (
            f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
            f'<title>{title} | {words["site"]}</title>\n<meta name="description" content="{title}">\n'
            f'<link rel="canonical" href="{self.url(article)}">\n{self._metadata(article, title, date)}'
            f"<style>{_STYLE}</style>\n</head>\n<body>\n{_masthead(language)}<main>\n<article>\n"
            f'<h1>{title}</h1>\n<time datetime="{date}">{date}</time>\n'
        )

    def _metadata(self, article: Slot, title: str, date: str) -> str:
        """OpenGraph on every second page, JSON-LD on every third."""
        number, text = article.number, ""
        if number % 2 == 0:
            text = (
                f'<meta property="og:type" content="article">\n<meta property="og:title" content="{title}">\n'
                f'<meta property="og:url" content="{self.url(article)}">\n'
            )
        if number % 3 == 0:
            data = {
                "@context": "https://schema.org",
                "@type": "NewsArticle",
                "headline": title,
                "datePublished": date,
            }
            text += f'<script type="application/ld+json">{orjson.dumps(data).decode()}</script>\n'
        return text

    def _tail(self, number: int, language: str) -> str:
        words, links = material(language).furniture, "".join(self._links(number, language))
        return (
            f'</article>\n<aside class="related"><h2>{words["related"]}</h2>\n<ul>\n{links}</ul></aside>\n'
            f'</main>\n<footer id="about"><p>{words["subscribe"]}</p><p>{words["rights"]}</p></footer>\n'
            "</body>\n</html>\n"
        )

    def _links(self, number: int, language: str) -> Iterator[str]:
        """List items: a path on the same host (some with a fragment), an absolute URL on another one."""
        plan, host = self._plan, self._plan.host(number)
        nofollow, headlines = plan.numbers(Kind.NOFOLLOW), material(language).headlines
        for target in plan.links(number):
            slot = Slot(target)
            href = plan.path(slot) if target % plan.hosts == host else self.url(slot)
            fragment = "#about" if (number + target) % 5 == 0 else ""
            rel = ' rel="nofollow"' if target in nofollow else ""
            yield f'<li><a href="{href}{fragment}"{rel}>{_headline(headlines, target)}</a></li>\n'


def _headline(headlines: tuple[str, ...], number: int) -> str:
    """What a page calls an article in its own language: unlike what it calls any other."""
    return f"{headlines[number * 97 % POOL]} · {number}"


@functools.cache
def _masthead(language: str) -> str:
    """What stands above every article of a language."""
    words = material(language).furniture
    return (
        f'<header>\n<a class="logo" href="/">{words["site"]}</a>\n<nav><ul>\n'
        f'<li><a href="/">{words["home"]}</a></li>\n<li><a href="#about">{words["about"]}</a></li>\n'
        f'<li><a href="mailto:desk@example.org">{words["contact"]}</a></li>\n</ul></nav>\n'
        f'<form role="search"><input name="q" placeholder="{words["search"]}"></form>\n</header>\n'
        f'<div class="cookies">{words["cookies"]}</div>\n'
    )


def _date(x: int) -> str:
    """A day of the years 2005 to 2024."""
    day = x % _DAYS
    return f"{2005 + day // 336}-{day // 28 % 12 + 1:02}-{day % 28 + 1:02}"


def _padding(size: int) -> bytes:
    """White space of a size, in a comment where one fits: it belongs to no text."""
    return b"<!--" + b" " * (size - 7) + b"-->" if size >= 7 else b" " * max(0, size)
