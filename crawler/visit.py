"""What happens to one leased request: robots, fetch, retry, redirect, parse, analyse; every rule in its order."""

import asyncio
import hashlib
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from cpu_stage.parse import ParseOptions, parse, strip
from cpu_stage.stage import CpuStage
from cpu_stage.types import Analysis, Page
from cpu_stage.worker import Processed, RawPage, noindex
from crawler.metrics import Metrics
from crawler.placement import Placement
from crawler.politeness import RetryPolicy
from crawler.protocols import Fetcher, Frontier
from crawler.redirects import next_hop
from crawler.robots import Allowed, Disallowed, GivenUp, RobotsCache, Unavailable
from crawler.scope import Admitted, Rejected, RejectReason, Scope
from crawler.sitemaps import SITEMAP_TYPES, Sitemap, parse_sitemap
from crawler.traps import Traps
from crawler.turns import Turns
from crawler.types import BodyRule, CrawlRequest, ErrorKind, Failed, Fetched, Outcome, Record, RecordError
from crawler.urls import host_key, registrable_domain

_ONE_PAGE = 1e-9  # seconds: what is parsed on the loop in one of its iterations, so that answers go first


@dataclass(frozen=True, slots=True)
class VisitRules:
    """What a page may do.

    ``analyse`` is False where there are no analyzers: then pages parsed on the loop are not sent anywhere.
    """

    body: BodyRule
    parse: ParseOptions
    analyse: bool
    max_redirects: int
    delay: float
    obey_robots: bool
    follow_nofollow: bool
    sitemaps: bool


@dataclass(frozen=True, slots=True)
class Tools:
    """The parts that a visit uses; the composition root chooses them."""

    frontier: Frontier
    fetcher: Fetcher
    robots: RobotsCache
    scope: Scope
    stage: CpuStage
    placement: Placement
    retry: RetryPolicy
    metrics: Metrics
    traps: Traps
    original_of: Callable[[str, Analysis], str | None] | None


