"""The plan of a web: which URLs exist, what each is, and what links to what.

Nothing is stored per URL. A URL is a *number*, and its kind, path, language, links and latency are computed
from it, so that a web of a million pages needs little more memory than one of ten:

- numbers are dealt to the hosts in turn: n is on host ``n % hosts``; the first ones are the home pages;
- each kind owns a range of numbers, articles first;
- the articles of a host are a heap-shaped tree below its home page, and the home pages are such a tree of
  hosts: so everything is reachable from any seed that it should be reachable from, within logarithmic depth;
- the special URLs of a host are dealt evenly over its articles, mixed by kind;
- what is left of a page's links leads to random URLs.
"""

import functools
import hashlib
import math
import re
import struct
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate, pairwise
from typing import NamedTuple

from crawler.bench.site.latency import Latency
from crawler.bench.site.spec import SPECIAL_KINDS, Kind, SiteSpec

_CACHED_PATHS = 1 << 18
_MASK = (1 << 64) - 1
_SECTIONS = ["news", "culture", "science", "travel", "opinion", "local", "sport", "archive"]
_SLUG_WORDS = [
    "harbour",
    "bridge",
    "market",
    "garden",
    "station",
    "theatre",
    "museum",
    "school",
    "village",
    "river",
    "valley",
    "forest",
    "island",
    "bakery",
    "council",
    "paper",
    "archive",
    "railway",
    "canal",
    "castle",
    "tower",
    "square",
    "festival",
    "gallery",
    "vineyard",
    "farm",
    "mill",
    "lighthouse",
    "ferry",
    "cinema",
    "stadium",
    "hotel",
    "kitchen",
    "studio",
    "pier",
    "chapel",
    "brewery",
    "clinic",
    "arcade",
    "meadow",
    "old",
    "quiet",
    "modern",
    "famous",
    "small",
    "bright",
    "hidden",
    "northern",
    "coastal",
    "rural",
    "ancient",
    "elegant",
    "busy",
    "remote",
    "sunny",
    "restored",
    "popular",
    "public",
    "royal",
    "local",
    "lively",
    "peaceful",
    "distant",
    "forgotten",
]
_SLUGS = [f"{first}-{second}" for first in _SLUG_WORDS for second in _SLUG_WORDS]
_PATH = re.compile(r"/(?:moved/(\d{1,4})/)?.*[-=](\d{1,9})(?:\.pdf|\.png)?")


class Slot(NamedTuple):
    """One URL: a number, and for the later hops of a redirect the hop."""

    number: int
    hop: int = 0


class _Dealt(NamedTuple):
    """The special URLs of one host: ``first`` and every ``hosts``-th after it, in steps of ``step``."""

    first: int
    total: int
    step: int


