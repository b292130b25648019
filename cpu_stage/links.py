"""The links of a page: references are collected as they stand there, then each one is resolved once.

Resolving follows the WHATWG URL standard (can_ada). It is the dear part (0.5 µs), so references are made distinct
before: an index page names a few hundred pages thousands of times.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

import can_ada

from cpu_stage.charset import encoder_of

_C0_OR_SPACE = "".join(map(chr, range(0x21)))
_WHITE = frozenset(_C0_OR_SPACE)
_BEYOND_ASCII = re.compile(r"[^\0-\x7f]+")
_SECOND_BYTES = "@[\\]^`{|}"
"""What the second byte of a character can be, other than a letter or a digit; it is written as it is."""
_MAX_URL = 8 * 2**10
_MAX_ALL = 16 * 2**20

_IN_FOLDER = re.compile(r"[\w./%-][^:]{0,255}", re.ASCII)
"""References that mean the same on each page of a folder: neither a query, nor a fragment, nor one with a scheme."""
_MAX_KNOWN = 8 * 2**10
_USUAL_URL = 256
_NOTHING: Mapping[str, str | None] = {}


class _Known:
    """What such references mean, by the folder: the pages of a site name each other again and again."""

    def __init__(self) -> None:
        self._folders: dict[str, dict[str, str | None]] = {}
        self._room = _MAX_KNOWN

    def of(self, folder: str) -> Mapping[str, str | None]:
        """Return what is known of a folder."""
        return self._folders.get(folder, _NOTHING)

    def add(self, folder: str, reference: str, url: str | None) -> None:
        """Remember a reference, if it is no long one."""
        if _IN_FOLDER.fullmatch(reference) and len(url or "") <= _USUAL_URL:
            if not self._room:
                self._folders.clear()
                self._room = _MAX_KNOWN
            self._folders.setdefault(folder, {})[reference] = url
            self._room -= 1


_known = _Known()


class Links(NamedTuple):
    """Distinct URLs in document order, and those whose every occurrence said nofollow."""

    urls: tuple[str, ...]
    nofollow: frozenset[str]


class Resolver:
    """Turns a page's references into absolute http(s) URLs without fragment and user-info.

    ``base`` is the page's own base reference, which may be relative itself. ``charset`` is the page's encoding: its
    queries are written in it (URL standard, "percent-encode after encoding").

    A URL of more than 8 Ki characters is none, and all links of a page together have at most 16 Mi: a long base times
    many short references would be a bomb.
    """

    def __init__(self, url: str, base: str | None, charset: str = "utf-8") -> None:
        own = _parse(url)
        self._base = own if own is None or base is None else _base_of(own, base) or own
        self._encoder = encoder_of(charset)
        self._folder = None if self._base is None else _folder_of(self._base)

    def resolve(self, reference: str) -> str | None:
        """Return the URL that a reference means; None where it is nothing to fetch."""
        known = self._known()
        if reference in known:
            return known[reference]
        url = self._resolve(reference)
        if self._folder is not None and reference.isascii():
            _known.add(self._folder, reference, url)
        return url

    def _known(self) -> Mapping[str, str | None]:
        return _NOTHING if self._folder is None else _known.of(self._folder)

    def _resolve(self, reference: str) -> str | None:
        if self._base is None or len(reference) > _MAX_URL:
            return None
        if self._encoder and not reference.isascii():
            reference = _encode_query(reference, self._encoder)
        try:
            link = self._base + reference
        except (ValueError, TypeError):  # TypeError: text with lone surrogates
            return None
        url: str = link.href
        if not url.startswith(("https://", "http://")):
            return None
        if "@" in url:
            link.username = link.password = ""
            url = link.href
        return url.removesuffix("#") if len(url) <= _MAX_URL else None

    def resolve_all(self, references: Mapping[str, bool], most: int) -> Links:
        """Resolve references in their order, each with whether it said nofollow, to at most ``most`` links."""
        room = _MAX_ALL
        found: dict[str, bool] = {}
        known = self._known()
        for reference, refused in references.items():
            url = known[reference] if reference in known else self.resolve(reference)
            if url is None:
                continue
            if url in found:
                found[url] = refused and found[url]
                continue
            room -= len(url)
            if room < 0 or len(found) >= most:
                break
            found[url] = refused
        return Links(tuple(found), frozenset(url for url, refused in found.items() if refused))


def _folder_of(base: can_ada.URL) -> str | None:
    """Return a base up to the last slash of its path, which is all that most references use of it; None: too long.

    Of the path of the base the last segment is left out, and its query with it (URL standard, 4.4).
    """
    href: str = base.href
    folder = href.partition("?")[0].partition("#")[0].rpartition("/")[0]
    return folder if len(folder) <= _USUAL_URL else None


def tidy(reference: str) -> str:
    """Return a reference without its fragment; '' where nothing else is there: it leads to the page itself.

    White space around a reference is no part of it (URL standard, 4.4), but white space before a fragment is: then
    the fragment stays, empty, so that the URL parser sees it so.
    """
    reference, mark, _ = reference.strip(_C0_OR_SPACE).partition("#")
    return reference + mark if reference[-1:] in _WHITE else reference


def _encode_query(reference: str, codec: str) -> str:
    """Escape what is beyond ASCII in the query by its bytes in a codec, else by its number as in ``&#233;``."""
    path, mark, query = reference.partition("?")

    def escape(match: re.Match[str]) -> str:
        return quote(match[0].encode(codec, "xmlcharrefreplace"), safe=_SECOND_BYTES)

    return path + mark + _BEYOND_ASCII.sub(escape, query)


def _parse(url: str) -> can_ada.URL | None:
    try:
        return can_ada.parse(url)
    except (ValueError, TypeError):
        return None


def _base_of(url: can_ada.URL, base: str) -> can_ada.URL | None:
    """Return the document base URL (HTML, 2.4.3); None where the base is no URL, or of a scheme that cannot be one."""
    if len(base) > _MAX_URL:
        return None
    try:
        joined = url + base
    except (ValueError, TypeError):
        return None
    return None if joined.protocol in {"data:", "javascript:"} else joined