class Visit:
    """Takes requests from their lease to their record, or gives them back to the frontier."""

    def __init__(self, tools: Tools, rules: VisitRules) -> None:
        self._rules = rules
        self._frontier = tools.frontier
        self._fetcher = tools.fetcher
        self._robots = tools.robots
        self._scope = tools.scope
        self._stage = tools.stage
        self._placement = tools.placement
        self._retry = tools.retry
        self._metrics = tools.metrics
        self._traps = tools.traps
        self._original_of = tools.original_of
        self._to_parse = Turns(_ONE_PAGE, tools.placement.spare)
        self._to_queue = Turns()
        self.queued: Callable[[], None] = lambda: None
        """Called as soon as there are new links: the analysis of their page may take its time."""

    # The part that holds a fetch slot

    async def fetch(self, request: CrawlRequest) -> Fetched | Record | None:
        """Ask the host for the request's target, and free the host.

        Returns:
            A page for :meth:`finish`, a record that is complete, or None where the lease was given back.
        """
        if not self._robots.known(request.target):
            await self._ask_robots(request)
            return None
        verdict = self._robots.decide(request.target)
        if not isinstance(verdict, Allowed):
            return self._obey(request, verdict)
        if request.attempt == 1 and not self._traps.spends(request.host):
            return self._refuse(request, ErrorKind.BUDGET, f"{request.host} had all its pages (limits.host_pages)")
        start = time.perf_counter()
        result = await self._fetcher.fetch(request, self._rules.body)
        self._metrics.spent("network", time.perf_counter() - start)
        return await self._judge(request, result)

    async def _ask_robots(self, request: CrawlRequest) -> None:
        """Fetch robots.txt as a lease of its own: the page itself waits for the host's next turn."""
        start = time.perf_counter()
        await self._robots.load(request.target)
        self._metrics.spent("robots", time.perf_counter() - start)
        delay = self._robots.crawl_delay(request.target)
        if delay is not None:
            self._frontier.set_delay(request.host, max(delay, self._rules.delay))
        if self._rules.sitemaps:
            await self._add(self._robots.sitemaps(request.target), request.target, 0)
        self._frontier.again(request, request)

    def _obey(self, request: CrawlRequest, verdict: Disallowed | Unavailable | GivenUp) -> Record | None:
        match verdict:
            case Unavailable(retry_after_s=wait):
                self._frontier.again(request, request, pause=wait)
                return None
            case Disallowed():
                return self._refuse(request, ErrorKind.ROBOTS, f"robots.txt disallows {request.target}")
            case GivenUp():
                return self._refuse(request, ErrorKind.ROBOTS_UNAVAILABLE, "robots.txt cannot be fetched")

    def _refuse(self, request: CrawlRequest, kind: ErrorKind, message: str) -> Record:
        self._frontier.fetched(request, asked=False)
        return _record(request, Outcome.SKIPPED, error=RecordError(kind, message))

    async def _judge(self, request: CrawlRequest, result: Fetched | Failed) -> Fetched | Record | None:
        retry = self._retry.decide(result, request.attempt, time.time(), random.random)
        if retry is not None:
            self._metrics.retries += 1
            successor = replace(request, attempt=request.attempt + 1)
            self._frontier.again(request, successor, after=retry.after_s, pause=retry.pause_host_s)
            return None
        hop = next_hop(result, self._rules.max_redirects) if isinstance(result, Fetched) else None
        if isinstance(hop, str) and isinstance(result, Fetched):
            return await self._redirect(request, result, hop)
        self._frontier.fetched(request)
        if isinstance(hop, Failed):
            result = hop
        if isinstance(result, Fetched) and 200 <= result.status < 300 and result.body is not None:
            return result
        return _without_page(request, result)

    async def _redirect(self, request: CrawlRequest, fetched: Fetched, location: str) -> Record | None:
        """Send the request through the door once more, to be leased again by the host it leads to."""
        admitted = self._admit_hop(request, location)
        if isinstance(admitted, Rejected):
            self._frontier.fetched(request)
            message = f"redirects to {location}, which is out of scope ({admitted.reason})"
            return _record(request, Outcome.SKIPPED, fetched, RecordError(ErrorKind.SCOPE, message))
        if admitted.url in (request.url, *request.redirects):
            self._frontier.fetched(request)
            error = RecordError(ErrorKind.REDIRECT_LOOP, f"redirects back to {admitted.url}")
            return _record(request, Outcome.FAILED, fetched, error)
        hops = (*request.redirects, admitted.url)
        if not await self._frontier.claim(admitted.url):
            self._frontier.fetched(request)
            request = replace(request, redirects=hops)
            error = RecordError(ErrorKind.DUPLICATE, f"redirects to {admitted.url}, which is a record of its own")
            return _record(request, Outcome.SKIPPED, replace(fetched, final_url=admitted.url), error)
        self._frontier.again(request, replace(request, redirects=hops, host=admitted.host))
        return None

    def _admit_hop(self, request: CrawlRequest, location: str) -> Admitted | Rejected:
        """Admit a redirect target. A seed that moved within its domain (to www., say) takes the scope along."""
        admitted = self._scope.admit(location, request.depth)
        if isinstance(admitted, Rejected) and admitted.reason is RejectReason.HOST and request.depth == 0:
            host = host_key(admitted.url)
            if registrable_domain(host) == registrable_domain(request.host):
                self._scope.extend(host)
                return self._scope.admit(location, request.depth)
        return admitted

    # The part after the fetch

    async def finish(self, fetched: Fetched) -> Record:
        """Parse the page, queue its links, have it analysed; return its record."""
        body, types = fetched.body or b"", fetched.headers.get("content-type", "")
        if self._rules.sitemaps and types.partition(";")[0].strip().lower() in SITEMAP_TYPES:
            return await self._finish_sitemap(fetched, body)
        raw = RawPage(fetched.final_url, types, body, fetched.headers.get("x-robots-tag", ""))
        here = self._placement.on_loop(len(body), self._to_parse.waiting)
        page = await self._parse_here(fetched.request, raw) if here else None
        digest = None
        if page is not None:
            analysis = await self._analyse(page)
            page = strip(page)
        else:
            processed = await self._send(raw)
            page, analysis, digest = processed.page, processed.analysis, processed.sha256
            if page is not None:
                async with self._to_queue:
                    await self._discover(fetched.request, page)
        if page is not None:
            self._traps.saw(fetched.final_url, fetched.request.host, page.title, len(page.links), len(body))
        if page is not None and self._rules.obey_robots and noindex(page):
            error = RecordError(ErrorKind.NOINDEX, "the page asks not to be indexed")
            return Record(fetched.request, Outcome.SKIPPED, time.time(), error, fetched, page, sha256=digest)
        original = self._original_of(fetched.request.url, analysis) if analysis and self._original_of else None
        return Record(fetched.request, Outcome.OK, time.time(), None, fetched, page, analysis, original, digest)

    async def _parse_here(self, request: CrawlRequest, raw: RawPage) -> Page | None:
        """Parse the page in its turn; None where it is better sent to a worker by then."""
        async with self._to_parse as mine:  # links are queued in its turn too: there may be nothing else to fetch
            if not mine:
                return None
            start = time.perf_counter()
            page = parse(raw.url, raw.content_type, raw.body, self._rules.parse, robots=raw.robots)
            self._metrics.spent("parse", time.perf_counter() - start)
            await self._discover(request, page)
        return page

    async def _analyse(self, page: Page) -> Analysis | None:
        if not self._rules.analyse or (self._rules.obey_robots and noindex(page)):
            return None
        return (await self._send(page)).analysis

    async def _send(self, item: Page | RawPage) -> Processed:
        start = time.perf_counter()
        processed = await self._stage.submit(item)
        worked = processed.analysis.cpu_s
        self._metrics.spent("parse", processed.parse_s)
        self._metrics.spent("analysis", worked)
        self._metrics.spent("queue", max(0.0, time.perf_counter() - start - worked - processed.parse_s))
        return processed

    async def _finish_sitemap(self, fetched: Fetched, body: bytes) -> Record:
        sitemap, digest = await asyncio.to_thread(_read_sitemap, body)  # a large one takes a second
        links = (*sitemap.children, *sitemap.urls)
        self._traps.saw(fetched.final_url, fetched.request.host, None, len(links), len(body))
        await self._add(links, fetched.request.url, fetched.request.depth)
        page = Page(fetched.final_url, fetched.headers.get("content-type", ""), "", None, links=links)
        return Record(fetched.request, Outcome.OK, time.time(), None, fetched, page, sha256=digest)

    async def _discover(self, request: CrawlRequest, page: Page) -> None:
        skip = frozenset() if self._rules.follow_nofollow else page.nofollow
        links = [link for link in page.links if link not in skip] if skip else page.links
        await self._add(links, request.url, request.depth + 1)

    async def _add(self, links: Iterable[str], parent: str, depth: int) -> None:
        if self._scope.too_deep(depth):  # then it does not matter what is known
            return
        admitted = self._scope.admit_links(self._frontier.unknown(links), depth)
        if self._traps.cut:
            admitted = [link for link in admitted if self._traps.admits(link)]
        if await self._frontier.add([CrawlRequest(a.url, a.host, depth, parent) for a in admitted]):
            self.queued()


