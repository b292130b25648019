"""The two honest controls of the benchmark: a crawler as one writes it first, and the same in threads.

:func:`sequential` asks for a page, parses it, analyses it, and asks for the next. :func:`threaded` is N threads
around one ``queue.Queue``, each of which does just that. No event loop, no second process, nothing of the
crawler's engine: what the variants gain is measured against these.

They are for webs of our own alone: they read no robots.txt, keep no delay, and try everything once. What they
share with the crawler is the work: the same scope, parser and analyzers. A redirect leads to a page of its own.
"""

import functools
import operator
import queue
import threading
from collections import deque
from collections.abc import Mapping, Sequence

import urllib3

from cpu_stage.analyze import run
from cpu_stage.loading import LoadedAnalyzer, check, load
from cpu_stage.parse import ParseOptions, parse
from cpu_stage.types import Needs
from crawler.bench.work import PAGE_TYPES, Notes, Task, Visited, Work, body_digest, digest
from crawler.codings import ACCEPT_ENCODING
from crawler.exchange import media_type
from crawler.urls import join

_MAX_HOSTS = 1_000


def sequential(task: Task) -> Work:
    """Crawl page by page, breadth first."""
    analyzers = [load(spec) for spec in task.analyzers]
    with _pool(1) as http:
        crawl = _Crawl(task, http)
        todo = deque(crawl.notes.seeds())
        while todo:
            todo.extend(crawl.visit(todo.popleft(), analyzers))
        return crawl.notes.work()


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
        for url in crawl.notes.seeds():
            todo.put(url)
        for thread in running:
            thread.start()
        todo.join()
        work = crawl.notes.work()
        for _ in running:
            todo.put(None)
        for thread in running:
            thread.join()
    if defects:
        raise defects[0]
    return work


class _Crawl:
    """What one crawl visits its pages with."""

    def __init__(self, task: Task, http: urllib3.PoolManager) -> None:
        needs = functools.reduce(operator.or_, map(check, task.analyzers), Needs.NOTHING)
        self._options = ParseOptions(needs=needs, parser=task.parser)
        self._http = http
        self.notes = Notes(task)

    def visit(self, url: str, analyzers: Sequence[LoadedAnalyzer]) -> list[str]:
        """Fetch, parse and analyse a page; return the URLs it leads to that are new."""
        try:
            status, headers, body = self._get(url)
        except urllib3.exceptions.HTTPError:
            self.notes.add(Visited(url, None))
            return []
        if body is None:
            self.notes.add(Visited(url, status))
            target = join(url, headers["location"]) if 300 <= status < 400 and "location" in headers else None
            return self.notes.new([target] if target else [])
        kind, robots = headers.get("content-type", ""), headers.get("x-robots-tag", "")
        page = parse(url, kind, body, self._options, robots=robots)
        analysis = run(analyzers, page, "")
        self.notes.add(Visited(url, status, body_digest(body), digest(analysis.values)), len(body))
        return self.notes.new(link for link in page.links if link not in page.nofollow)

    def _get(self, url: str) -> tuple[int, Mapping[str, str], bytes | None]:
        """Ask once. Of anything but a page only the header is read."""
        response = self._http.request("GET", url, redirect=False, preload_content=False)
        if 200 <= response.status < 300 and media_type(response.headers) in PAGE_TYPES:
            return response.status, response.headers, response.read()
        response.close()
        return response.status, response.headers, None


def _pool(connections: int) -> urllib3.PoolManager:
    """Return urllib3 as it comes, but for one try each, and a connection for each thread."""
    headers, timeout = {"Accept-Encoding": ACCEPT_ENCODING}, urllib3.Timeout(connect=10.0, read=60.0)
    return urllib3.PoolManager(_MAX_HOSTS, headers, maxsize=connections, retries=False, timeout=timeout)
