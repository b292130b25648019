"""The main text of a page, without navigation and boilerplate, by trafilatura.

trafilatura has the best text (F1 0.96 on 181 articles; turbohtml's light method 0.88) at 20 to 50 times the cost.
That cost grows with the number of elements, some 50 µs each, and worse on a page made to hurt, so a page beyond
``max_nodes`` gets the light method. What a page says of its title, author and date is read by turbohtml: the
declared values only, where trafilatura's search doubles the cost and guesses.
"""

import datetime as dt
import functools
import logging
from collections.abc import Iterator
from typing import Any, Literal

import turbohtml
from turbohtml.extract import Article, DateExtraction, dates

from cpu_stage.analyzers import options
from cpu_stage.analyzers.words import words
from cpu_stage.types import Json, Needs, Page

Format = Literal["text", "markdown"]

_FORMATS = {"text": "txt", "markdown": "markdown"}
# Not beyond today, the library's default: the same page must give the same record tomorrow.
_DECLARED_DATES = DateExtraction(original=True, extensive_search=False, max_date=dt.date(2100, 1, 1))

logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # it reports a page without text as an error


class Content:
    """Extracts the main text, as plain ``text`` or ``markdown``.

    ``metadata`` adds title, author and date. ``max_characters`` of the text are kept. ``max_nodes`` (elements and
    attributes) is where the light method takes over.
    """

    needs = Needs.HTML
    libraries = ("trafilatura",)

    def __init__(
        self,
        format: Format = "text",  # noqa: A002 - the name of the option
        *,
        metadata: bool = True,
        max_characters: int = 1_000_000,
        max_nodes: int = 60_000,
    ) -> None:
        self._format = options.choice("format", format, _FORMATS)
        self._metadata = options.flag("metadata", metadata)
        self._max_characters = options.whole("max_characters", max_characters, least=1)
        self._max_nodes = options.whole("max_nodes", max_nodes, least=0)

    def __call__(self, page: Page) -> dict[str, Json]:
        """Return ``text``, ``words``, ``characters`` and ``method``; with metadata ``title``, ``author``, ``date``.

        ``method`` is ``full`` (trafilatura) or ``light`` (turbohtml), which is also the second try where the full
        one finds nothing. ``words`` and ``characters`` count the text before it was cut to
        ``max_characters``. ``date`` is an ISO date; what the page does not say is null.
        """
        document = turbohtml.parse(page.html, positions=False)
        article = document.article()
        text = self._full(page) if _nodes(document) <= self._max_nodes else ""
        method = "full" if text else "light"
        text = text or self._light(article)
        values: dict[str, Json] = {
            "text": text[: self._max_characters],
            "words": len(words(text)),
            "characters": len(text),
            "method": method,
        }
        if self._metadata:
            date = dates(page.html, _DECLARED_DATES)
            values["title"] = article.title or page.title
            values["author"] = article.byline or next(_authors(document.json_ld()), None)
            values["date"] = date.date if date else None
        return values

    def _full(self, page: Page) -> str:
        text = _trafilatura().extract(
            page.html, url=page.url, fast=True, include_comments=False, output_format=_FORMATS[self._format]
        )
        return text or ""

    def _light(self, article: Article) -> str:
        if self._format == "markdown" and article.element is not None:
            return article.element.to_markdown()
        return article.text


@functools.cache
def _trafilatura() -> Any:
    """Load the library, once in a worker, and have its parser choose the class of an element in C.

    By default lxml.html asks Python for the class of every element, so that forms and inputs get one of their own; here
    nobody fills in forms, and that is a twentieth of all the time.
    """
    import trafilatura.utils  # noqa: PLC0415 - a worker imports it when it starts, the crawler never
    from lxml import etree, html  # noqa: PLC0415

    trafilatura.utils.HTML_PARSER.set_element_class_lookup(
        etree.ElementDefaultClassLookup(
            html.HtmlElement, html.HtmlComment, html.HtmlProcessingInstruction, html.HtmlEntity
        )
    )
    return trafilatura


def _nodes(document: turbohtml.Document) -> float:
    count = document.xpath("count(//*) + count(//@*)")
    assert isinstance(count, float)
    return count


def _authors(json_ld: object) -> Iterator[str]:
    """Yield the authors' names in JSON-LD: ``author`` is a name, an object with one, or a list of such."""
    for block in _list(json_ld):
        for top in filter(_is_object, _list(block)):
            for node in filter(_is_object, (top, *_list(top.get("@graph")))):
                for author in _list(node.get("author")):
                    name = author.get("name") if isinstance(author, dict) else author
                    if isinstance(name, str) and name.strip():
                        yield name.strip()


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _is_object(value: object) -> bool:
    return isinstance(value, dict)
