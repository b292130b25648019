"""A body becomes a :class:`Page`: a pure function, so that where it runs is a matter of configuration.

The parser is turbohtml, a WHATWG parser that is linear on hostile input; URLs are joined by can_ada (WHATWG).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import can_ada
import turbohtml

from cpu_stage.types import Needs, Page

_LINKS = "a[href], area[href], link[rel][href]"
_FOLLOWED_RELS = frozenset({"canonical", "next"})
_UNREAD = "script, style, template, noscript"


@dataclass(frozen=True, slots=True)
class ParseOptions:
    """What is made of a page. ``max_links`` distinct links and ``max_title`` characters bound hostile ones."""

    needs: Needs = Needs.ALL
    max_links: int = 100_000
    max_title: int = 1_000


def parse(url: str, content_type: str, body: bytes, options: ParseOptions, *, robots: str = "") -> Page:
    """Parse a page; broken HTML and any bytes give a page too.

    Args:
        url: where the body came from, absolute.
        content_type: the Content-Type header as it came; its charset outranks the page's own, a BOM both.
        body: the decoded body.
        options: which parts to make.
        robots: the X-Robots-Tag header.
    """
    document = _document(body, _header_charset(content_type))
    meta = dict(_meta(document))
    directives = {part.strip().lower() for part in f"{meta.get('robots', '')},{robots}".split(",")} - {""}
    if directives:
        meta["robots"] = ", ".join(sorted(directives))
    links, nofollow = _links(document, url, options.max_links)
    if directives & {"nofollow", "none"}:
        nofollow = frozenset(links)
    title = document.select_one("head > title")
    return Page(
        url=url,
        content_type=content_type.partition(";")[0].strip().lower(),
        charset=(document.encoding or "utf-8").lower(),
        title=" ".join(title.text.split())[: options.max_title] if title else None,
        links=links,
        nofollow=nofollow,
        meta=meta,
        html=document.html if Needs.HTML in options.needs else "",
        text=_text(document) if Needs.TEXT in options.needs else "",
    )


def strip(page: Page) -> Page:
    """Return the page without text and html: all that a record and the frontier need of it."""
    return replace(page, text="", html="") if page.text or page.html else page


def _header_charset(content_type: str) -> str | None:
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip(" \t\"'") or None
    return None


def _document(body: bytes, charset: str | None) -> turbohtml.Document:
    """Parse; a label that is not in the WHATWG encoding standard is as good as none."""
    try:
        return turbohtml.parse(body, encoding=charset, detect_encoding=True, positions=False)
    except LookupError:
        return turbohtml.parse(body, detect_encoding=True, positions=False)


def _attribute(element: turbohtml.Element, name: str) -> str:
    value = element.attrs.get(name)
    return " ".join(value) if isinstance(value, list) else value or ""


def _meta(document: turbohtml.Document) -> Iterator[tuple[str, str]]:
    root = document.select_one("html[lang]")
    if root is not None and (language := _attribute(root, "lang").strip()):
        yield "language", language[:35]
    for element in document.select("meta[content]"):
        name = (_attribute(element, "name") or _attribute(element, "property")).strip().lower()
        if name in {"description", "robots"} or name.startswith("og:"):
            yield name, _attribute(element, "content")[:2_000]


def _links(document: turbohtml.Document, url: str, most: int) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the distinct links in document order, and those whose every occurrence says nofollow."""
    base = _base(document, url)
    seen: dict[str, bool] = {}
    for element in document.select(_LINKS):
        rels = set(_attribute(element, "rel").lower().split())
        if element.tag == "link" and not rels & _FOLLOWED_RELS:
            continue
        href = _attribute(element, "href").strip()
        if href and not href.startswith("#"):
            seen[href] = seen.get(href, True) and "nofollow" in rels
    joined: dict[str, bool] = {}
    for href, refused in seen.items():
        if len(joined) >= most:
            break
        if link := _join(base, href):
            joined[link] = joined.get(link, True) and refused
    return tuple(joined), frozenset(link for link, refused in joined.items() if refused)


def _base(document: turbohtml.Document, url: str) -> can_ada.URL:
    own = can_ada.parse(url)
    element = document.select_one("base[href]")
    if element is None:
        return own
    try:
        return own + _attribute(element, "href")
    except ValueError:
        return own


def _join(base: can_ada.URL, href: str) -> str | None:
    """Resolve a reference to an http(s) URL without fragment and user-info; None for anything else."""
    try:
        link = base + href
    except ValueError:
        return None
    if link.protocol not in {"http:", "https:"}:
        return None
    if link.hash:
        link.hash = ""
    if link.username or link.password:
        link.username = link.password = ""
    return str(link.href)


def _text(document: turbohtml.Document) -> str:
    """Return the visible text, one block a line. Changes the document: call it last."""
    for element in document.select(_UNREAD):
        element.decompose()
    return document.to_text()
