"""The textbook's answer to CPU-bound work in a coroutine: one process pool, ``run_in_executor`` for every page.

Coroutines around an ``asyncio.Queue`` fetch by aiohttp as it comes; each body goes to a ``ProcessPoolExecutor`` by
itself, and its links and values come back. No batches, no limits, no second try: a page that kills a worker ends the
crawl. Like the other controls it is for webs of our own alone.
"""

import asyncio
import functools
import operator
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextvars import ContextVar
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier

import aiohttp

from cpu_stage.analyze import run
from cpu_stage.loading import AnalyzerSpec, LoadedAnalyzer, check, load
from cpu_stage.parse import ParseOptions, parse
from cpu_stage.types import Json, Needs
from crawler.bench.work import PAGE_TYPES, Notes, Task, Visited, Work, body_digest, digest
from crawler.codings import ACCEPT_ENCODING
from crawler.exchange import media_type
from crawler.urls import join

_Values = Mapping[str, Mapping[str, Json]]
_START_S = 120.0
_tools: ContextVar[tuple[Sequence[LoadedAnalyzer], ParseOptions]] = ContextVar("_tools")


async def textbook(task: Task, concurrency: int, workers: int, look: Callable[[], None] = lambda: None) -> Work:
    """Crawl; ``look`` is called twice while the pool is up: just before the first request, and after the last page."""
    with _pool(task, workers) as pool:
        await asyncio.gather(*(asyncio.get_running_loop().run_in_executor(pool, _ready) for _ in range(workers)))
        connector = aiohttp.TCPConnector(limit=concurrency)
        headers = {"Accept-Encoding": ACCEPT_ENCODING}
        async with aiohttp.ClientSession(connector=connector, headers=headers) as http:
            look()
            try:
                work = await _Crawl(task, http, pool).run(concurrency)
            except BaseException:  # before 3.11.4 a pool with cancelled calls may never end unless told so (gh-94440)
                pool.shutdown(cancel_futures=True)
                raise
            look()
            return work


class _Crawl:
    """One crawl: its queue, and the workers around it."""

    def __init__(self, task: Task, http: aiohttp.ClientSession, pool: ProcessPoolExecutor) -> None:
        self._http = http
        self._pool = pool
        self._notes = Notes(task)
        self._todo: asyncio.Queue[str] = asyncio.Queue()

    async def run(self, concurrency: int) -> Work:
        for url in self._notes.seeds():
            self._todo.put_nowait(url)
        try:
            async with asyncio.TaskGroup() as group:
                running = [group.create_task(self._work()) for _ in range(concurrency)]
                await self._todo.join()
                work = self._notes.work()
                for each in running:
                    each.cancel()
        except ExceptionGroup as group_error:
            raise group_error.exceptions[0] from None
        return work

    async def _work(self) -> None:
        while True:
            for found in await self._visit(await self._todo.get()):
                self._todo.put_nowait(found)
            self._todo.task_done()

    async def _visit(self, url: str) -> list[str]:
        try:
            status, headers, body = await self._get(url)
        except (aiohttp.ClientError, TimeoutError):
            self._notes.add(Visited(url, None))
            return []
        if body is None:
            self._notes.add(Visited(url, status))
            target = join(url, headers["location"]) if 300 <= status < 400 and "location" in headers else None
            return self._notes.new([target] if target else [])
        kind, robots = headers.get("content-type", ""), headers.get("x-robots-tag", "")
        loop = asyncio.get_running_loop()
        links, values = await loop.run_in_executor(self._pool, _analyse, url, kind, body, robots)
        self._notes.add(Visited(url, status, body_digest(body), digest(values)), len(body))
        return self._notes.new(links)

    async def _get(self, url: str) -> tuple[int, Mapping[str, str], bytes | None]:
        async with self._http.get(url, allow_redirects=False) as response:
            if 200 <= response.status < 300 and media_type(response.headers) in PAGE_TYPES:
                return response.status, response.headers, await response.read()
            return response.status, response.headers, None


# What runs in the pool


def _pool(task: Task, workers: int) -> ProcessPoolExecutor:
    """Open the pool by ``spawn``: a fork of a process with an event loop and threads may hang."""
    context = get_context("spawn")
    barrier = context.Barrier(workers)
    return ProcessPoolExecutor(workers, context, _initialise, (tuple(task.analyzers), task.parser, barrier))


def _initialise(specs: Sequence[AnalyzerSpec], parser: str, barrier: Barrier) -> None:
    needs = functools.reduce(operator.or_, map(check, specs), Needs.NOTHING)
    _tools.set(([load(spec) for spec in specs], ParseOptions(needs=needs, parser=parser)))
    barrier.wait(_START_S)  # else the first worker may take all of the tasks that are to start the others


def _ready() -> None:
    """Do nothing: a pool starts a worker for a task that finds none idle."""


def _analyse(url: str, kind: str, body: bytes, robots: str) -> tuple[list[str], _Values]:
    analyzers, options = _tools.get()
    page = parse(url, kind, body, options, robots=robots)
    analysis = run(analyzers, page, "")
    return [link for link in page.links if link not in page.nofollow], analysis.values
