"""The three seams of the crawler; everything behind them can be swapped."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from crawler.types import BodyRule, CrawlRequest, Done, Failed, Fetched, FrontierCounts, Record


class Frontier(Protocol):
    """The queue of URLs: it dedupes, orders, leases what is *due*, and acknowledges what is done.

    Politeness is a property of the lease: a host has at most ``per_host`` leases, and after one is given back
    it is not due before its delay has passed. A host seen for the first time has one lease until that one is
    given back, so that its robots.txt is asked for before anything else. Times are seconds.
    """

    async def open(self) -> Mapping[str, int]:
        """Open or create the store; return the sinks' positions of the last commit, by sink name."""
        ...

    def unknown(self, urls: Iterable[str]) -> Sequence[str]:
        """Return those of the URLs that are not known, in their order: most links of a page need no request."""
        ...

    async def add(self, requests: Sequence[CrawlRequest]) -> int:
        """Queue the requests whose URL is new (also within the call); return how many were. Never blocks."""
        ...

    async def lease(self, limit: int) -> Sequence[CrawlRequest]:
        """Hand out at most ``limit`` requests of hosts that are due now, in the order of priority and depth."""
        ...

    def fetched(self, request: CrawlRequest, *, pause: float = 0.0, asked: bool = True) -> None:
        """Free the host of a leased request; it is due after its delay, or ``pause`` if that is longer.

        ``asked`` is False where the host was not asked after all (robots.txt said no): then the lease costs the
        host no delay.

        The URL stays leased until :meth:`commit`. Called exactly once per lease that is not given back by
        :meth:`again`.
        """
        ...

    def again(self, leased: CrawlRequest, successor: CrawlRequest, *, after: float = 0.0, pause: float = 0.0) -> None:
        """Give a lease back and queue its successor, first in its host's line, not before ``after`` seconds.

        The successor is the same URL once more: a retry (``attempt`` + 1), the fetch after robots.txt, or a
        redirect hop, perhaps on another host. ``pause`` applies to the host of the leased request.
        """
        ...

    async def claim(self, url: str) -> bool:
        """Mark a redirect target as known; return whether it was new. Stored when its request is committed."""
        ...

    def set_delay(self, host: str, delay: float) -> None:
        """Set a host's delay between leases (robots ``Crawl-delay``)."""
        ...

    def next_due(self) -> float | None:
        """Seconds until a queued request is due (0: now); None where nothing is queued that could become due.

        A request whose host has no free lease becomes due by :meth:`fetched` or :meth:`again`, not by time.
        """
        ...

    def counts(self) -> FrontierCounts:
        """Count what it holds."""
        ...

    async def commit(self, done: Sequence[Done], positions: Mapping[str, int]) -> None:
        """Store in ONE transaction: every URL added so far, the done ones (with their redirects), positions."""
        ...

    async def aclose(self) -> None:
        """Close the store. Leases end: on the next open, what was not committed is queued again."""
        ...


class Fetcher(Protocol):
    """One HTTP exchange at a time: no redirects, no retries, no robots; those are the engine's policies."""

    async def fetch(self, request: CrawlRequest, rule: BodyRule) -> Fetched | Failed:
        """GET ``request.target``; never raises for a bad URL or a bad server: failures are values."""
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...


class Sink(Protocol):
    """A place for records."""

    @property
    def name(self) -> str:
        """The key under which the frontier holds this sink's position."""
        ...

    async def open(self, position: int | None) -> int:
        """Open; cut back to ``position`` (bytes or rows) what was written after it. None: no position is held yet.

        Returns the position now. It must be held before the first write: a kill between that and the first commit
        would else leave records that nobody cuts off.
        """
        ...

    async def write(self, records: Sequence[Record]) -> int:
        """Write and flush; return the position after the last record."""
        ...

    async def aclose(self) -> None:
        """Close; everything written stays."""
        ...
