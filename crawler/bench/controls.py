"""The two honest controls of the benchmark: a crawler as one writes it first, and the same in threads.

:func:`sequential` asks for a page, parses it, analyses it, and asks for the next. :func:`threaded` is N threads
around one ``queue.Queue``, each of which does just that. No event loop, no second process, nothing of the
crawler's engine: what the variants gain is measured against these.

They are for webs of our own alone: they read no robots.txt, keep no delay, and try everything once. What they
share with the crawler is the work: the same scope, parser and analyzers. A redirect leads to a page of its own.
"""

import functools
import hashlib
import operator
import queue
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import orjson
import urllib3

from cpu_stage.analyze import run
from cpu_stage.loading import AnalyzerSpec, LoadedAnalyzer, check, load
from cpu_stage.parse import ParseOptions, parse
from cpu_stage.types import Json, Needs
from crawler.codings import ACCEPT_ENCODING
from crawler.exchange import media_type
from crawler.scope import Scope, ScopeRules
from crawler.urls import join, serialise

_TYPES = frozenset({"text/html", "application/xhtml+xml"})
_MAX_HOSTS = 1_000


@dataclass(frozen=True, slots=True)
class Task:
    """What to crawl: the seeds and all that they lead to on their hosts, ``max_pages`` URLs at most."""

    seeds: Sequence[str]
    max_pages: int
    analyzers: Sequence[AnalyzerSpec] = ()
    parser: str = "turbohtml"


@dataclass(frozen=True, slots=True)
class Visited:
    """What every variant must find alike.

    ``status`` is None where there was no response; the digests are None where there was no page: ``body`` is the
    SHA-256 of the decoded body, ``analysis`` is by :func:`digest`.
    """

    url: str
    status: int | None
    body: str | None = None
    analysis: str | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """What was done: ``seconds`` from the first request to the last page, ``size`` of all bodies in bytes."""

    visited: tuple[Visited, ...]
    size: int
    seconds: float

    @property
    def pages(self) -> int:
        """How many pages were analysed."""
        return sum(each.body is not None for each in self.visited)


def digest(values: Mapping[str, Mapping[str, Json]]) -> str:
    """Return the digest of what analyzers said of a page: ``analysis`` of its record, whatever the order."""
    return hashlib.sha256(orjson.dumps(values, option=orjson.OPT_SORT_KEYS)).hexdigest()


def sequential(task: Task) -> Work:
    """Crawl page by page, breadth first."""
    analyzers = [load(spec) for spec in task.analyzers]
    with _pool(1) as http:
        crawl = _Crawl(task, http)
        todo = deque(crawl.seeds())
        while todo:
            todo.extend(crawl.visit(todo.popleft(), analyzers))
        return crawl.work()


def threaded(task: Task, threads: int) -> Work:
    """Crawl in threads. Each has analyzers of its own, as each worker of the crawler has."""
    todo: queue.Queue[str | None] = queue.Queue()
    defects: list[Exception] = []

    def worker(analyzers: Sequence[LoadedAnalyzer]) -> None:
        while (url := todo.get()) is not None:
            try:
                for found in crawl.visit(url, analyzers):
                    todo.put(found)
            except Exception as error:  # noqa: BLE001 - raised below; were this thread dead, join() might never end
                defects.append(error)
            finally:
                todo.task_done()

    benches = [[load(spec) for spec in task.analyzers] for _ in range(threads)]
    running = [threading.Thread(target=worker, args=(bench,), daemon=True) for bench in benches]  # Ctrl-C ends them
    with _pool(threads) as http:
        crawl = _Crawl(task, http)
        for url in crawl.seeds():
            todo.put(url)
        for thread in running:
            thread.start()
        todo.join()
        work = crawl.work()
        for _ in running:
            todo.put(None)
        for thread in running:
            thread.join()
    if defects:
        raise defects[0]
    return work


class _Crawl:
    """What is known of one crawl, by any number of threads."""

    def __init__(self, task: Task, http: urllib3.PoolManager) -> None:
        needs = functools.reduce(operator.or_, map(check, task.analyzers), Needs.NOTHING)
        self._options = ParseOptions(needs=needs, parser=task.parser)
        self._task = task
        self._http = http
        self._scope = Scope(ScopeRules(), task.seeds)
        self._lock = threading.Lock()
        self._known: set[str] = set()
        self._visited: list[Visited] = []
        self._size = 0
        self._start = time.perf_counter()

    def seeds(self) -> list[str]:
        """Return the seeds, to begin with."""
        return self._new(filter(None, map(serialise, self._task.seeds)))

    def visit(self, url: str, analyzers: Sequence[LoadedAnalyzer]) -> list[str]:
        """Fetch, parse and analyse a page; return the URLs it leads to that are new."""
        try:
            status, headers, body = self._get(url)
        except urllib3.exceptions.HTTPError:
            self._note(Visited(url, None))
            return []
        if body is None:
            self._note(Visited(url, status))
            target = join(url, headers["location"]) if 300 <= status < 400 and "location" in headers else None
            return self._new([target] if target else [])
        kind, robots = headers.get("content-type", ""), headers.get("x-robots-tag", "")
        page = parse(url, kind, body, self._options, robots=robots)
        analysis = run(analyzers, page, "", lambda _: None)
        self._note(Visited(url, status, hashlib.sha256(body).hexdigest(), digest(analysis.values)), len(body))
        return self._new(link for link in page.links if link not in page.nofollow)

    def work(self) -> Work:
        """Return what was done until now."""
        return Work(tuple(self._visited), self._size, time.perf_counter() - self._start)

    def _get(self, url: str) -> tuple[int, Mapping[str, str], bytes | None]:
        """Ask once. Of anything but a page only the header is read."""
        response = self._http.request("GET", url, redirect=False, preload_content=False)
        if 200 <= response.status < 300 and media_type(response.headers) in _TYPES:
            return response.status, response.headers, response.read()
        response.close()
        return response.status, response.headers, None

    def _new(self, urls: Iterable[str]) -> list[str]:
        """Return those in scope that are new, while there is room for more."""
        admitted = [each.url for each in self._scope.admit_links(urls, 0)]
        with self._lock:
            room = self._task.max_pages - len(self._known)
            new = [url for url in dict.fromkeys(admitted) if url not in self._known][:room]
            self._known.update(new)
        return new

    def _note(self, visited: Visited, size: int = 0) -> None:
        with self._lock:
            self._visited.append(visited)
            self._size += size


def _pool(connections: int) -> urllib3.PoolManager:
    """Return urllib3 as it comes, but for one try each, and a connection for each thread."""
    headers, timeout = {"Accept-Encoding": ACCEPT_ENCODING}, urllib3.Timeout(connect=10.0, read=60.0)
    return urllib3.PoolManager(_MAX_HOSTS, headers, maxsize=connections, retries=False, timeout=timeout)
