"""A crawler in a page of code, to hold against the ground truth: sequential, breadth-first, no concurrency."""

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin, urlsplit

import aiohttp

from crawler.bench.site import Rules

TRIES = 3


class Links(HTMLParser):
    """The links of a page, and which of them are nofollow."""

    def __init__(self, base: str, html: str) -> None:
        super().__init__()
        self.base = base
        self.found: dict[str, bool] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fields = dict(attrs)
        url = urldefrag(urljoin(self.base, fields.get("href") or "")).url
        if tag == "a" and url.startswith("http"):
            self.found.setdefault(url, fields.get("rel") == "nofollow")


class Robots:
    """RFC 9309 for the group of ``*``: the longest rule wins."""

    def __init__(self, status: int, text: str) -> None:
        self.sitemaps = re.findall(r"(?m)^Sitemap: (\S+)", text) if status == 200 else []
        group = text.partition("User-agent: *")[2] if status == 200 else ""
        rules = re.findall(r"(?m)^(Allow|Disallow): (\S+)", group) if status < 500 else [("Disallow", "/")]
        self.rules = [(len(path), kind == "Allow", self.pattern(path)) for kind, path in rules]

    @staticmethod
    def pattern(path: str) -> re.Pattern[str]:
        return re.compile(re.escape(path).replace(r"\*", ".*"))

    def allows(self, url: str) -> bool:
        parts = urlsplit(url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        return max((rule[:2] for rule in self.rules if rule[2].match(path)), default=(0, True))[1]


@dataclass
class Walk:
    """One crawl. ``depths`` is what it dealt with; ``bodies`` the HTML pages that it got."""

    rules: Rules
    session: aiohttp.ClientSession
    depths: dict[str, int] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)
    statuses: dict[str, int | None] = field(default_factory=dict)
    robots: dict[str, Robots] = field(default_factory=dict)

    async def run(self, *seeds: str) -> "Walk":
        hosts = {urlsplit(seed).netloc for seed in seeds}
        self.queue = deque((seed, 0) for seed in seeds)
        while self.queue:
            url, depth = self.queue.popleft()
            foreign = self.rules.seed_hosts_only and urlsplit(url).netloc not in hosts
            if url not in self.depths and not foreign:
                self.depths[url] = depth
                await self.visit(url, depth)
        return self

    async def visit(self, url: str, depth: int) -> None:
        robots = await self.robots_of(url)
        if self.rules.obey_robots and not robots.allows(url):
            return
        status, headers, body = await self.fetch(url)
        self.statuses[url] = status
        if "Location" in headers:
            self.queue.appendleft((urljoin(url, headers["Location"]), depth))
        elif body and headers["Content-Type"].startswith("text/html"):
            self.bodies[url] = body
            if self.rules.depth is None or depth < self.rules.depth:
                self.follow(url, body.decode(), depth + 1)

    def follow(self, url: str, html: str, depth: int) -> None:
        for link, nofollow in Links(url, html).found.items():
            if self.rules.follow_nofollow or not nofollow:
                self.queue.append((link, depth))

    async def robots_of(self, url: str) -> Robots:
        base = "http://" + urlsplit(url).netloc
        if base not in self.robots:
            async with self.session.get(base + "/robots.txt") as answer:
                self.robots[base] = Robots(answer.status, await answer.text())
            if self.rules.sitemaps:
                await self.read_sitemaps(self.robots[base])
        return self.robots[base]

    async def read_sitemaps(self, robots: Robots) -> None:
        for sitemap in robots.sitemaps:
            async with self.session.get(sitemap) as answer:
                listed = re.findall("<loc>(.*?)</loc>", await answer.text())
            self.queue.extendleft((url, 0) for url in listed)

    async def fetch(self, url: str) -> tuple[int | None, Mapping[str, str], bytes]:
        """Up to three tries for resets and 5xx; of anything but HTML only the headers."""
        status = None
        for _ in range(TRIES):
            try:
                async with self.session.get(url, allow_redirects=False) as answer:
                    status = answer.status
                    if status < 500:
                        html = status == 200 and answer.content_type == "text/html"
                        return status, answer.headers, await answer.read() if html else b""
            except aiohttp.ClientConnectionError:
                status = None
        return status, {}, b""
