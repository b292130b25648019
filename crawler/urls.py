"""Canonical URLs, and the two keys that are cut out of them: host and registrable domain.

A page has many spellings and must be fetched once. Parsing, hosts (case, IDNA, IPv4 shorthand), dot segments
and default ports are the WHATWG URL standard's, by can_ada: what browsers do. On top of that come the
equivalences of RFC 3986 section 6.2.2 that the standard leaves alone (percent-encoding), what never selects a
page (fragment, user-info, an empty query, the root dot of a host), and what rarely does (tracking parameters,
by option).
"""

from dataclasses import dataclass, field
from functools import cache, lru_cache
from string import ascii_letters, digits, hexdigits
from typing import TYPE_CHECKING

import can_ada

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

TRACKING_PARAMETERS: tuple[str, ...] = (
    *("utm_*", "mtm_*", "pk_*", "hsa_*", "_hs*", "__hs*"),  # campaign tools: Google, Matomo, HubSpot
    *("gclid", "gclsrc", "gbraid", "wbraid", "dclid", "_ga", "_gl"),  # Google Ads and Analytics
    *("fbclid", "igshid", "twclid", "ttclid", "li_fat_id", "msclkid", "yclid", "ysclid", "epik", "rdt_cid"),
    *("mc_cid", "mc_eid", "mkt_tok", "vero_id", "_openstat", "s_cid", "wickedid", "irclickid", "srsltid"),
)
"""Parameters that say where a visitor came from, not what is shown; as :class:`CanonicalForm` takes them."""

_UNRESERVED = frozenset(ascii_letters + digits + "-._~")  # RFC 3986 section 2.3


def _normal_escape(code: str) -> str:
    octet = chr(int(code, 16))
    return octet if octet in _UNRESERVED else f"%{code.upper()}"


_ESCAPES = {code: _normal_escape(code) for code in (a + b for a in hexdigits for b in hexdigits)}


@dataclass(frozen=True, slots=True)
class CanonicalForm:
    """Which spellings of a query count as one page.

    ``sort_query`` sorts the parameters by name; equal names keep their order. ``strip_tracking`` drops the
    parameters of these names, whatever their case; a ``*`` at the end stands for any rest. Where either is
    set, empty parameters (``a&&b``) are dropped too.
    """

    sort_query: bool = False
    strip_tracking: tuple[str, ...] = TRACKING_PARAMETERS
    _names: frozenset[str] = field(init=False, repr=False, compare=False)
    _prefixes: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        patterns = [pattern.lower() for pattern in self.strip_tracking]
        for pattern in patterns:
            if not pattern or "*" in pattern[:-1]:
                raise ValueError(f"tracking parameter {pattern!r}: a name, with '*' only at its end")
        object.__setattr__(self, "_names", frozenset(p for p in patterns if not p.endswith("*")))
        object.__setattr__(self, "_prefixes", tuple(p[:-1] for p in patterns if p.endswith("*")))

    def query(self, query: str) -> str:
        """Return a query (without its ``?``, escapes normalised) in this form."""
        if not (self.sort_query or self.strip_tracking):
            return query
        names, prefixes = self._names, self._prefixes
        kept = [
            parameter
            for parameter in query.split("&")
            if parameter
            and (name := parameter.partition("=")[0].lower()) not in names
            and not name.startswith(prefixes)
        ]
        if self.sort_query:
            kept.sort(key=_name)
        return "&".join(kept)


def _name(parameter: str) -> str:
    return parameter.partition("=")[0]


def canonicalize(url: str, form: CanonicalForm) -> str | None:
    """Return the one form of an absolute http(s) URL; None for any other text. Idempotent; never raises."""
    href = serialise(url)
    return None if href is None else normalise(href, form)


def normalise(href: str, form: CanonicalForm) -> str | None:
    """Return the canonical form of what a WHATWG URL library has serialised (http and https only).

    This is :func:`canonicalize` without the parse, for the links of a page; the result is again a
    serialisation that a parse does not change. None where the host cannot exist (``http://./``, ``http://a../``).
    """
    if (
        "%" not in href
        and "?" not in href
        and "#" not in href
        and "@" not in href
        and "^" not in href
        and "./" not in href
        and ".:" not in href
    ):
        return href
    return _rebuild(href, form)


