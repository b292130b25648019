"""The encoding that a page declares for itself.

The algorithm of the HTML standard (13.2.3.2, "prescan a byte stream to determine its encoding"): it reads bytes, not
text, skips comments and tags, and understands ``<meta charset>``, ``<meta http-equiv=content-type>`` and, where
there is neither, the XML declaration. Linear.
"""

import functools
import re
from collections.abc import Iterator

_TAG = re.compile(rb"</?[a-zA-Z][^\t\n\f\r />]*")
_ATTRIBUTE = re.compile(
    rb"""[\t\n\f\r /]*(?P<name>=?[^\t\n\f\r />=]*)
    (?:[\t\n\f\r ]*=[\t\n\f\r ]*(?:"(?P<double>[^"]*)"?|'(?P<single>[^']*)'?|(?P<bare>[^\t\n\f\r >]*)))?""",
    re.VERBOSE,
)
_CHARSET = re.compile(
    rb"""charset[\t\n\f\r ]*=[\t\n\f\r ]*(?:"([^"]*)"|'([^']*)'|([^\t\n\f\r ;"'][^\t\n\f\r ;]*))""", re.IGNORECASE
)
_XML = re.compile(rb"""<\?xml[^>]*?\sencoding[\t\n\r ]*=[\t\n\r ]*["']([^"'>]*)["']""")


def declared_labels(head: bytes) -> Iterator[str]:
    """Yield the labels that the start of a page declares: a later one counts where an earlier is unknown.

    A tag that is cut off at the end declares nothing: of ``iso-8859-15`` another label may be left.
    """
    charset = head.lower().find(b"charset")
    if charset >= 0:
        yield from _first_labels(head[: head.find(b">", charset) + 1])
        yield from _meta_labels(head)
    if declaration := _XML.match(head):
        yield declaration[1].decode("latin-1")


@functools.lru_cache(maxsize=256)
def _first_labels(start: bytes) -> tuple[str, ...]:
    """Return the labels up to the end of the tag that speaks of a charset first: a site's pages begin alike."""
    return tuple(_meta_labels(start))


def _meta_labels(head: bytes) -> Iterator[str]:
    at = 0
    while (at := head.find(b"<", at)) >= 0:
        end = at
        if head.startswith(b"<!--", at):
            end = head.find(b"-->", at + 2)  # "<!-->" is a whole comment
        elif tag := _TAG.match(head, at):
            attributes, end = _attributes(head, tag.end())
            if end == len(head):
                return
            if tag[0].lower() == b"<meta" and (label := _label_of(attributes)):
                yield label.decode("latin-1")
        elif head[at + 1 : at + 2] in {b"!", b"/", b"?"}:
            end = head.find(b">", at)
        if end < 0:
            return
        at = end + 1


def _attributes(head: bytes, at: int) -> tuple[dict[bytes, bytes], int]:
    """Read a tag's attributes; return them (of equal names the first) and where its ``>`` is, or the bytes end."""
    attributes: dict[bytes, bytes] = {}
    while (match := _ATTRIBUTE.match(head, at)) and match.end() > at:
        at = match.end()
        value = match["double"] or match["single"] or match["bare"] or b""
        if name := match["name"].lower():
            attributes.setdefault(name, value)
    return attributes, at


def _label_of(meta: dict[bytes, bytes]) -> bytes | None:
    if b"charset" in meta:
        return meta[b"charset"]
    if meta.get(b"http-equiv", b"").lower() == b"content-type" and (
        match := _CHARSET.search(meta.get(b"content", b""))
    ):
        return match[1] or match[2] or match[3]
    return None
