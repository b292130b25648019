"""What a synthetic web looks like: one frozen value, from which everything else follows."""

import enum
import math
import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

import orjson

from crawler.bench.site.latency import Latency
from crawler.errors import ConfigError

WORDS: dict[str, Any] = tomllib.loads(resources.files(__package__).joinpath("words.toml").read_text("utf-8"))
"""The word material of each language."""

LANGUAGES = tuple(WORDS)
"""The languages that articles can be written in, as ISO 639-1 codes."""


class Kind(enum.StrEnum):
    """What a URL of the web is, and how often a correct crawler asks for it in one crawl.

    Every kind but `PAGE` is also the name of the field of :class:`SiteSpec` that gives its share.
    """

    PAGE = "page"
    """An article, linked by rel-less links from at least one other page of its host: one hit."""
    NOT_FOUND = "not_found"
    """Always 404: one hit."""
    SERVER_ERROR = "server_error"
    """Always 500: one hit and one more for each retry of the crawler."""
    UNAVAILABLE = "unavailable"
    """503 with Retry-After on the first ``unavailable_hits`` hits, then an article: that many hits + 1."""
    RESET_ONCE = "reset_once"
    """The connection is reset on the first hit, then an article: two hits. A client that repeats a GET by
    itself when its connection breaks (aiohttp does, once) hides the reset from its user."""
    RESET_ALWAYS = "reset_always"
    """The connection is reset on every hit: one hit and one more for each retry, also for the client's own."""
    REDIRECT = "redirect"
    """One hop to an article that other pages link to: one hit here, one hit in all on the target."""
    REDIRECT_CHAIN = "redirect_chain"
    """``chain_length`` hops to an article of its own, which nothing else links to: one hit on each hop."""
    REDIRECT_LOOP = "redirect_loop"
    """Hops that come back to the first: one hit on each hop if the crawler remembers them."""
    DUPLICATE = "duplicate"
    """Byte for byte the body of an article of the same host: one hit, as any page."""
    FORBIDDEN = "forbidden"
    """An article that robots.txt disallows: no hit, or one where robots.txt is not obeyed."""
    ASSET = "asset"
    """A large PDF or PNG behind an ordinary link: one hit, which should end after the headers."""
    NOFOLLOW = "nofollow"
    """An article that only ``rel=nofollow`` links lead to: no hit, or one where such links are followed."""
    ORPHAN = "orphan"
    """An article that only the sitemap names: no hit, or one where sitemaps are read."""


SPECIAL_KINDS = tuple(kind for kind in Kind if kind is not Kind.PAGE)
"""The kinds that have a share, in the order of their numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSpec:
    """A web. Sizes are bytes, times are seconds, shares are fractions of `pages`.

    Two webs of equal specs are equal but for the ports in their URLs. A share above zero gives at least one
    URL. The remaining URLs are articles; every host needs at least one.
    """

    seed: int = 1
    hosts: int = 4
    addresses: Literal["ports", "loopback"] = "ports"
    """``ports``: each host has a port of its own; ``loopback``: host i is 127.0.0.(2+i), all on one port."""
    pages: int = 200
    """URLs in all, over all hosts. Hops after the first of a redirect come on top."""
    links: int = 12
    """Links per page (at least 4). A page has more only where its part of the link tree needs them."""
    cross_links: float = 0.1
    """Share of the random links that lead to another host."""
    page_size: int | tuple[int, int] = (8_000, 32_000)
    """Exact size of a body, or its range; but never less than one paragraph in its frame (about 5 kB)."""
    asset_size: int = 4 * 1024 * 1024
    languages: tuple[str, ...] = LANGUAGES
    latency: str = "constant:0"
    """Time to the answer, one for each URL: see :meth:`Latency.parse`."""
    compress: bool = False
    """Serve gzip where Accept-Encoding allows it."""

    not_found: float = 0.0
    server_error: float = 0.0
    unavailable: float = 0.0
    unavailable_hits: int = 1
    retry_after: int = 1
    """Seconds that a 503 asks to wait."""
    retry_after_date: bool = False
    """Say Retry-After as an HTTP date instead of a number of seconds."""
    reset_once: float = 0.0
    reset_always: float = 0.0
    redirect: float = 0.0
    redirect_chain: float = 0.0
    redirect_loop: float = 0.0
    chain_length: int = 3
    """Hops of a redirect chain and of a loop."""
    duplicate: float = 0.0
    forbidden: float = 0.0
    asset: float = 0.0
    nofollow: float = 0.0
    orphan: float = 0.0

    robots_status: int = 200
    """Answer to /robots.txt. 4xx allows everything, 5xx forbids everything (RFC 9309, section 2.3.1)."""
    crawl_delay: float | None = None
    sitemap: bool = True

    def __post_init__(self) -> None:
        for wrong, text in self._problems():
            if wrong:
                raise ConfigError(f"synthetic web: {text}")
        Latency.parse(self.latency)

    def _problems(self) -> list[tuple[bool, str]]:
        low, high = self.size_range
        shares = [self.share(kind) for kind in SPECIAL_KINDS]
        unknown = set(self.languages) - set(LANGUAGES)
        return [
            (self.hosts < 1, f"hosts must be at least 1, not {self.hosts}"),
            (self.addresses == "loopback" and self.hosts > 250, "addresses=loopback has room for 250 hosts"),
            (self.addresses not in {"ports", "loopback"}, "addresses must be ports or loopback"),
            (self.links < 4, f"links must be at least 4, not {self.links}"),
            (not 0 < low <= high, f"page_size must be a size or (low, high), not {self.page_size}"),
            (not self.languages or bool(unknown), f"languages must be of {', '.join(LANGUAGES)}"),
            (any(not 0 <= share < 1 for share in [*shares, self.cross_links]), "a share must be in [0, 1)"),
            (self.count(Kind.PAGE) < self.hosts, "pages must leave an article for each host"),
            (self.chain_length < 2, "chain_length must be at least 2"),
            (
                self.unavailable_hits < 1 or self.retry_after < 0,
                "unavailable_hits or retry_after is too small",
            ),
            (
                not 200 <= self.robots_status < 600,
                f"robots_status must be a status, not {self.robots_status}",
            ),
        ]

    @property
    def size_range(self) -> tuple[int, int]:
        """The smallest and the largest `page_size`."""
        size = self.page_size
        return (size, size) if isinstance(size, int) else size

    def share(self, kind: Kind) -> float:
        """The share of a special kind."""
        share: float = getattr(self, kind.value)
        return share

    def count(self, kind: Kind) -> int:
        """How many URLs are of a kind."""
        if kind is Kind.PAGE:
            return self.pages - sum(self.count(special) for special in SPECIAL_KINDS)
        share = self.share(kind)
        return max(1, math.floor(share * self.pages + 0.5)) if share > 0 else 0

    def to_json(self) -> bytes:
        """Write it down for another process."""
        return orjson.dumps(self)

    @classmethod
    def from_json(cls, data: bytes | str) -> "SiteSpec":
        """Read what :meth:`to_json` wrote."""
        values: dict[str, Any] = orjson.loads(data)
        values |= {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        return cls(**values)


ROUGH = SiteSpec(
    pages=600,
    hosts=6,
    not_found=0.03,
    server_error=0.01,
    unavailable=0.01,
    reset_once=0.01,
    reset_always=0.005,
    redirect=0.03,
    redirect_chain=0.01,
    redirect_loop=0.005,
    duplicate=0.03,
    forbidden=0.03,
    asset=0.02,
    nofollow=0.01,
    orphan=0.01,
)
"""A web with some of every trouble, as the real one has: for demos and soak tests."""
