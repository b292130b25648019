"""The Robots Exclusion Protocol (RFC 9309): parse a robots.txt, and match paths with its rules. No I/O.

Both sides of a match, the rule and the path, are brought into one form first: octets that no URI may hold are
escaped, escapes of unreserved characters decoded (section 2.2.2). A ``*`` matches by greedy search for the
next literal piece, never by a regular expression: a hostile file costs at most one search a piece. Rules are
found by their literal head: the thousands of plain rules of a long file cost a few look-ups.

Like the reference parser of the protocol's authors (google/robotstxt) it forgives: a missing colon, frequent
misspellings, an agent line with more words, a partial byte order mark.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from string import ascii_letters, digits
from typing import NamedTuple, Self
from urllib.parse import quote

from crawler.urls import normalise_escapes, serialise

MAX_OCTETS = 500 * 1024
"""What a crawler has to parse at least (RFC 9309 section 2.5), and all that this one does."""

_MAX_LINE = 2083 * 8 - 1  # octets; the reference parser cuts there
_MAX_PIECES = 5_000  # literals behind wildcards that one match may search for: some 30 ms at the very worst
_MARKS = (b"\xef\xbb\xbf", b"\xef\xbb", b"\xef")  # a byte order mark, also where an editor cut it
_RESERVED = ":/?#[]@!&()+,;="  # RFC 3986, without * and $ (section 2.2.3) and ' (escaped in WHATWG queries)
_TOKEN = frozenset(f"{ascii_letters}{digits}_-".encode())
_PLAIN = f"{ascii_letters}{digits}-._~{_RESERVED}".encode()

_KEYS: tuple[tuple[str, tuple[bytes, ...]], ...] = (
    ("disallow", (b"disallow", b"dissallow", b"dissalow", b"disalow", b"diasllow", b"disallaw")),
    ("allow", (b"allow",)),
    ("user-agent", (b"user-agent", b"useragent", b"user agent")),
    ("sitemap", (b"sitemap", b"site-map")),
    ("crawl-delay", (b"crawl-delay",)),
)


class _Rule(NamedTuple):
    """A rule without its literal head. ``priority`` grows with its octets; Allow is odd and so wins ties.

    ``pieces`` are the literals behind the wildcards, in order; the last may be empty where the rule is
    ``anchored`` (ends in ``$``).
    """

    priority: int
    pieces: tuple[str, ...]
    anchored: bool

    def matches(self, path: str, at: int) -> bool:
        """Whether the rest of the path matches, from the end of the head on."""
        if not self.pieces:
            return not self.anchored or at == len(path)
        for piece in self.pieces[:-1]:
            at = path.find(piece, at) + len(piece)
            if at < len(piece):
                return False
        last = self.pieces[-1]
        if self.anchored:
            return path.endswith(last) and at + len(last) <= len(path)
        return path.find(last, at) >= 0


class RobotsRules:
    """The rules for one agent. ``crawl_delay`` is in seconds, None where the file names none.

    A file with thousands of wildcards could make each match slow. Beyond a bound they are read to the safe
    side: a Disallow ends at its first wildcard, an Allow is passed over.
    """

    def __init__(self, patterns: Iterable[tuple[bool, bytes]] = (), crawl_delay: float | None = None) -> None:
        self.crawl_delay = crawl_delay
        by_head: defaultdict[str, list[_Rule]] = defaultdict(list)
        pieces = 0
        for allow, pattern in dict.fromkeys(patterns):
            head, rule = _compile(pattern, allow=allow)
            pieces += len(rule.pieces)
            if rule.pieces and pieces > _MAX_PIECES:
                if allow:
                    continue
                rule = rule._replace(pieces=(), anchored=False)
            by_head[head].append(rule)
        for rules in by_head.values():
            rules.sort(reverse=True)
        self._by_head = dict(by_head)
        self._head_lengths = sorted({len(head) for head in by_head}, reverse=True)

    def allowed(self, path_and_query: str) -> bool:
        """Whether the agent may ask for this path: the longest match decides, Allow where two are equal."""
        if path_and_query == "/robots.txt" or not self._by_head:
            return True  # implicitly allowed: section 2.2.2
        path = _comparable(path_and_query)
        best = 1
        for length in self._head_lengths:
            rules = self._by_head.get(path[:length], ()) if length <= len(path) else ()
            for rule in rules:
                if rule.priority <= best:
                    break
                if rule.matches(path, length):
                    best = rule.priority
                    break
        return best % 2 == 1


@dataclass(slots=True)
class _Group:
    patterns: list[tuple[bool, bytes]] = field(default_factory=list)
    crawl_delay: float | None = None


class RobotsTxt:
    """A parsed robots.txt. ``sitemaps`` are the http(s) URLs that it names, serialised, in its order."""

    def __init__(self) -> None:
        self._groups: defaultdict[str, list[_Group]] = defaultdict(list)
        self.sitemaps: tuple[str, ...] = ()

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Parse any octets; whatever is no rule is passed over."""
        robots = cls()
        group: _Group | None = None
        group_has_rules = False
        sitemaps: dict[str | None, None] = {}
        for key, value in _records(body):
            if key == "user-agent":
                if group is None or group_has_rules:
                    group, group_has_rules = _Group(), False
                robots._join(group, value)
            elif key == "sitemap":
                sitemaps[serialise(value.decode("utf-8", "replace"))] = None
            elif group is None:
                continue
            elif key == "crawl-delay":
                # No record of the RFC: it may not end a run of user-agent lines (section 2.2.4).
                group.crawl_delay = _seconds(value) if group.crawl_delay is None else group.crawl_delay
            else:
                group_has_rules = True
                group.patterns += _patterns(value, allow=key == "allow")
        robots.sitemaps = tuple(filter(None, sitemaps))
        return robots

    def _join(self, group: _Group, value: bytes) -> None:
        groups = self._groups[product_token(value)]
        if not groups or groups[-1] is not group:
            groups.append(group)

    def rules_for(self, agent: str) -> RobotsRules:
        """Return the rules for a product token (in any case): its groups combined, else those of ``*``."""
        groups = self._groups.get(agent.lower()) or self._groups.get("*") or ()
        delays = (group.crawl_delay for group in groups if group.crawl_delay is not None)
        return RobotsRules((pattern for group in groups for pattern in group.patterns), next(delays, None))