class Plan:
    """Everything that a spec decides, without the base URLs of the hosts."""

    def __init__(self, spec: SiteSpec) -> None:
        self.spec = spec
        self.hosts = spec.hosts
        self.articles = spec.count(Kind.PAGE)
        bounds = accumulate((spec.count(kind) for kind in SPECIAL_KINDS), initial=self.articles)
        self._ranges = {kind: range(*bound) for kind, bound in zip(SPECIAL_KINDS, pairwise(bounds), strict=True)}
        self._starts = [numbers.start for numbers in self._ranges.values()]
        self._latency = Latency.parse(spec.latency)
        self._key = spec.seed * 0xD1342543DE82EF95
        self._branching = max(2, spec.links // 2)
        self._dealt = [self._deal(host) for host in range(spec.hosts)]
        self.path: Callable[[Slot], str] = functools.lru_cache(_CACHED_PATHS)(self._path)
        """The path, and where there is one the query, of a URL."""

    def mix(self, number: int, salt: int = 0) -> int:
        """64 random bits that belong to a number (SplitMix64, Steele et al. 2014).

        The bits of salt 0 serve two things: 0-18 the path, 20-35 the language.
        """
        x = (number * 0x9E3779B97F4A7C15 + salt * 0xDA942042E4DD58B5 + self._key) & _MASK
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
        return x ^ (x >> 31)

    def numbers(self, kind: Kind) -> range:
        """All numbers of a kind."""
        return range(self.articles) if kind is Kind.PAGE else self._ranges[kind]

    def kind(self, number: int) -> Kind:
        """What a number is."""
        if number < self.articles:
            return Kind.PAGE
        return SPECIAL_KINDS[bisect_right(self._starts, number) - 1]

    def host(self, number: int) -> int:
        """The host of a number."""
        return number % self.hosts

    def language(self, number: int) -> str:
        """The language of the article of a number."""
        return self.spec.languages[(self.mix(number) >> 20 & 0xFFFF) % len(self.spec.languages)]

    def size(self, number: int) -> int:
        """The size of the body of a number."""
        low, high = self.spec.size_range
        return low + self.mix(number, 1) % (high - low + 1)

    def latency(self, slot: Slot) -> float:
        """Seconds until the answer."""
        return self._latency.at(self.mix(slot.number, 2 + slot.hop))

    def _path(self, slot: Slot) -> str:
        number, hop = slot
        if number < self.hosts:
            return "/"
        x = self.mix(number)
        section, slug = _SECTIONS[x & 7], _SLUGS[(x >> 3) & 4095]
        if hop:
            return f"/moved/{hop}/{slug}-{number}"
        if number < self.articles:
            return f"/{section}/{slug}-{number}" if (x >> 15) & 15 else f"/private/press/{slug}-{number}"
        kind = self.kind(number)
        if kind is Kind.FORBIDDEN:
            return f"/private/{slug}-{number}" if number & 1 else f"/{section}/{slug}?print={number}"
        if kind is Kind.ASSET:
            return f"/files/{slug}-{number}.pdf" if number & 1 else f"/images/{slug}-{number}.png"
        return f"/{section}/{slug}-{number}"

    def find(self, host: int, path: str) -> Slot | None:
        """The URL that a host has at a path; None where it has none: the inverse of :meth:`path`."""
        if path == "/":
            return Slot(host)
        match = _PATH.fullmatch(path)
        if match is None:
            return None
        slot = Slot(int(match[2]), int(match[1] or 0))
        exists = slot.number < self.spec.pages and slot.hop <= self.last_hop(slot.number)
        return slot if exists and self.host(slot.number) == host and self.path(slot) == path else None

    def last_hop(self, number: int) -> int:
        """The last hop of a redirect; 0 for everything that has a single URL."""
        if number < self.articles:
            return 0
        kind, length = self.kind(number), self.spec.chain_length
        return {Kind.REDIRECT_CHAIN: length, Kind.REDIRECT_LOOP: length - 1}.get(kind, 0)

    def redirect(self, slot: Slot) -> Slot | None:
        """Where a URL redirects to; None where it does not."""
        if slot.number < self.articles:
            return None
        kind = self.kind(slot.number)
        if kind is Kind.REDIRECT:
            return Slot(self._random_article(slot.number))
        if kind is Kind.REDIRECT_CHAIN and slot.hop < self.spec.chain_length:
            return Slot(slot.number, slot.hop + 1)
        if kind is Kind.REDIRECT_LOOP:
            return Slot(slot.number, (slot.hop + 1) % self.spec.chain_length)
        return None

    def article(self, slot: Slot) -> Slot | None:
        """The URL whose article is the final answer here (its own, but for duplicates); None: no article."""
        match self.kind(slot.number):
            case Kind.NOT_FOUND | Kind.SERVER_ERROR | Kind.RESET_ALWAYS | Kind.ASSET:
                return None
            case Kind.DUPLICATE:
                return Slot(self._on_host(self.host(slot.number), self.mix(slot.number, 3), self.articles))
            case _:
                return None if self.redirect(slot) else slot

    def forbidden(self, slot: Slot) -> bool:
        """Whether robots.txt disallows a URL."""
        if self.spec.robots_status >= 500:
            return True
        return self.spec.robots_status == 200 and self.kind(slot.number) is Kind.FORBIDDEN

    def links(self, number: int) -> list[int]:
        """The numbers that an article links to, each once. Links to `NOFOLLOW` articles are marked so."""
        host = self.host(number)
        links = [host]
        if number < self.articles:
            links += self._children(number)
            links += self._specials(number)
        links += self._random_links(number, self.spec.links - len(links))
        return [link for link in dict.fromkeys(links) if link != number]

    def _children(self, number: int) -> list[int]:
        """The children in the tree of articles, and for a home page those in the tree of hosts."""
        hosts, branching = self.hosts, self._branching
        first = number // hosts * branching + 1
        children = [*range(first * hosts + number % hosts, self.articles, hosts)[:branching]]
        if number < hosts:
            children += range(number * branching + 1, hosts)[:branching]
        return children

    def _specials(self, number: int) -> list[int]:
        """The special URLs that are dealt to an article."""
        dealt, pages = self._dealt[number % self.hosts], self._count(number % self.hosts, self.articles)
        local = number // self.hosts
        turns = range(-(-local * dealt.total // pages), -(-(local + 1) * dealt.total // pages))
        return [dealt.first + turn * dealt.step % dealt.total * self.hosts for turn in turns]

    def _deal(self, host: int) -> _Dealt:
        """Order the special URLs of a host in steps prime to their number: every one once, kinds mixed."""
        first = self.articles + (host - self.articles) % self.hosts
        count = len(range(first, self._ranges[Kind.ORPHAN].start, self.hosts))
        step = max(1, int(count * 0.618))
        while math.gcd(step, count) > 1:
            step += 1
        return _Dealt(first, count, step)

    def _count(self, host: int, end: int) -> int:
        """How many numbers below ``end`` are on a host."""
        return len(range(host, end, self.hosts))

    def _on_host(self, host: int, x: int, end: int) -> int:
        """A random number below ``end`` on a host."""
        return x % self._count(host, end) * self.hosts + host

    def _random_links(self, number: int, count: int) -> Iterator[int]:
        """Links to anything that may be found by a plain link."""
        host, hosts, end = number % self.hosts, self.hosts, self._ranges[Kind.NOFOLLOW].start
        cross, local = self.spec.cross_links * 1024, self._count(host, end)
        key = self.mix(number, 4).to_bytes(8, "little")
        draws = hashlib.shake_128(key).digest(8 * max(0, count))
        for (x,) in struct.iter_unpack("<Q", draws):
            yield (x >> 10) % end if x & 1023 < cross else (x >> 10) % local * hosts + host

    def _random_article(self, number: int) -> int:
        """The article that a redirect leads to, on another host as often as random links do."""
        x = self.mix(number, 3)
        if x & 1023 < self.spec.cross_links * 1024:
            return (x >> 10) % self.articles
        return self._on_host(self.host(number), x >> 10, self.articles)
