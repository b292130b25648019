"""A body becomes a :class:`Page`: a pure function, so that where it runs is a matter of configuration.

::

    bytes ──► medium ───► text ──────► document ──► elements ──► hints ──► links, meta ──► Page
              media.py    charset.py   parsers/                  hints.py  links.py

It never fails: broken HTML, wrong labels and any bytes at all give a page too. Nothing in a page outgrows its body but
the links, which have bounds of their own; with turbohtml the time is linear.
"""

from dataclasses import replace

from cpu_stage.charset import Decoded, decode
from cpu_stage.hints import directives, gather
from cpu_stage.links import Resolver
from cpu_stage.media import Kind, Media, media
from cpu_stage.parsers import HtmlDocument, load
from cpu_stage.types import Needs, Page, ParseOptions

__all__ = ["ParseOptions", "parse", "strip"]

_NOFOLLOW = frozenset({"nofollow", "none"})


def parse(url: str, content_type: str, body: bytes, options: ParseOptions, *, robots: str = "") -> Page:
    """Parse a page; broken HTML and any bytes give a page too.

    ``text/html`` and XHTML are parsed as HTML; any other ``text/*`` is text without links. Everything else, also a
    missing or broken type, is judged by its first bytes; what is binary gives a page without content and charset.

    Args:
        url: where the body came from, absolute.
        content_type: the Content-Type header as it came.
        body: the decoded body.
        options: which parts to make, and by which parser.
        robots: the X-Robots-Tag header.

    Raises:
        ValueError: the options name no known parser.
        ImportError: its library is not installed.
    """
    medium = media(content_type, body)
    if medium.kind is Kind.BINARY:
        return Page(url, medium.type, "", None, meta=_rules(robots))
    decoded = decode(body, medium.charset, markup=medium.kind is Kind.HTML)
    if medium.kind is Kind.HTML:
        return _html_page(url, medium, decoded, options, robots)
    text = decoded.text if Needs.TEXT in options.needs else ""
    return Page(url, medium.type, decoded.charset, None, text, meta=_rules(robots))


def strip(page: Page) -> Page:
    """Return the page without text and html: all that a record and the frontier need of it."""
    return replace(page, text="", html="") if page.text or page.html else page


def _html_page(url: str, medium: Media, decoded: Decoded, options: ParseOptions, robots: str) -> Page:
    document = load(options.parser)(decoded.text)
    hints = gather(document.elements(), describe=Needs.META in options.needs)
    resolver = Resolver(url, hints.base, decoded.charset)
    links, refused = resolver.resolve_all(hints.references, options.max_links if options.links else 0)
    roles = {name: target for name, reference in hints.roles.items() if (target := resolver.resolve(reference))}
    rules = _rules(*hints.robots, robots)
    if not _NOFOLLOW.isdisjoint(rules.get("robots", "").split(", ")):
        refused = frozenset(links)
    return Page(
        url=url,
        content_type=medium.type,
        charset=decoded.charset,
        title=_title(document, options.max_title),
        text=document.text() if Needs.TEXT in options.needs else "",
        links=links,
        nofollow=refused,
        meta={**hints.meta, **roles, **rules},
        html=decoded.text if Needs.HTML in options.needs else "",
    )


def _title(document: HtmlDocument, length: int) -> str | None:
    return " ".join((document.title() or "").split())[:length].rstrip() or None


def _rules(*texts: str) -> dict[str, str]:
    """Return the ``robots`` entry of a page: the union of its robots directives, in the order in which they came."""
    rules = dict.fromkeys(rule for text in texts for rule in directives(text))
    return {"robots": ", ".join(rules)} if rules else {}
