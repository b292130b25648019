"""What each site's robots.txt says of us: fetched once, remembered for a day, asked before every page.

RFC 9309 section 2.3 gives the answers: rules that could be read count (2xx); a file that does not exist (4xx,
a redirect that leads nowhere) allows everything; a site that cannot answer (5xx, no response) forbids
everything for now, is asked again with growing pauses and in the end given up. 429 counts as "cannot answer",
as it does at Google: the RFC lets us crawl on any 4xx, but this one asks for less traffic, not for more. An
answer that was there once stays valid while its site cannot be reached (section 2.4).
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias
from weakref import WeakValueDictionary

from crawler.protocols import Fetcher
from crawler.robotstxt import MAX_OCTETS, RobotsRules, RobotsTxt, product_token
from crawler.types import BodyRule, CrawlRequest, Failed, Fetched
from crawler.urls import CanonicalForm, canonicalize, host_key, join, origin, path_and_query

_BODY = BodyRule(types=None, max_bytes=MAX_OCTETS, truncate=True)
_AS_WRITTEN = CanonicalForm(strip_tracking=())
_MAX_RETRY_S = 300.0
_MAX_CACHED_OCTETS = 32 << 20  # of robots.txt bodies: a host costs more than a slot
_LARGE = 64 << 10  # octets that take longer to parse (some 10 ms) than the loop should wait


@dataclass(frozen=True, slots=True)
class RobotsPolicy:
    """How robots.txt is asked for and obeyed.

    ``agent`` is the User-Agent that we send, or its product token alone: groups are chosen by the token
    (section 2.2.1). An answer is good for ``ttl_s`` seconds (section 2.4: at most 24 hours). A site that cannot
    answer is asked again after ``retry_s``, doubled each time up to 300 s; after ``give_up_after`` tries its
    pages are given up. A ``Crawl-delay`` counts up to ``max_crawl_delay`` seconds. ``max_hosts`` answers are
    remembered, the least recently used are forgotten.
    """

    agent: str
    obey: bool = True
    ttl_s: float = 86_400.0
    max_redirects: int = 5
    retry_s: float = 5.0
    give_up_after: int = 4
    max_crawl_delay: float = 60.0
    max_hosts: int = 10_000


@dataclass(frozen=True, slots=True)
class Allowed:
    """The page may be fetched."""


@dataclass(frozen=True, slots=True)
class Disallowed:
    """The rules forbid the page."""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The rules are not known now: ask for them (again) after ``retry_after_s`` seconds."""

    retry_after_s: float


@dataclass(frozen=True, slots=True)
class GivenUp:
    """The rules could not be had in all tries; the pages of this site are skipped."""


Verdict: TypeAlias = Allowed | Disallowed | Unavailable | GivenUp

_ALLOWED, _DISALLOWED = Allowed(), Disallowed()


@dataclass(frozen=True, slots=True)
class _Answer:
    rules: RobotsRules
    sitemaps: tuple[str, ...] = ()
    octets: int = 0


_ALLOW_ALL = _Answer(RobotsRules())


@dataclass(frozen=True, slots=True)
class _Entry:
    """What is known of one origin until ``until``; ``failures`` counts the tries since the last answer."""

    answer: _Answer | None
    until: float
    failures: int = 0


