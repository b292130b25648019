"""What a body is, by its Content-Type header or, where that says nothing usable, by its first bytes."""

import enum
import functools
import re
from typing import NamedTuple

_HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
_TYPE = re.compile(r"\s*([\w!#$&^.+-]+/[\w!#$&^.+-]+)\s*(?:[;,]|$)", re.ASCII)
_CHARSET = re.compile(r""";\s*charset\s*=\s*["']?([^\s"',;]+)""", re.IGNORECASE)

_SNIFFED = 1445
_HTML_START = re.compile(
    rb"(?:\xef\xbb\xbf)?[\t\n\f\r ]*<(?:!--|(?:!DOCTYPE HTML|HTML|HEAD|SCRIPT|IFRAME|H1|DIV|FONT|TABLE|A|STYLE|TITLE"
    rb"|B|BODY|BR|P)[\t\n\f\r />])",
    re.IGNORECASE,
)
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_BINARY_STARTS = (b"%PDF-", b"%!PS-Adobe-")
_UTF16_MARKS = (b"\xfe\xff", b"\xff\xfe")


class Kind(enum.Enum):
    """How a body is read."""

    HTML = "text/html"
    TEXT = "text/plain"
    BINARY = "application/octet-stream"


class Media(NamedTuple):
    """The media type in lower case (as declared, else as sniffed), the kind, and the header's charset label."""

    type: str
    kind: Kind
    charset: str | None


def media(content_type: str, body: bytes) -> Media:
    """Judge a body. Any text may stand in the header; of several types, the first one counts."""
    declared, charset = _read_header(content_type)
    if declared in _HTML_TYPES:
        kind = Kind.HTML
    elif declared.startswith("text/"):
        kind = Kind.TEXT
    else:
        kind = _sniff(body[:_SNIFFED])
    return Media(declared or kind.value, kind, charset)


@functools.lru_cache(maxsize=256)
def _read_header(content_type: str) -> tuple[str, str | None]:
    """Return the media type in lower case, '' where it is none, and the charset label. A site repeats its headers."""
    declared = _TYPE.match(content_type)
    charset = _CHARSET.search(content_type)
    return declared[1].lower() if declared else "", charset[1] if charset else None


def _sniff(start: bytes) -> Kind:
    """Judge by the first bytes, as the MIME Sniffing standard does (7.1): a tag that pages begin with, or no binary.

    Of its signatures, those that could pass for text are needed; any other file has a control character soon.
    """
    if _HTML_START.match(start):
        return Kind.HTML
    if start.startswith(_BINARY_STARTS):
        return Kind.BINARY
    if start.startswith(_UTF16_MARKS) or not _BINARY.search(start):
        return Kind.TEXT
    return Kind.BINARY