def _records(body: bytes) -> Iterator[tuple[str, bytes]]:
    body = _cut(body)
    mark = next((mark for mark in _MARKS if body.startswith(mark)), b"")
    for line in filter(None, body[len(mark) :].splitlines()):
        key, value = _split(line[:_MAX_LINE].partition(b"#")[0].strip())
        key = key.lower()
        for name, spellings in _KEYS:
            if key.startswith(spellings):
                yield name, value
                break


def _cut(body: bytes) -> bytes:
    """Return the first 500 KiB, without a last line that the limit has cut (or may have cut)."""
    if len(body) < MAX_OCTETS:
        return body
    end = max(body.rfind(b"\n", 0, MAX_OCTETS), body.rfind(b"\r", 0, MAX_OCTETS))
    return body[: end + 1]


def _split(line: bytes) -> tuple[bytes, bytes]:
    """Split ``key: value``; two words without a colon count as one, too."""
    key, colon, value = line.partition(b":")
    if colon:
        return key.rstrip(), value.strip()
    words = line.split()
    return (words[0], words[1]) if len(words) == 2 else (b"", b"")


def product_token(value: bytes) -> str:
    """Return the token of a user-agent line or header: ``foobot`` of ``FooBot/2.1 (x)``; ``*`` of ``* all``."""
    if value == b"*" or (value[:1] == b"*" and value[1:2].isspace()):
        return "*"
    end = next((at for at, octet in enumerate(value) if octet not in _TOKEN), len(value))
    return value[:end].decode("ascii").lower()


def _patterns(value: bytes, *, allow: bool) -> Iterator[tuple[bool, bytes]]:
    """Yield a rule's pattern; none for an empty one, which matches nothing."""
    if value:
        yield allow, value
    directory, slash, name = value.rpartition(b"/")
    if allow and name.startswith(b"index.htm"):
        yield allow, directory + slash + b"$"  # as the reference parser: the index page is the directory


def _compile(pattern: bytes, *, allow: bool) -> tuple[str, _Rule]:
    anchored = pattern.endswith(b"$")
    head, *pieces = map(_comparable, pattern.removesuffix(b"$").split(b"*"))
    octets = len(head) + sum(map(len, pieces)) + len(pieces) + anchored
    kept = [piece for piece in pieces[:-1] if piece] + [piece for piece in pieces[-1:] if piece or anchored]
    return head, _Rule(2 * octets + allow, tuple(kept), anchored)


def _comparable(text: str | bytes) -> str:
    """Return a path, or a literal piece of a rule, in the form in which equal octets compare equal."""
    octets = text.encode("utf-8", "replace") if isinstance(text, str) else text
    if not octets.translate(None, _PLAIN):
        return octets.decode("ascii")
    return normalise_escapes(quote(octets, safe=_RESERVED + "%"))


def _seconds(value: bytes) -> float | None:
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
