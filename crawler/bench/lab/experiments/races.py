"""Workers that share a counter and a seen-set, with and without a lock: what is lost, and what is fetched twice."""

import asyncio
import contextlib
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

Guard = Callable[[], contextlib.AbstractContextManager[Any]]
_FETCH_S = 0.0005


def count_up(form: str, threads: int, rounds: int, interval: float, *, locked: bool) -> dict[str, float]:
    """Let threads do the same small update of shared data ``rounds`` times each.

    Args:
        form: ``append`` (one operation of a list), ``add`` (``n += 1``), ``call`` (``n = same(n) + 1``: a function
            call between reading and writing).
        threads: how many at once.
        rounds: updates of each thread.
        interval: the switch interval in seconds, after which another thread may take the GIL.
        locked: whether a lock is held for the update.

    Returns:
        ``lost`` of every million updates, and ``ns`` for each.
    """
    sys.setswitchinterval(interval)
    shared = _Shared()
    update = {"append": shared.append, "add": shared.add, "call": shared.call}[form]
    guard = _guard(threading.Lock(), locked=locked)
    start = time.perf_counter()
    _in_threads([lambda: update(rounds, guard)] * threads)
    seconds, total = time.perf_counter() - start, threads * rounds
    return {"lost": (total - shared.value()) * 1e6 / total, "ns": seconds * 1e9 / total}


class _Shared:
    def __init__(self) -> None:
        self._n = 0
        self._list: list[int] = []

    def value(self) -> int:
        return self._n + len(self._list)

    def append(self, rounds: int, guard: Guard | None) -> None:
        if guard is None:
            for n in range(rounds):
                self._list.append(n)
        else:
            for n in range(rounds):
                with guard():
                    self._list.append(n)

    def add(self, rounds: int, guard: Guard | None) -> None:
        if guard is None:
            for _ in range(rounds):
                self._n += 1
        else:
            for _ in range(rounds):
                with guard():
                    self._n += 1

    def call(self, rounds: int, guard: Guard | None) -> None:
        if guard is None:
            for _ in range(rounds):
                self._n = _same(self._n) + 1
        else:
            for _ in range(rounds):
                with guard():
                    self._n = _same(self._n) + 1


def _same(value: int) -> int:
    return value


def _guard(lock: threading.Lock, *, locked: bool) -> Guard | None:
    return (lambda: lock) if locked else None


def see(workers: str, form: str, count: int, urls: int, *, locked: bool) -> dict[str, float]:
    """Let workers meet the same URLs in the same order, and fetch each that is not in the shared seen-set.

    Args:
        workers: ``threads`` or ``coroutines``.
        form: what stands between the check and the mark: ``nothing``, ``call`` (of a small function) or ``fetch``
            (a wait of half a millisecond).
        count: how many at once.
        urls: how many URLs.
        locked: whether a lock is held from the check to the mark.

    Returns:
        ``double`` fetches of every thousand URLs, and ``us`` for each URL.
    """
    crawl = _Crawl(form, locked=locked)
    start = time.perf_counter()
    if workers == "threads":
        _in_threads([lambda: crawl.visit(range(urls))] * count)
    else:
        asyncio.run(crawl.visit_all(count, range(urls)))
    seconds, fetched = time.perf_counter() - start, Counter(crawl.fetched)
    if len(fetched) != urls:
        raise AssertionError(f"{urls - len(fetched)} URLs were not fetched")
    return {"double": (fetched.total() - urls) * 1e3 / urls, "us": seconds * 1e6 / urls}


class _Crawl:
    """A crawler reduced to its seen-set. ``fetched`` grows by one operation of a list."""

    def __init__(self, form: str, *, locked: bool) -> None:
        self.fetched: list[int] = []
        self._seen: set[int] = set()
        self._form = form
        self._lock = threading.Lock() if locked else contextlib.nullcontext()
        self._async_lock = asyncio.Lock() if locked else contextlib.nullcontext()

    def visit(self, urls: Iterable[int]) -> None:
        for url in urls:
            with self._lock:
                if url in self._seen:
                    continue
                if self._form == "call":
                    _same(url)
                elif self._form == "fetch":
                    time.sleep(_FETCH_S)
                self._seen.add(url)
            self.fetched.append(url)

    async def visit_all(self, count: int, urls: Iterable[int]) -> None:
        await asyncio.gather(*(self._visit(urls) for _ in range(count)))

    async def _visit(self, urls: Iterable[int]) -> None:
        for url in urls:
            async with self._async_lock:
                if url in self._seen:
                    continue
                if self._form == "call":
                    _same(url)
                elif self._form == "fetch":
                    await asyncio.sleep(_FETCH_S)
                self._seen.add(url)
            self.fetched.append(url)


def _in_threads(calls: list[Callable[[], None]]) -> None:
    ready = threading.Barrier(len(calls))

    def one(call: Callable[[], None]) -> None:
        ready.wait()
        call()

    threads = [threading.Thread(target=one, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
