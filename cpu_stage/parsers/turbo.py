"""HTML by turbohtml: linear on hostile input, so it may run on the event loop.

Two of the standard's rules make it copy what it has, and pages can have it do so as often as they like: 300 KB take 13
seconds and 6 GB. Such tags are renamed before: ``selectedcontent``, which shows an option a second time; and those
of ``html`` and ``body``, each of which adds attributes to the first one, where a page has more than a hundred.
"""

import re
from collections.abc import Container, Iterator

from turbohtml import Element, Namespace, Node, Text
from turbohtml import parse as parse_html

from cpu_stage.parsers import ANY_NAMESPACE, READ, SEPARATORS, UNREAD, HtmlElement, lines

_COPYING = re.compile(r"<[shbSHB](?i:electedcontent|tml|ody)", re.ASCII)  # a set first: re looks at every tag
_COPYING_INITIAL = re.compile(r"<(?:s(?=electedcontent)|h(?=tml)|b(?=ody))", re.IGNORECASE | re.ASCII)
_MAX_ROOTS = 100

_APART = (*SEPARATORS, *UNREAD)
_WALKED = (*READ, "title", "template")


def parse(html: str) -> "TurboDocument":
    """Parse a page."""
    return TurboDocument(html)


class TurboDocument:
    """A page as turbohtml's tree.

    Its own ``to_text`` is not used: it pads table columns, so that 128 KB of HTML can become 200 MB of text. Elements
    nest 512 deep at most, as in browsers; what is deeper stands beside, also the content of a script or a title.
    """

    def __init__(self, html: str) -> None:
        self._document = parse_html(_tame(html), positions=False, allow_declarative_shadow_roots=False)
        self._elements: list[HtmlElement]
        self._title: Element | None
        while templates := self._walk():
            for template in templates:
                template.clear()

    def elements(self) -> Iterator[HtmlElement]:
        """Yield the elements of ``READ`` in document order."""
        return iter(self._elements)

    def title(self) -> str | None:
        """Return the text of the first HTML title element."""
        return self._title.text if self._title is not None else None

    def _walk(self) -> list[Element]:
        """Note what will be asked for; return the templates that are not empty yet, which it saw into."""
        elements: list[HtmlElement] = []
        templates: list[Element] = []
        title, html = None, Namespace.HTML
        for element in self._document.iter_elements(_WALKED):
            tag = element.tag
            if tag in ANY_NAMESPACE:  # most are; to ask for the namespace costs as much as for the name
                elements.append(element)
            elif element.namespace is not html:
                continue
            elif tag == "title":
                title = element if title is None else title
            elif tag != "template":
                elements.append(element)
            elif element.children:
                templates.append(element)
        self._elements, self._title = elements, title
        return templates

    def text(self) -> str:
        """Return the visible text, one line a block.

        An element without blocks inside is read in one call; only the others are walked here.
        """
        root = self._document.root
        if root is None:
            return ""
        walked: set[Node] = {root}
        for element in root.iter_elements(_APART):
            parent = element.parent
            while parent is not None and parent not in walked:
                walked.add(parent)
                parent = parent.parent
        return lines(_pieces(root, walked))


def _tame(html: str) -> str:
    """Return the page with the tags renamed that would be a bomb, at the same length; nearly always it is as it was."""
    found = _COPYING.findall(html)
    if len(found) > _MAX_ROOTS or any(tag[1] in "sS" for tag in found):
        return _COPYING_INITIAL.sub("<x", html)
    return html


def _pieces(root: Element, walked: Container[Node]) -> list[str]:
    """Return texts and separators in document order. A stack, because pages nest as deep as they like."""
    pieces: list[str] = []
    stack = [(iter(root), "")]
    while stack:
        children, after = stack[-1]
        for node in children:
            if type(node) is Text:
                pieces.append(node.data)
            elif type(node) is Element and (tag := node.tag) not in UNREAD:
                separator = SEPARATORS.get(tag, "")
                pieces.append(separator)
                if node in walked:
                    stack.append((iter(node), separator))
                    break
                pieces.append(node.text)
                pieces.append(separator)
        else:
            stack.pop()
            pieces.append(after)
    return pieces
