"""The one door that every URL passes before it may enter the frontier: seeds, links, redirects, sitemaps.

The door canonicalises, and it answers with a value: admitted with the key of its host, or rejected for a
reason from a closed list. Besides the user's rules it holds the limits that keep a crawl out of spider traps:
depth, length, and the same path segment again and again.
"""

import enum
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import field

from cpu_stage.immutable import immutable
from crawler.urls import (
    CanonicalForm,
    canonicalize,
    has_other_scheme,
    host_key,
    hostname,
    normalise,
    path_and_query,
    registrable_domain,
)

_MAX_REMEMBERED_HOSTS = 100_000


class ScopeMode(enum.StrEnum):
    """Which hosts belong to the crawl."""

    SEED_HOSTS = "seed_hosts"
    SEED_DOMAINS = "seed_domains"
    LIST = "list"
    ANY = "any"


class RejectReason(enum.StrEnum):
    """The closed list of reasons why a URL stays outside."""

    INVALID = "invalid"
    SCHEME = "scheme"
    DEPTH = "depth"
    TOO_LONG = "too_long"
    HOST = "host"
    REPEATED_SEGMENTS = "repeated_segments"
    EXCLUDE = "exclude"
    INCLUDE = "include"


@immutable
class ScopeRules:
    """What belongs to a crawl. Raises ValueError for a pattern that does not compile or a host that is none.

    ``seed_hosts`` are the very hosts of the seeds, ports included; ``seed_domains`` all hosts of their
    registrable domains, on any port. ``hosts`` serves the mode ``list`` alone: ``host`` (its default ports),
    ``host:port``, or ``.domain`` for a domain and everything below it, on any port. ``include`` and
    ``exclude`` are regular expressions, searched in the canonical URL: one include must match where there are
    any, and no exclude may. A path with one segment more than ``max_repeated_segments`` times is a trap.
    """

    mode: ScopeMode = ScopeMode.SEED_HOSTS
    hosts: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    max_depth: int | None = None
    max_url_length: int = 2000
    max_repeated_segments: int = 3
    form: CanonicalForm = field(default_factory=CanonicalForm)

    def __post_init__(self) -> None:
        for pattern in (*self.include, *self.exclude):
            _compile(pattern)
        for entry in self.hosts:
            _host_of_entry(entry)


@immutable
class Admitted:
    """A canonical URL inside the scope, and the key of its host."""

    url: str
    host: str


@immutable
class Rejected:
    """A URL outside; ``url`` is canonical where it could be made so."""

    reason: RejectReason
    url: str


class Scope:
    """The rules of one crawl, bound to its seeds."""

    def __init__(self, rules: ScopeRules, seeds: Iterable[str] = ()) -> None:
        self._rules = rules
        self._include = tuple(map(_compile, rules.include))
        self._exclude = tuple(map(_compile, rules.exclude))
        listed = [_host_of_entry(entry) for entry in rules.hosts if rules.mode == ScopeMode.LIST]
        self._hosts = {host for host in listed if not host.startswith(".")}
        self._suffixes = tuple(host for host in listed if host.startswith("."))
        self._domains: set[str] = set()
        self._known: dict[str, bool] = {}
        for seed in seeds:
            url = canonicalize(seed, rules.form)
            if url is not None:
                self.extend(host_key(url))

    def extend(self, host: str) -> None:
        """Add a host as if a seed named it, for a seed that moved; modes without seeds stay as they are."""
        if self._rules.mode == ScopeMode.SEED_HOSTS:
            self._hosts.add(host)
        elif self._rules.mode == ScopeMode.SEED_DOMAINS:
            self._domains.add(registrable_domain(host))
        self._known.clear()

    def admit(self, url: str, depth: int, *, seed: bool = False) -> Admitted | Rejected:
        """Decide on any text. A seed need not match an include pattern: it leads to the pages that do."""
        canonical = canonicalize(url, self._rules.form)
        if canonical is None:
            return Rejected(RejectReason.SCHEME if has_other_scheme(url) else RejectReason.INVALID, url)
        host = host_key(canonical)
        reason = RejectReason.DEPTH if self.too_deep(depth) else self._refuses(canonical, host, seed=seed)
        return Admitted(canonical, host) if reason is None else Rejected(reason, canonical)

    def admit_links(self, links: Iterable[str], depth: int) -> list[Admitted]:
        """Return those of a page's links that :meth:`admit` would admit.

        The links are as a page holds them (absolute http(s), serialised by a WHATWG library): they need no
        second parse.
        """
        if self.too_deep(depth):
            return []
        form, refuses = self._rules.form, self._refuses
        admitted = []
        for link in links:
            url = normalise(link, form)
            if url is not None and refuses(url, host := host_key(url)) is None:
                admitted.append(Admitted(url, host))
        return admitted

    def too_deep(self, depth: int) -> bool:
        """Whether nothing is admitted so far from the seeds."""
        return self._rules.max_depth is not None and depth > self._rules.max_depth

    def _refuses(self, url: str, host: str, *, seed: bool = False) -> RejectReason | None:
        if len(url) > self._rules.max_url_length:
            return RejectReason.TOO_LONG
        if not self._is_inside(host):
            return RejectReason.HOST
        if _is_repetitive(url, self._rules.max_repeated_segments):
            return RejectReason.REPEATED_SEGMENTS
        if self._exclude and any(pattern.search(url) for pattern in self._exclude):
            return RejectReason.EXCLUDE
        if self._include and not seed and not any(pattern.search(url) for pattern in self._include):
            return RejectReason.INCLUDE
        return None

    def _is_inside(self, host: str) -> bool:
        inside = self._known.get(host)
        if inside is None:
            if len(self._known) >= _MAX_REMEMBERED_HOSTS:
                self._known.clear()
            inside = self._known[host] = self._belongs(host)
        return inside

    def _belongs(self, host: str) -> bool:
        return (
            self._rules.mode == ScopeMode.ANY
            or host in self._hosts
            or f".{hostname(host)}".endswith(self._suffixes)
            or (bool(self._domains) and registrable_domain(host) in self._domains)
        )


def _is_repetitive(url: str, limit: int) -> bool:
    """Whether one path segment occurs more than ``limit`` times, as in ``/a/b/a/b/a/b/a/b``."""
    if url.count("/") <= limit + 2:
        return False
    segments = (url.partition("?")[0] if "?" in url else url).split("/")[3:]
    # A segment that occurs n times leaves n - 1 fewer distinct ones: most paths need no counting.
    if len(segments) - len(set(segments)) < limit:
        return False
    return max(Counter(segments).values()) > limit


def _compile(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"pattern {pattern!r} is not a regular expression: {error}") from error


def _host_of_entry(entry: str) -> str:
    """Return an entry of ``hosts`` as a host key, or as ``.domain``."""
    scheme = "https" if entry.endswith(":443") else "http"
    url = canonicalize(f"{scheme}://{entry.removeprefix('.')}/", CanonicalForm())
    if url is None or path_and_query(url) != "/" or not entry.isprintable() or "@" in entry:
        raise ValueError(f"host {entry!r}: expected 'host', 'host:port' or '.domain'")
    return f".{hostname(host_key(url))}" if entry.startswith(".") else host_key(url)