def _rebuild(href: str, form: CanonicalForm) -> str | None:
    location, _, query = href.partition("#")[0].partition("?")
    slash = location.find("/", 8)
    origin = location[:slash]
    if "@" in origin or ".:" in origin or origin.endswith("."):
        cleaned = _clean_origin(origin)
        if cleaned is None:
            return None
        origin = cleaned
    path = location[slash:]
    if "%" in path or "^" in path:
        # Versions of the standard differ on a raw caret in a path: some serialise it as it is.
        path = normalise_escapes(path.replace("^", "%5E"))
    if query:
        query = form.query(normalise_escapes(query))
    return f"{origin}{path}?{query}" if query else f"{origin}{path}"


def _clean_origin(origin: str) -> str | None:
    """Drop the user-info (RFC 3986 section 3.2.1) and the root dot of the host (``example.com.``)."""
    scheme, _, authority = origin.partition("://")
    host, colon, port = authority.rpartition("@")[2].partition(":")
    if host.startswith("["):
        return f"{scheme}://{authority.rpartition('@')[2]}"
    host = host.removesuffix(".")
    return None if not host or host.endswith(".") else f"{scheme}://{host}{colon}{port}"


def normalise_escapes(text: str) -> str:
    """Decode the escapes of unreserved characters, write the others in upper case, a stray % as %25.

    RFC 3986 section 6.2.2. Without the last rule ``%%32e`` would become ``%2e``, another escape.
    """
    if "%" not in text:
        return text
    first, *rest = text.split("%")
    return first + "".join([_ESCAPES.get(part[:2], "%25" + part[:2]) + part[2:] for part in rest])


def join(base: str, reference: str) -> str | None:
    """Resolve a reference (a ``Location`` header) against an absolute URL; None: not an http(s) URL."""
    try:
        href: str = (can_ada.parse(base) + reference).href
    except (ValueError, TypeError):  # TypeError: text with lone surrogates
        return None
    return href if href.startswith(("http://", "https://")) else None


def serialise(url: str) -> str | None:
    """Return the WHATWG serialisation of an absolute http(s) URL; None for any other text."""
    try:
        href: str = can_ada.parse(url).href
    except (ValueError, TypeError):  # TypeError: text with lone surrogates
        return None
    return href if href.startswith(("http://", "https://")) else None


def has_other_scheme(url: str) -> bool:
    """Whether this is a well-formed URL of another scheme: ``mailto:``, ``javascript:``, ``ftp:``, ..."""
    try:
        href: str = can_ada.parse(url).href
    except (ValueError, TypeError):
        return False
    return not href.startswith(("http://", "https://"))


def origin(url: str) -> str:
    """Return ``scheme://host[:port]`` of a canonical URL: what one robots.txt holds for (RFC 9309, 2.3)."""
    return url[: url.find("/", 8)]


def host_key(url: str) -> str:
    """Return ``host[:port]`` of a canonical URL, the port only where it is not the scheme's default.

    The key of politeness and scope; http and https of one host share it.
    """
    return url[8 if url[4] == "s" else 7 : url.find("/", 8)]


def path_and_query(url: str) -> str:
    """Return a canonical URL without its origin: what the rules of a robots.txt are matched with."""
    return url[url.find("/", 8) :]


def hostname(host: str) -> str:
    """Return a host key without its port."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


@lru_cache(maxsize=65_536)
def registrable_domain(host: str) -> str:
    """Return the part of a host key that one party registered: its public suffix and one label more.

    By Mozilla's list (as bundled), private section included: ``a.github.io`` and ``b.github.io`` are two
    parties. An IP address, a public suffix itself and a name without dots stand for themselves.
    """
    name = hostname(host)
    if name.startswith("[") or name.rpartition(".")[2].isdigit():
        return name
    return _public_suffixes().privatesuffix(name) or name


def is_public_suffix(host: str) -> bool:
    """Whether many parties register names below this one (``com``, ``co.uk``, ``github.io``), by the same list."""
    return "." not in host or _public_suffixes().privatesuffix(host) is None


@cache
def _public_suffixes() -> "PublicSuffixList":
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415  (70 ms; only scopes by domain need it)

    return PublicSuffixList()
