"""What every variant of the benchmark is given to do, and what each must show for it."""

import hashlib
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from cpu_stage.loading import AnalyzerSpec
from cpu_stage.types import Json
from crawler.scope import Scope, ScopeRules
from crawler.urls import serialise

PAGE_TYPES = frozenset({"text/html", "application/xhtml+xml"})
"""Of anything else only the header is read."""


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


def body_digest(body: bytes) -> str:
    """Return the digest of a body: ``sha256`` of its record."""
    return hashlib.sha256(body).hexdigest()


class Notes:
    """What a control knows of its crawl; shared by all its threads. The clock starts when it is made."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._scope = Scope(ScopeRules(), task.seeds)
        self._lock = threading.Lock()
        self._known: set[str] = set()
        self._visited: list[Visited] = []
        self._size = 0
        self._start = time.perf_counter()

    def seeds(self) -> list[str]:
        """Return the seeds, to begin with."""
        return self.new(filter(None, map(serialise, self._task.seeds)))

    def new(self, urls: Iterable[str]) -> list[str]:
        """Return those in scope that are new, while there is room for more."""
        admitted = [each.url for each in self._scope.admit_links(urls, 0)]
        with self._lock:
            room = self._task.max_pages - len(self._known)
            new = [url for url in dict.fromkeys(admitted) if url not in self._known][:room]
            self._known.update(new)
        return new

    def add(self, visited: Visited, size: int = 0) -> None:
        """Note what became of a URL, and the bytes of its body."""
        with self._lock:
            self._visited.append(visited)
            self._size += size

    def work(self) -> Work:
        """Return what was done until now."""
        return Work(tuple(self._visited), self._size, time.perf_counter() - self._start)
