"""What a cell's process is told, and what it answers: one line of JSON each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from cpu_stage.loading import AnalyzerSpec
from cpu_stage.types import Json
from crawler.bench.work import Task, Visited


@dataclass(frozen=True, slots=True)
class Order:
    """One cell: what to crawl, and how.

    ``settings`` are the crawler's, ``analyzers`` and ``parser`` say the same to controls. ``warm_up`` is the number of
    pages of the crawl before the first that counts. ``web`` is a :class:`SiteSpec` where the web is to be answered
    within the process, without a socket.
    """

    variant: str
    seeds: Sequence[str]
    concurrency: int
    workers: int
    warm_up: int
    settings: Mapping[str, Json]
    analyzers: Sequence[AnalyzerSpec]
    parser: str
    web: str | None = None

    def task(self, max_pages: int) -> Task:
        """Return what a control is to do."""
        return Task(self.seeds, max_pages, self.analyzers, self.parser)

    def to_json(self) -> bytes:
        """Write it down for another process."""
        return orjson.dumps(self)

    @classmethod
    def from_json(cls, data: bytes | str) -> "Order":
        """Read what :meth:`to_json` wrote."""
        values: dict[str, Any] = orjson.loads(data)
        return cls(**{**values, "analyzers": [AnalyzerSpec(**spec) for spec in values["analyzers"]]})


@dataclass(frozen=True, slots=True)
class Line:
    """What happened when, in seconds from the first request: pages that were finished, and the loop's lags."""

    began: float
    """The moment of the first request, by the monotonic clock of the machine."""
    finished: Sequence[float]
    lags: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run. ``seconds`` from the first request to the last page; ``memory`` in bytes, at the end."""

    visited: Sequence[Visited]
    seconds: float
    user_s: float
    system_s: float
    switches: int
    memory: int | None
    lag_ms: Mapping[str, float] | None = None
    hand_off_s: float | None = None
    line: Line | None = None
    hits: Mapping[str, int] | None = None
    """How often each URL was asked for, where the web was answered within the process."""
    own_s: float | None = None
    """CPU seconds of the process that crawls alone, its workers not among them."""

    @property
    def pages(self) -> int:
        """How many pages were analysed."""
        return sum(each.body is not None for each in self.visited)

    def to_json(self) -> bytes:
        """Write it down for another process."""
        return orjson.dumps(self)

    @classmethod
    def from_json(cls, data: bytes | str) -> "Outcome":
        """Read what :meth:`to_json` wrote."""
        values: dict[str, Any] = orjson.loads(data)
        line = values["line"]
        values["visited"] = [Visited(**each) for each in values["visited"]]
        values["line"] = line and Line(line["began"], line["finished"], [(at, lag) for at, lag in line["lags"]])
        return cls(**values)
