"""Sitemaps (sitemaps.org): XML lists of pages and of further sitemaps, plain text lists, and both gzip-ed.

A sitemap is a file of a stranger. The XML parser is expat without a document type: a DOCTYPE ends the
reading, so that there are no entities to expand and nothing external to load; nesting, elements, addresses and
their length, and the size after decompression are bounded. What came before a break counts: half a list is
better than none. The work is CPU-bound, up to a second or two: large files belong in a thread or a worker.
"""

import zlib
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from xml.parsers import expat

from crawler.urls import serialise

SITEMAP_TYPES = frozenset({"application/xml", "text/xml", "application/gzip", "application/x-gzip"})
"""The media types under which XML sitemaps are served."""

MAX_URLS = 50_000
MAX_OCTETS = 50 << 20  # both limits by the protocol

_MAX_URL_LENGTH = 2048  # by the protocol, too: "less than 2,048 characters"
_MAX_DEPTH = 32  # a sitemap with extensions needs 4
_MAX_ELEMENTS = 1_000_000  # about a second; 50,000 entries with extensions need half of it
_CHUNK = 16 << 10  # compressed octets: so much is lost at most where a file is broken
_GZIP = b"\x1f\x8b"
_MARKS_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Sitemap:
    """The addresses of pages, and of further sitemaps: distinct, in order, serialised http(s) URLs."""

    urls: tuple[str, ...] = ()
    children: tuple[str, ...] = ()


def parse_sitemap(body: bytes) -> Sitemap:
    """Read any octets; never raises: what is no sitemap has no addresses."""
    body = _gunzip(body) if body.startswith(_GZIP) else body[:MAX_OCTETS]
    body = body.removeprefix(b"\xef\xbb\xbf").lstrip()
    if body.startswith((b"<", *_MARKS_UTF16)):
        return _parse_xml(body)
    return _parse_text(body)


def _gunzip(body: bytes) -> bytes:
    """Return at most 50 MB of the content; of a broken file what came before the break."""
    content = bytearray()
    member = zlib.decompressobj(wbits=31)
    for at in range(0, len(body), _CHUNK):
        try:
            content += member.decompress(body[at : at + _CHUNK], MAX_OCTETS - len(content))
        except zlib.error:
            break
        if member.eof or len(content) >= MAX_OCTETS:
            break
    return bytes(content)


def _parse_text(body: bytes) -> Sitemap:
    urls: dict[str, None] = {}
    for line in islice(BytesIO(body), _MAX_ELEMENTS):
        url = serialise(line.decode("utf-8", "replace")) if len(line) < _MAX_URL_LENGTH else None
        if url is not None:
            urls[url] = None
            if len(urls) >= MAX_URLS:
                break
    return Sitemap(urls=tuple(urls))


def _parse_xml(body: bytes) -> Sitemap:
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    # LookupError, ValueError: an encoding that Python or expat does not know.
    with suppress(expat.ExpatError, LookupError, ValueError, _Enough):
        parser.Parse(body, True)
    return Sitemap(urls=tuple(reader.urls), children=tuple(reader.children))


class _Enough(Exception):  # noqa: N818  (not an error: the reading is over)
    """Ends a parse from within a handler."""


class _Reader:
    """Collects ``<loc>`` where its parent is ``<url>`` or ``<sitemap>``, whatever the namespace prefixes."""

    def __init__(self) -> None:
        self.urls: dict[str, None] = {}
        self.children: dict[str, None] = {}
        self._lists = {("url", "loc"): self.urls, ("sitemap", "loc"): self.children}
        self._elements = 0
        self._path: list[str] = []
        self._address = ""

    def doctype(self, *_: object) -> None:
        raise _Enough

    def start(self, name: str, _attributes: object) -> None:
        self._elements += 1
        if len(self._path) >= _MAX_DEPTH or self._elements > _MAX_ELEMENTS:
            raise _Enough
        self._path.append(name.rpartition(":")[2].lower())
        self._address = ""

    def text(self, data: str) -> None:
        if len(self._address) < _MAX_URL_LENGTH:
            self._address += data

    def end(self, _name: str) -> None:
        found = self._lists.get((self._path[-2], self._path[-1])) if len(self._path) > 1 else None
        self._path.pop()
        if found is None or len(self._address) >= _MAX_URL_LENGTH:
            return
        url = serialise(self._address)
        if url is not None:
            found[url] = None
            if len(self.urls) + len(self.children) >= MAX_URLS:
                raise _Enough
