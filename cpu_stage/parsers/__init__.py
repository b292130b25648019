"""The HTML parsers: one small seam, one adapter a file, loaded when first used.

A parser knows HTML; what counts as a link, a base or a robots directive is decided once, above it. Both adapters
implement the HTML standard's tree construction with scripting off, so that the content of ``noscript`` is
markup; a template's content is inert and is never seen.
"""

import functools
import importlib
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol, cast

PARSERS: Mapping[str, str] = {
    "turbohtml": "cpu_stage.parsers.turbo",
    "selectolax": "cpu_stage.parsers.lexbor",
}
"""The adapters' modules by the name that the configuration uses."""

READ = ("html", "base", "a", "area", "link", "meta")
"""The elements that a page is asked for."""

ANY_NAMESPACE = frozenset({"a"})
"""Those that mean the same in SVG and MathML. A ``base`` or ``link`` there is no more than a name."""

UNREAD = frozenset(("head", "title", "script", "style", "template", "noscript", "iframe", "noembed", "noframes", "rp"))
"""Elements whose content nobody sees in a browser: it is not text."""

BREAK = "\0"
"""Where a line of the text ends, among the pieces that :func:`lines` takes. No document has a NUL in its text."""

SEPARATORS: Mapping[str, str] = dict.fromkeys(
    (
        *("address", "article", "aside", "blockquote", "body", "br", "caption", "center", "dd", "details", "dialog"),
        *("dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4"),
        *("h5", "h6", "header", "hgroup", "hr", "legend", "li", "listing", "main", "menu", "nav", "ol", "optgroup"),
        *("option", "p", "plaintext", "pre", "search", "section", "summary", "table", "tbody", "tfoot", "thead"),
        *("tr", "ul", "xmp"),
    ),
    BREAK,
) | {"td": " ", "th": " "}
"""What stands before and after an element's text: blocks are lines of their own, the cells of a row share one."""


class HtmlElement(Protocol):
    """An element with its attributes."""

    @property
    def tag(self) -> str:
        """Its name, in lower case."""
        ...

    def attr(self, name: str, /) -> str | None:
        """Return an attribute's value; None where it has no such attribute."""
        ...


class HtmlDocument(Protocol):
    """A parsed page: three questions are asked of it."""

    def elements(self) -> Iterator[HtmlElement]:
        """Yield the elements of :data:`READ` in document order, of HTML but for :data:`ANY_NAMESPACE`."""
        ...

    def title(self) -> str | None:
        """Return the text of the first title element of HTML (SVG has its own), as it stands there."""
        ...

    def text(self) -> str:
        """Return what a reader sees: one line a block, white space collapsed, no empty lines."""
        ...


@functools.cache
def load(name: str) -> Callable[[str], HtmlDocument]:
    """Return a parser: a function from a text to its document, which any text has.

    Raises:
        ValueError: no parser has this name.
        ImportError: its library is not installed.
    """
    if name not in PARSERS:
        raise ValueError(f"parser {name!r} is unknown; accepted: {', '.join(PARSERS)}")
    return cast("Callable[[str], HtmlDocument]", importlib.import_module(PARSERS[name]).parse)


def lines(pieces: list[str]) -> str:
    """Join the pieces of a text, in which :data:`BREAK` ends a line."""
    return "\n".join([" ".join(words) for words in map(str.split, "".join(pieces).split(BREAK)) if words])