class RobotsCache:
    """The rules of many sites. ``now`` is a clock in seconds that never goes back."""

    def __init__(self, fetcher: Fetcher, policy: RobotsPolicy, now: Callable[[], float]) -> None:
        self._fetcher = fetcher
        self._policy = policy
        self._token = product_token(policy.agent.encode())
        self._now = now
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._octets = 0
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def known(self, url: str) -> bool:
        """Whether :meth:`decide` has an answer for the site of this canonical URL without a fetch."""
        if not self._policy.obey:
            return True
        entry = self._entries.get(origin(url))
        return entry is not None and self._now() < entry.until

    async def load(self, url: str) -> None:
        """Ask for the robots.txt of this URL's site unless it is known; callers at one time share a fetch."""
        site = origin(url)
        lock = self._locks.setdefault(site, asyncio.Lock())
        async with lock:
            if not self.known(url):
                self._remember(site, self._next_entry(site, await self._ask(site)))

    def decide(self, url: str) -> Verdict:
        """Say whether a canonical URL may be fetched now."""
        if not self._policy.obey:
            return _ALLOWED
        site = origin(url)
        entry = self._entries.get(site)
        if entry is None:
            return Unavailable(0.0)
        self._entries.move_to_end(site)
        if entry.answer is not None:
            return _ALLOWED if entry.answer.rules.allowed(path_and_query(url)) else _DISALLOWED
        if entry.failures >= self._policy.give_up_after:
            return GivenUp()
        return Unavailable(max(0.0, entry.until - self._now()))

    def crawl_delay(self, url: str) -> float | None:
        """Return the seconds the site wants between two requests, bounded by the policy; None: no wish."""
        answer = self._answer(url)
        if answer is None or answer.rules.crawl_delay is None:
            return None
        return min(answer.rules.crawl_delay, self._policy.max_crawl_delay)

    def sitemaps(self, url: str) -> tuple[str, ...]:
        """Return the sitemaps that the site's robots.txt names: serialised http(s) URLs."""
        answer = self._answer(url)
        return () if answer is None else answer.sitemaps

    def _answer(self, url: str) -> _Answer | None:
        entry = self._entries.get(origin(url))
        return None if entry is None else entry.answer

    async def _ask(self, site: str) -> _Answer | None:
        """Follow the redirects from the site's robots.txt to an answer; None where nobody can give one."""
        request = CrawlRequest(f"{site}/robots.txt", host_key(f"{site}/"))
        for _ in range(self._policy.max_redirects + 1):
            result = await self._fetcher.fetch(request, _BODY)
            if isinstance(result, Failed) or result.status == 429 or not 200 <= result.status < 500:
                return None
            if result.status < 300:
                return await self._read(result.body or b"")
            target = _redirect_target(result)
            if target is None:
                return _ALLOW_ALL
            request = CrawlRequest(request.url, host_key(target), redirects=(*request.redirects, target))
        return _ALLOW_ALL  # too many redirects: "unavailable", section 2.3.1.2

    async def _read(self, body: bytes) -> _Answer:
        if len(body) > _LARGE:
            return await asyncio.to_thread(_parse, body, self._token)
        return _parse(body, self._token)

    def _next_entry(self, site: str, answer: _Answer | None) -> _Entry:
        if answer is not None:
            return _Entry(answer, self._now() + self._policy.ttl_s)
        before = self._entries.get(site)
        failures = 1 if before is None else before.failures + 1
        pause = min(self._policy.retry_s * 2.0 ** min(failures - 1, 30), _MAX_RETRY_S)
        if failures >= self._policy.give_up_after:
            pause = self._policy.ttl_s
        return _Entry(None if before is None else before.answer, self._now() + pause, failures)

    def _remember(self, site: str, entry: _Entry) -> None:
        self._forget(site)
        self._entries[site] = entry
        self._octets += entry.answer.octets if entry.answer else 0
        while len(self._entries) > self._policy.max_hosts or self._octets > _MAX_CACHED_OCTETS:
            self._forget(next(iter(self._entries)))

    def _forget(self, site: str) -> None:
        entry = self._entries.pop(site, None)
        if entry is not None and entry.answer is not None:
            self._octets -= entry.answer.octets


def _redirect_target(result: Fetched) -> str | None:
    """Return where a response sends us; None where it is no redirect (404) or one that leads nowhere."""
    location = result.headers.get("location")
    if result.status not in {301, 302, 303, 307, 308} or location is None:
        return None
    target = join(result.request.target, location)
    return None if target is None else canonicalize(target, _AS_WRITTEN)


def _parse(body: bytes, token: str) -> _Answer:
    robots = RobotsTxt.parse(body)
    return _Answer(robots.rules_for(token), robots.sitemaps, len(body))
