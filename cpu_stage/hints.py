"""What a page's elements say about it, gathered in one pass: references, robots directives, descriptions.

Nothing is resolved here. Every rule about an element stands here once, whatever parser made the element.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cpu_stage.links import tidy
from cpu_stage.parsers import HtmlElement

_ANCHORS = frozenset({"a", "area"})
_FOLLOWED_RELS = frozenset({"canonical", "next"})

_MAX_VALUE = 2_000
_MAX_KEY = 100
_MAX_LANGUAGE = 35
_MAX_ENTRIES = 100

_REFRESH = re.compile(  # nothing is given back: "5; url=" has no reference, and is not one to "url="
    r"""\s*+[\d.]++(?>\s*+[;,]|\s)\s*+(?:url\s*+=\s*+)?+(?:"([^"]*)|'([^']*)|(\S.*))""",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
_SEPARATOR = re.compile("[,;]")
_AGENT = re.compile(r"[a-z\d_*./-]+")
_VALUED_DIRECTIVES = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})


@dataclass(slots=True)
class Hints:
    """What a page says of itself.

    ``references`` are those of ``a``, ``area``, ``link`` (canonical and next) and a meta refresh, in document order,
    each with whether its every occurrence said nofollow. ``roles`` are the references that the page calls
    ``canonical``, ``next`` and ``refresh``. ``base`` is the first ``base[href]``. ``meta`` is flat, as in a page;
    its values have at most 2,000 characters, and there are at most 100 of them.
    """

    base: str | None = None
    references: dict[str, bool] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    meta: dict[str, str] = field(default_factory=dict)
    robots: list[str] = field(default_factory=list)

    def refer(self, href: str | None, rel: str | None = None) -> str:
        """Add a reference; return it as :func:`tidy` leaves it, '' where it leads to the page itself."""
        if not href:
            return ""
        reference = tidy(href) if "#" in href or href[0] <= " " else href
        if reference:
            refused = rel is not None and "nofollow" in rel.lower().split()
            self.references[reference] = refused and self.references.get(reference, True)
        return reference

    def describe(self, key: str, value: str, length: int = _MAX_VALUE) -> None:
        """Add a value for a key that has none yet."""
        value = " ".join(value[:length].split())
        if value and len(self.meta) < _MAX_ENTRIES:
            self.meta.setdefault(key[:_MAX_KEY], value)


def gather(elements: Iterable[HtmlElement], *, describe: bool) -> Hints:
    """Read a page's elements, which are in document order; ``describe``: description and ``og:*`` are wanted."""
    hints = Hints()
    refer = hints.refer
    for element in elements:
        tag = element.tag
        if tag in _ANCHORS:
            href = element.attr("href")
            refer(element.attr("xlink:href") if href is None else href, element.attr("rel"))  # SVG 2, 16.2
        elif tag == "link":
            _link(hints, element)
        elif tag == "meta":
            _meta(hints, element, describe=describe)
        elif tag == "base":
            if hints.base is None:
                hints.base = element.attr("href")
        elif language := element.attr("lang"):
            hints.describe("language", language, _MAX_LANGUAGE)
    return hints


def directives(text: str) -> Iterator[str]:
    """Yield the robots directives of an X-Robots-Tag header that hold for everyone, in lower case.

    A directive may begin with the name of a robot: from there on they are for that one, up to the next name. (Of
    several headers, joined by commas, a general one after a named one is not told apart from it.) Commas separate
    directives; semicolons and spaces do so in the wild, and who writes them means what they say.
    """
    general = True
    for part in _SEPARATOR.split(text):
        if not part.isascii():  # no directive is; a header may even hold what cannot be written as UTF-8
            continue
        name, colon, value = _directive(part)
        if colon and name not in _VALUED_DIRECTIVES and _AGENT.fullmatch(name):
            general = name == "*"
            name, colon, value = _directive(value)
        if general and name:
            yield from (f"{name}: {value}",) if colon else name.split()


def _directive(text: str) -> tuple[str, str, str]:
    name, colon, value = " ".join(text.lower().split()).partition(":")
    return name.rstrip(), colon, value.lstrip()


def _link(hints: Hints, element: HtmlElement) -> None:
    rel = element.attr("rel") or ""
    for name in rel.lower().split():
        if name in _FOLLOWED_RELS and (reference := hints.refer(element.attr("href"), rel)):
            hints.roles.setdefault(name, reference)


def _meta(hints: Hints, element: HtmlElement, *, describe: bool) -> None:
    content = element.attr("content")
    if not content:
        return
    for name in (element.attr("name"), element.attr("property")):
        key = name.strip().lower() if name else ""
        if key == "robots" and len(hints.robots) < _MAX_ENTRIES:
            hints.robots.append(content[:_MAX_VALUE])
        elif describe and (key == "description" or key.startswith("og:")):
            hints.describe(key, content)
    http_equiv = element.attr("http-equiv")
    if http_equiv:
        _pragma(hints, http_equiv.strip().lower(), content)


def _pragma(hints: Hints, name: str, content: str) -> None:
    if name == "content-language":
        hints.describe("language", content.partition(",")[0], _MAX_LANGUAGE)
    elif name == "refresh":
        match = _REFRESH.match(content)  # HTML, 4.2.5.3
        reference = hints.refer(match[1] or match[2] or match[3]) if match else None
        if reference:
            hints.roles.setdefault("refresh", reference)
