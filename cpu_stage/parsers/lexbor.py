"""HTML by lexbor (selectolax).

It needs quadratic time, or worse, on some hostile pages: 500 KB of nested ``<div>`` or of attributes take more than 20
seconds (lexbor issue 340). So it must run only in workers that can be killed, never on the event loop.
"""

from collections.abc import Iterator

from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser, LexborNode

from cpu_stage.parsers import ANY_NAMESPACE, READ, SEPARATORS, UNREAD, HtmlElement, lines

_READ = ", ".join(READ).replace("html", ":root")  # SVG may hold an element of that name


def parse(html: str) -> "LexborDocument":
    """Parse a page."""
    return LexborDocument(html)


class LexborElement:
    """An element of the tree, in the form of :class:`HtmlElement`. The value of an empty attribute is ''."""

    __slots__ = ("_attributes", "tag")

    def __init__(self, node: LexborNode) -> None:
        self.tag: str = node.tag or ""
        self._attributes = node.attributes

    def attr(self, name: str, /) -> str | None:
        """Return an attribute's value."""
        return (self._attributes[name] or "") if name in self._attributes else None


class LexborDocument:
    """A page as lexbor's tree; its events are off, they copy options and are quadratic."""

    def __init__(self, html: str) -> None:
        self._parser = LexborHTMLParser(html, options=LexborDocumentOptions.WO_EVENTS)

    def elements(self) -> Iterator[HtmlElement]:
        """Yield the elements of ``READ`` in document order."""
        for node in self._parser.css(_READ):
            if node.tag in ANY_NAMESPACE or node.tag == "html" or _is_html(node):
                yield LexborElement(node)

    def title(self) -> str | None:
        """Return the text of the first HTML title element."""
        for node in self._parser.css("title"):
            if _is_html(node):
                return node.text()
        return None

    def text(self) -> str:
        """Return the visible text, one line a block."""
        root = self._parser.root
        return "" if root is None else lines(list(_pieces(root)))


def _is_html(node: LexborNode) -> bool:
    """Whether an element is of the HTML namespace, which its serialisation alone tells."""
    return not (node.html_pretty(tag_with_ns=True) or "").startswith(("<svg:", "<math:"))


def _pieces(root: LexborNode) -> Iterator[str]:
    """Yield texts and separators in document order. A stack, because pages nest as deep as they like."""
    stack: list[tuple[LexborNode | None, str]] = [(root.first_child, "")]
    while stack:
        node, after = stack.pop()
        while node is not None:
            tag = node.tag or ""
            if tag == "-text":
                yield node.text_content or ""
            elif tag not in UNREAD and not tag.startswith("-"):
                separator = SEPARATORS.get(tag, "")
                yield separator
                stack.append((node.next, after))
                node, after = node.first_child, separator
                continue
            node = node.next
        yield after
