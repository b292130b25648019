"""The ground truth of a web: what its URLs are, and which of them a crawl has to find."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from crawler.bench.site.plan import Plan, Slot
from crawler.bench.site.spec import Kind, SiteSpec


@dataclass(frozen=True, slots=True)
class Resource:
    """One URL. See :class:`Kind` for what it means for the number of hits."""

    url: str
    kind: Kind
    host: int
    hop: int
    """0, or the number of the hop within a redirect chain or loop."""
    status: int | None
    """The status in the end: after retries and redirects. None: there is never one (resets, loops)."""
    content_type: str | None
    """Media type of the final answer where it is 200."""
    language: str | None
    """Language of the article, ISO 639-1; None: there is no article."""
    target: str | None
    """Where it redirects to: the next hop."""
    original: str | None
    """Of a duplicate: the URL that has the same body."""
    forbidden: bool
    """Disallowed by robots.txt."""
    latency_s: float


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules that a crawler keeps. ``depth`` is the number of links from a seed; a redirect adds none."""

    obey_robots: bool = True
    follow_nofollow: bool = False
    seed_hosts_only: bool = False
    """Go to no host but those of the seeds, neither by links nor by redirects."""
    depth: int | None = None
    sitemaps: bool = False
    """Read the sitemaps of all hosts that may be visited; what they name counts as a seed."""


POLITE = Rules()
"""The rules of a polite crawler without limits."""


