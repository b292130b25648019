"""What the web answers to each path: prepared responses, and the trouble that may stand before them."""

import email.utils
import math
from dataclasses import dataclass
from urllib.parse import urlsplit

from crawler.bench.site.audit import ROBOTS, SITEMAP
from crawler.bench.site.http import Response, response
from crawler.bench.site.pages import Pages
from crawler.bench.site.plan import Plan, Slot
from crawler.bench.site.spec import Kind

CACHE_BYTES = 128 * 1024 * 1024
"""Bodies that are kept; a web that is larger makes the rest anew for each request."""

SITEMAP_MAX = 50_000
"""URLs that one sitemap may name (sitemaps.org)."""

_HTML, _TEXT = "text/html; charset=utf-8", "text/plain; charset=utf-8"
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one path, after ``latency`` seconds.

    The first ``trouble`` hits get a connection reset (``reset``) or a 503 instead of it. A Retry-After
    depends on the time, so the 503 is made by :meth:`Answers.unavailable`.
    """

    plain: Response
    gzipped: Response | None = None
    latency: float = 0.0
    trouble: float = 0
    reset: bool = False
    shared: bool = False
    """The body belongs to many paths: there is nothing to keep."""


class Answers:
    """Finds or makes the answer of any path of any host."""

    def __init__(self, plan: Plan, base_urls: tuple[str, ...]) -> None:
        self._plan = plan
        self._spec = plan.spec
        self._base_urls = base_urls
        self._pages = Pages(plan, base_urls)
        self._assets = {
            "pdf": response(200, "application/pdf", b"%PDF-1.7\n".ljust(plan.spec.asset_size, b"%")),
            "png": response(200, "image/png", b"\x89PNG\r\n\x1a\n".ljust(plan.spec.asset_size, b"\0")),
        }
        self._cache: list[dict[str, Answer]] = [{} for _ in base_urls]
        self._room = CACHE_BYTES

    def answer(self, host: int, path: str) -> Answer:
        """The answer to a path, which includes the query."""
        answer = self._cache[host].get(path)
        if answer is None:
            answer = self._make(host, path)
            self._keep(host, path, answer)
        return answer

    def prepare(self) -> None:
        """Make all answers beforehand, if there is room for them, so that no request waits for one."""
        if self._spec.pages * self._spec.size_range[1] > CACHE_BYTES:
            return
        for number in range(self._spec.pages):
            for hop in range(self._plan.last_hop(number) + 1):
                self.answer(self._plan.host(number), self._plan.path(Slot(number, hop)))

    def unavailable(self, now: float) -> tuple[Response, float]:
        """A 503 and the Unix time that its Retry-After names (RFC 9110 section 10.2.3)."""
        moment, value = now + self._spec.retry_after, str(self._spec.retry_after)
        if self._spec.retry_after_date:
            moment = math.floor(moment)
            value = email.utils.formatdate(moment, usegmt=True)
        return response(503, _TEXT, b"try again later\n", f"Retry-After: {value}"), moment

    def _keep(self, host: int, path: str, answer: Answer) -> None:
        size = len(answer.plain.body) + (len(answer.gzipped.body) if answer.gzipped else 0)
        if not answer.shared and size <= self._room:
            self._room -= size
            self._cache[host][path] = answer

    def _make(self, host: int, path: str) -> Answer:
        slot = self._plan.find(host, path)
        if slot is not None:
            return self._of_slot(slot)
        if path == ROBOTS:
            return Answer(self._robots(host), latency=self._plan.latency(Slot(host)))
        if path == SITEMAP and self._spec.sitemap:
            return Answer(self._sitemap(host), latency=self._plan.latency(Slot(host)))
        return Answer(_status_page(404), shared=True)

    def _of_slot(self, slot: Slot) -> Answer:
        latency = self._plan.latency(slot)
        article, target = self._plan.article(slot), self._plan.redirect(slot)
        if target is not None:
            return Answer(self._redirect(slot, target), latency=latency)
        match self._plan.kind(slot.number):
            case Kind.NOT_FOUND:
                return Answer(_status_page(404), latency=latency)
            case Kind.SERVER_ERROR:
                return Answer(_status_page(500), latency=latency)
            case Kind.RESET_ALWAYS:
                return Answer(_status_page(500), latency=latency, trouble=math.inf, reset=True)
            case Kind.ASSET:
                return Answer(self._assets[self._plan.path(slot)[-3:]], latency=latency, shared=True)
        assert article is not None
        return self._article(article, latency, self._plan.kind(slot.number))

    def _article(self, article: Slot, latency: float, kind: Kind) -> Answer:
        plain, gzipped = response(200, _HTML, self._pages.html(article)), None
        if self._spec.compress:
            fields = ("Content-Encoding: gzip", "Vary: Accept-Encoding")
            gzipped = response(200, _HTML, self._pages.gzip(article), *fields)
        trouble = {Kind.UNAVAILABLE: self._spec.unavailable_hits, Kind.RESET_ONCE: 1}.get(kind, 0)
        return Answer(plain, gzipped, latency, trouble, kind is Kind.RESET_ONCE)

    def _redirect(self, slot: Slot, target: Slot) -> Response:
        """A redirect: to another host or from an odd hop by an absolute URL, else by a path."""
        path, same_host = (
            self._plan.path(target),
            self._plan.host(target.number) == self._plan.host(slot.number),
        )
        location = path if same_host and (slot.number + slot.hop) % 2 else self._pages.url(target)
        status = _REDIRECTS[(slot.number + slot.hop) % len(_REDIRECTS)]
        body = f'<!DOCTYPE html>\n<title>Moved</title>\n<a href="{location}">Moved</a>\n'.encode()
        return response(status, _HTML, body, f"Location: {location}")

    def _robots(self, host: int) -> Response:
        """The rules of :meth:`Plan.forbidden` as robots.txt (RFC 9309)."""
        if self._spec.robots_status != 200:
            return _status_page(self._spec.robots_status)
        lines = [
            f"# robots.txt of {urlsplit(self._base_urls[host]).netloc}",
            "User-agent: GreedyBot",
            "Disallow: /",
            "",
            "User-agent: *",
            "Disallow: /private/",
            "Disallow: /*?print=",
            "Allow: /private/press/",
        ]
        if self._spec.crawl_delay is not None:
            lines.append(f"Crawl-delay: {self._spec.crawl_delay:g}")
        if self._spec.sitemap:
            lines += ["", f"Sitemap: {self._base_urls[host]}{SITEMAP}"]
        return response(200, _TEXT, "\n".join([*lines, ""]).encode())

    def _sitemap(self, host: int) -> Response:
        """The articles of a host that have no trouble, orphans first, as many as one file may name."""
        hosts, pages = self._plan.hosts, self._plan.numbers(Kind.PAGE)
        orphans = [n for n in self._plan.numbers(Kind.ORPHAN) if self._plan.host(n) == host]
        numbers = [*orphans, *pages[host::hosts]][:SITEMAP_MAX]
        entries = (f"<url><loc>{self._pages.url(Slot(n))}</loc></url>\n" for n in numbers)
        namespace = "http://www.sitemaps.org/schemas/sitemap/0.9"
        body = f'<urlset xmlns="{namespace}">\n{"".join(entries)}</urlset>\n'
        return response(200, "application/xml", f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'.encode())


def _status_page(status: int) -> Response:
    return response(status, _HTML, f"<!DOCTYPE html>\n<title>{status}</title>\n<h1>{status}</h1>\n".encode())