def _read_sitemap(body: bytes) -> tuple[Sitemap, str]:
    return parse_sitemap(body), hashlib.sha256(body).hexdigest()


def _without_page(request: CrawlRequest, result: Fetched | Failed) -> Record:
    """Make the record of an exchange that brought no page."""
    if isinstance(result, Failed):
        return _record(request, Outcome.FAILED, error=RecordError(result.kind, result.message))
    if 200 <= result.status < 300:
        kind = result.headers.get("content-type", "")
        error = RecordError(ErrorKind.CONTENT_TYPE, f"{kind} is not parsed; only its headers were read")
        return _record(request, Outcome.SKIPPED, result, error)
    error = RecordError(ErrorKind.STATUS, f"final status {result.status}")
    return _record(request, Outcome.HTTP_ERROR, result, error)


def _record(
    request: CrawlRequest,
    outcome: Outcome,
    fetched: Fetched | None = None,
    error: RecordError | None = None,
    page: Page | None = None,
) -> Record:
    return Record(request, outcome, time.time(), error, fetched, page)


def broken(request: CrawlRequest, error: Exception) -> Record:
    """Make the record of a page that met a defect of ours: the crawl goes on, and the log has the traceback."""
    return _record(request, Outcome.FAILED, error=RecordError(ErrorKind.INTERNAL, f"{type(error).__name__}: {error}"))