class Truth:
    """Answers questions about a web from its spec and the base URLs of its hosts alone.

    Nothing is stored: the truth of a large web is as small as that of a small one.
    """

    def __init__(self, spec: SiteSpec, base_urls: Sequence[str]) -> None:
        self.plan = Plan(spec)
        self.base_urls = tuple(base_urls)
        self._hosts = {urlsplit(base).netloc: i for i, base in enumerate(self.base_urls)}

    @property
    def seeds(self) -> tuple[str, ...]:
        """The home page of each host. The first alone leads to all the others."""
        return tuple(f"{base}/" for base in self.base_urls)

    def urls(self) -> Iterator[str]:
        """Every URL that exists, but for robots.txt and the sitemaps."""
        return (self.url(slot) for slot in self._slots())

    def resources(self) -> Iterator[Resource]:
        """Everything that exists."""
        return (self._resource(slot) for slot in self._slots())

    def __contains__(self, url: str) -> bool:
        return self._find(url) is not None

    def __getitem__(self, url: str) -> Resource:
        slot = self._find(url)
        if slot is None:
            raise KeyError(url)
        return self._resource(slot)

    def url(self, slot: Slot) -> str:
        """The absolute URL of a slot of the plan."""
        return self.base_urls[self.plan.host(slot.number)] + self.plan.path(slot)

    def links(self, url: str) -> Mapping[str, bool]:
        """The URLs that a page links to, without fragments, and whether the link is ``rel=nofollow``."""
        slot = self._find(url)
        article = None if slot is None else self.plan.article(slot)
        numbers = [] if article is None else self.plan.links(article.number)
        return {self.url(Slot(number)): self._nofollow(number) for number in numbers}

    def depths(self, rules: Rules = POLITE, seeds: Sequence[str] | None = None) -> dict[str, int]:
        """Every URL that a crawl must deal with, and its smallest depth.

        That is: each one that is found by the rules, each hop and target of a redirect, and also those that
        robots.txt then forbids. A record's own URL, its redirects and its final URL, taken over all records,
        are exactly these: which of two redirects to one page comes first may differ, their union may not.
        With ``depth`` this holds for crawlers that go breadth-first.

        ``seeds`` are home pages or other URLs of this web; by default the home pages of all hosts.
        """
        return {self.url(slot): depth for slot, depth in self._walk(rules, self.seeds if seeds is None else seeds)}

    def reachable(self, rules: Rules = POLITE, seeds: Sequence[str] | None = None) -> frozenset[str]:
        """The URLs of :meth:`depths`."""
        return frozenset(self.depths(rules, seeds))

    def fetched(self, rules: Rules = POLITE, seeds: Sequence[str] | None = None) -> frozenset[str]:
        """Those of :meth:`reachable` that are asked for over the network: not what robots.txt forbids."""
        urls = self.reachable(rules, seeds)
        return frozenset(url for url in urls if not (rules.obey_robots and self[url].forbidden))

    def _walk(self, rules: Rules, seeds: Sequence[str]) -> Iterator[tuple[Slot, int]]:
        """Breadth-first search; redirects go to the front of the queue, as they add no depth."""
        starts = [slot for slot in map(self._find, seeds) if slot is not None]
        hosts = {self.plan.host(slot.number) for slot in starts}
        queue = deque((slot, 0) for slot in starts)
        if rules.sitemaps:
            within = hosts if rules.seed_hosts_only else set(range(self.plan.hosts))
            queue.extend((slot, 0) for slot in self._listed(within))
        seen: set[Slot] = set()
        while queue:
            slot, depth = queue.popleft()
            if slot in seen or (rules.seed_hosts_only and self.plan.host(slot.number) not in hosts):
                continue
            seen.add(slot)
            yield slot, depth
            if rules.obey_robots and self.plan.forbidden(slot):
                continue
            target = self.plan.redirect(slot)
            if target is not None:
                queue.appendleft((target, depth))
            elif rules.depth is None or depth < rules.depth:
                queue.extend((link, depth + 1) for link in self._followed(slot, rules))

    def _followed(self, slot: Slot, rules: Rules) -> Iterator[Slot]:
        article = self.plan.article(slot)
        numbers = [] if article is None else self.plan.links(article.number)
        return (Slot(n) for n in numbers if rules.follow_nofollow or not self._nofollow(n))

    def _listed(self, hosts: set[int]) -> Iterator[Slot]:
        """What the sitemaps name. They are found by robots.txt only."""
        spec = self.plan.spec
        if spec.sitemap and spec.robots_status == 200:
            orphans = self.plan.numbers(Kind.ORPHAN)
            yield from (Slot(n) for n in (*orphans, *self.plan.numbers(Kind.PAGE)) if self.plan.host(n) in hosts)

    def _nofollow(self, number: int) -> bool:
        return number in self.plan.numbers(Kind.NOFOLLOW)

    def _slots(self) -> Iterator[Slot]:
        for number in range(self.plan.spec.pages):
            for hop in range(self.plan.last_hop(number) + 1):
                yield Slot(number, hop)

    def _find(self, url: str) -> Slot | None:
        scheme, netloc, path, query, _ = urlsplit(url)
        host = self._hosts.get(netloc) if scheme == "http" else None
        return None if host is None else self.plan.find(host, f"{path}?{query}" if query else path or "/")

    def _resource(self, slot: Slot) -> Resource:
        plan, kind = self.plan, self.plan.kind(slot.number)
        article, target, final = plan.article(slot), plan.redirect(slot), self._final(slot)
        return Resource(
            url=self.url(slot),
            kind=kind,
            host=plan.host(slot.number),
            hop=slot.hop,
            status=self._status(final),
            content_type=self._content_type(final),
            language=None if article is None else plan.language(article.number),
            target=None if target is None else self.url(target),
            original=self.url(article) if article and kind is Kind.DUPLICATE else None,
            forbidden=plan.forbidden(slot),
            latency_s=plan.latency(slot),
        )

    def _final(self, slot: Slot) -> Slot | None:
        """Where redirects end; None: nowhere."""
        if self.plan.kind(slot.number) is Kind.REDIRECT_LOOP:
            return None
        while (target := self.plan.redirect(slot)) is not None:
            slot = target
        return slot

    def _status(self, final: Slot | None) -> int | None:
        kind = None if final is None else self.plan.kind(final.number)
        troubles = {None: None, Kind.RESET_ALWAYS: None, Kind.NOT_FOUND: 404, Kind.SERVER_ERROR: 500}
        return troubles.get(kind, 200)

    def _content_type(self, final: Slot | None) -> str | None:
        if final is None or self._status(final) != 200:
            return None
        path = self.plan.path(final)
        if self.plan.kind(final.number) is not Kind.ASSET:
            return "text/html"
        return "application/pdf" if path.endswith(".pdf") else "image/png"
