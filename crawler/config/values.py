"""The forms of single values: URLs, hosts, patterns, names. Each check says what it would accept.

A check here is one of form; whether a seed is in scope or a host exists is for those who ask it.
"""

import ipaddress
import re
import warnings
from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

_HOST = re.compile(r"\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?", re.ASCII | re.IGNORECASE)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)  # RFC 9110 section 5.6.2
_PRODUCT = re.compile(r"[A-Za-z_-]+", re.ASCII)
_EMAIL = re.compile(r"[^\s@()<>]+@[^\s@()<>]+", re.ASCII)
_FIELD_TEXT = re.compile(r"[\t\x20-\x7e]*")
_OUR_HEADERS = frozenset(
    {"accept-encoding", "connection", "content-length", "host", "te", "trailer", "transfer-encoding", "upgrade"}
)
_MAX_COUNT = 10**12  # what SQLite, slices and C calls take without a thought


def _seed(value: str) -> str:
    if not _is_http_url(value):
        raise ValueError("expected an absolute http or https URL such as https://example.org/")
    return value


def _is_http_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        value.encode()  # an argument that is no UTF-8 has surrogates; a UnicodeError is a ValueError
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _pattern(value: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(value)
    except (re.error, OverflowError, RecursionError, Warning) as error:
        raise ValueError(f"expected a regular expression ({error})") from error
    return value


def _scope_host(value: str) -> str:
    if not _is_host(value):
        raise ValueError("expected a host: example.org, example.org:8080, or .example.org for all below it")
    return value


def _private_host(value: str) -> str:
    if not (_is_network(value) or (_is_host(value) and not value.startswith("."))):
        raise ValueError("expected a host, host:port, address or network such as 10.0.0.0/8")
    return value


def _is_network(value: str) -> bool:
    if value.startswith("[") and value.endswith("]"):
        value = value[1:-1]
    try:
        ipaddress.ip_network(value)
    except ValueError:
        return False
    return True


def _is_host(value: str) -> bool:
    """Whether this is ``host`` or ``host:port``; an IPv6 address stands in brackets, a name is ASCII."""
    host, colon, port = value.rpartition(":")
    if not colon or value.endswith("]"):
        host = value
    elif not (port.isascii() and port.isdecimal() and 0 < int(port[:6]) < 65_536):
        return False
    if host.startswith("["):
        return host.endswith("]") and _is_network(host)
    return _HOST.fullmatch(host) is not None


def _media_type(value: str) -> str:
    kind, slash, subtype = value.partition("/")
    if not (slash and _TOKEN.fullmatch(kind) and _TOKEN.fullmatch(subtype)) or "*" in value:
        raise ValueError("expected a media type such as text/html")
    return value.lower()


def _product(value: str) -> str:
    if not _PRODUCT.fullmatch(value):
        raise ValueError("expected a product token: letters, _ and - only; the version is added to it")
    return value


def _contact(value: str) -> str:
    is_url = _is_http_url(value) and value.isascii() and not re.search(r"[\s()<>]", value)
    if not (is_url or _EMAIL.fullmatch(value)) or not value.isprintable():
        raise ValueError("expected a URL or an e-mail address, such as https://example.org/bot")
    return value


def _headers(value: Mapping[str, str]) -> Mapping[str, str]:
    seen: set[str] = set()
    for name, text in value.items():
        key = name.lower()
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"expected header names such as X-Team, not {name!r}")
        if key == "user-agent":
            raise ValueError("expected no User-Agent here: fetch.user_agent and fetch.contact make it")
        if key in _OUR_HEADERS:
            raise ValueError(f"expected no {name} here: the crawler sets it itself")
        if not _FIELD_TEXT.fullmatch(text):
            raise ValueError(f"expected printable ASCII as the value of {name}")
        if key in seen:
            raise ValueError(f"expected each header once, {name} stands here twice")
        seen.add(key)
    return value


def _countable(value: int) -> int:
    # Not a second ``le``: of two, pydantic keeps one, and a key's own bound must hold.
    if value > _MAX_COUNT:
        raise ValueError(f"expected at most {_MAX_COUNT}")
    return value


def _auto_or_count(most: int) -> tuple[object, ...]:
    """Return what makes a type of auto or a number from 1 to ``most``: its check, and its JSON Schema."""

    def check(value: object) -> object:
        if value != "auto" and not (type(value) is int and 1 <= value <= most):
            raise ValueError(f"expected auto or a whole number from 1 to {most}")
        return value

    schema = {"anyOf": [{"const": "auto"}, {"type": "integer", "minimum": 1, "maximum": most}]}
    return BeforeValidator(check), WithJsonSchema(schema)


Count: TypeAlias = Annotated[int, Field(strict=True, ge=1), AfterValidator(_countable)]
Number: TypeAlias = Annotated[int, Field(strict=True, ge=0), AfterValidator(_countable)]
Flag: TypeAlias = Annotated[bool, Field(strict=True)]
Seed: TypeAlias = Annotated[str, AfterValidator(_seed)]
Pattern: TypeAlias = Annotated[str, AfterValidator(_pattern)]
ScopeHost: TypeAlias = Annotated[str, AfterValidator(_scope_host)]
PrivateHost: TypeAlias = Annotated[str, AfterValidator(_private_host)]
MediaType: TypeAlias = Annotated[str, AfterValidator(_media_type)]
Product: TypeAlias = Annotated[str, AfterValidator(_product)]
Contact: TypeAlias = Annotated[str, AfterValidator(_contact)]
Headers: TypeAlias = Annotated[Mapping[str, str], AfterValidator(_headers)]
Workers: TypeAlias = Annotated[int | Literal["auto"], *_auto_or_count(1024)]
Concurrency: TypeAlias = Annotated[int | Literal["auto"], *_auto_or_count(100_000)]
