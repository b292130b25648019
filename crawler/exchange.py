"""What all fetchers do alike around one HTTP exchange: settings, headers, what is worth reading. Pure."""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from crawler.codings import ACCEPT_ENCODING
from crawler.content import Body
from crawler.types import BodyRule
from crawler.urls import is_public_suffix, origin

# An unwanted body of up to this size is read all the same, so that its connection can serve the next page; a
# new connection would cost more. A server that is slow to send even that loses the connection.
DRAIN_BYTES = 64 * 1024
DRAIN_S = 1.0

# Headers of the user's that say nothing secret, by any server.
_PUBLIC = frozenset({"Accept", "Accept-Language", "Dnt", "From", "User-Agent"})
_NOTHING: Mapping[str, str] = MappingProxyType({})

_ACCEPT = "text/html,application/xhtml+xml,*/*;q=0.8"


class Phase(enum.Enum):
    """What an exchange waits for."""

    CONNECTION = enum.auto()
    HEADER = enum.auto()
    BODY = enum.auto()


@dataclass(frozen=True, slots=True)
class FetchSettings:
    """How to ask. Times are seconds.

    ``connect_s`` covers name, TCP and TLS; ``first_byte_s`` the wait for the response's header; ``total_s``
    is for all. ``max_wire`` bounds a body before decoding, beside the rule of each fetch, ``max_ratio`` how much it may
    grow by that; ``max_field`` one
    line of the header. ``headers`` are the user's own; those that may be secret go to ``own_origins`` alone
    (``https://host[:port]``), wherever a link or a redirect leads. Idle connections are kept for ``keepalive_s``.
    A body must bring ``min_rate`` bytes a second, over each ``rate_s`` seconds of it.
    ``concurrency`` is how many fetches a blocking fetcher runs at a time; coroutines need no such number, the
    engine's slots bound them.
    """

    user_agent: str
    headers: Mapping[str, str] = field(default_factory=dict)
    own_origins: frozenset[str] = frozenset()
    connect_s: float = 10.0
    first_byte_s: float = 20.0
    total_s: float = 60.0
    min_rate: int = 256
    rate_s: float = 10.0
    max_wire: int = 16 * 1024 * 1024
    max_ratio: int = 500
    max_field: int = 32 * 1024
    keepalive_s: float = 15.0
    dns_ttl_s: float = 300.0
    verify_tls: bool = True
    cookies: bool = False
    concurrency: int = 64


def lateness(settings: FetchSettings, phase: Phase, *, total: bool) -> str:
    """Return what an exchange waited for in vain, and how long; ``total``: for its end."""
    if total:
        return f"not complete within {settings.total_s:g} s"
    if phase is Phase.CONNECTION:
        return f"no connection within {settings.connect_s:g} s"
    if phase is Phase.BODY:
        return f"fewer than {settings.min_rate} bytes a second for {settings.rate_s:g} s"
    return f"no response header within {settings.first_byte_s:g} s"


class RequestHeaders:
    """The headers of every request; the user's own win over the defaults."""

    def __init__(self, settings: FetchSettings) -> None:
        own = {name.title(): value for name, value in settings.headers.items()}
        self._origins = settings.own_origins
        self.everywhere = {
            "User-Agent": settings.user_agent,
            "Accept": _ACCEPT,
            "Accept-Encoding": ACCEPT_ENCODING,
        } | {name: value for name, value in own.items() if name in _PUBLIC}
        self._private = {name: value for name, value in own.items() if name not in _PUBLIC}

    def private(self, url: str) -> Mapping[str, str]:
        """Return what may be a secret (``Authorization``, ``Cookie``, a key of an API), for its own origins alone.

        Nor does it go from https to http: an origin has a scheme (RFC 6454 section 4).
        """
        return self._private if self._private and origin(url) in self._origins else _NOTHING


def is_too_wide(domain: str, host: str) -> bool:
    """Whether a cookie's ``Domain`` belongs to many parties: ``co.uk``, ``github.io`` (RFC 6265 section 5.3, step 5).

    A host that is a public suffix itself may set cookies for itself.
    """
    domain = domain.lstrip(".").lower()
    return bool(domain) and domain != host and is_public_suffix(domain)


def lower_headers(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return response headers by lower-case name; repeated ones joined, unless they say the same.

    Bytes that are not UTF-8 come as lone surrogates, which no file or database would take: they are read as
    Latin-1, the old default of HTTP.
    """
    headers: dict[str, str] = {}
    for name, value in fields:
        key = name.lower()
        text = value if value.isascii() else _clean(value)
        known = headers.get(key)
        headers[key] = text if known is None or known == text else f"{known}, {text}"
    return headers


def _clean(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogateescape").decode("latin-1")
    return value


def media_type(headers: Mapping[str, str]) -> str:
    """Return the media type of ``Content-Type``, lower-case, no parameters; empty where it is missing."""
    return headers.get("content-type", "").split(";", 1)[0].split(",", 1)[0].strip().lower()


def announced_length(headers: Mapping[str, str]) -> int | None:
    """Return ``Content-Length``; None where it is missing or no number."""
    value = headers.get("content-length", "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 20 else None


def wants_body(status: int, headers: Mapping[str, str], rule: BodyRule) -> bool:
    """Return whether the body is worth reading: a 2xx of a wanted type, or of none at all."""
    if not 200 <= status < 300:
        return False
    found = media_type(headers)
    return rule.types is None or not found or found in rule.types


def is_drainable(status: int, headers: Mapping[str, str]) -> bool:
    """Return whether an unwanted body should be read off the wire rather than the connection be closed.

    A small announced one, and an error page or redirect of unknown length, which are small as a rule.
    """
    length = announced_length(headers)
    if length is None:
        return not 200 <= status < 300 and "transfer-encoding" in headers
    return length <= DRAIN_BYTES


def new_body(headers: Mapping[str, str], rule: BodyRule, settings: FetchSettings) -> Body:
    """Return the collector of a body that is wanted.

    Raises:
        BodyTooLargeError: the announced length is above a limit already.
        DecodeError: the content coding is unknown.
    """
    body = Body(
        headers.get("content-encoding", ""),
        max_wire=min(settings.max_wire, rule.max_bytes),
        max_bytes=rule.max_bytes,
        max_ratio=settings.max_ratio,
        truncate=rule.truncate,
    )
    length = announced_length(headers)
    if length is not None:
        body.expect(length)
    return body


def one_line(text: object) -> str:
    """Return the first line of a message, shortened."""
    line, *_ = str(text).strip().splitlines() or [""]
    line = line.rstrip(" :")
    return line if len(line) <= 200 else line[:200] + "..."
