"""What every sink promises. A binding gives ``make`` (a sink of the same target each time) and ``read``."""

import abc
from pathlib import Path
from typing import Any

import pytest

from crawler.errors import JobError
from crawler.protocols import Sink
from crawler.types import CrawlRequest, Outcome, Record


def record(n: int) -> Record:
    return Record(CrawlRequest(f"http://example.test/{n}", "example.test"), Outcome.OK, at=1_700_000_000.0 + n)


class SinkSuite(abc.ABC):
    @abc.abstractmethod
    def make(self, folder: Path) -> Sink: ...

    @abc.abstractmethod
    def read(self, folder: Path) -> list[dict[str, Any]]: ...

    @abc.abstractmethod
    def shorten(self, folder: Path) -> None:
        """Damage the target from outside: lose its end."""

    def urls(self, folder: Path) -> list[str]:
        return [row["url"] for row in self.read(folder)]

    async def test_written_records_can_be_read_back_in_order(self, tmp_path: Path) -> None:
        sink = self.make(tmp_path)
        await sink.open(None)
        await sink.write([record(1), record(2)])
        await sink.write([record(3)])
        await sink.aclose()
        assert self.urls(tmp_path) == [f"http://example.test/{n}" for n in (1, 2, 3)]

    async def test_what_was_written_is_visible_before_the_sink_is_closed(self, tmp_path: Path) -> None:
        sink = self.make(tmp_path)
        await sink.open(None)
        await sink.write([record(1)])
        assert self.urls(tmp_path) == ["http://example.test/1"]
        await sink.aclose()

    async def test_opening_cuts_back_to_the_position(self, tmp_path: Path) -> None:
        sink = self.make(tmp_path)
        await sink.open(None)
        position = await sink.write([record(1)])
        await sink.write([record(2)])
        await sink.aclose()
        sink = self.make(tmp_path)
        await sink.open(position)
        await sink.write([record(3)])
        await sink.aclose()
        assert self.urls(tmp_path) == ["http://example.test/1", "http://example.test/3"]

    async def test_lost_records_are_an_error_that_says_so(self, tmp_path: Path) -> None:
        sink = self.make(tmp_path)
        await sink.open(None)
        position = await sink.write([record(1), record(2)])
        await sink.aclose()
        self.shorten(tmp_path)
        sink = self.make(tmp_path)
        with pytest.raises(JobError, match="lost"):
            await sink.open(position)
        await sink.aclose()

    async def test_positions_grow(self, tmp_path: Path) -> None:
        sink = self.make(tmp_path)
        await sink.open(None)
        positions = [await sink.write([record(n)]) for n in range(3)]
        await sink.aclose()
        assert positions == sorted(set(positions))

    async def test_opening_returns_the_position(self, tmp_path: Path) -> None:
        """Held before the first write, it lets a kill before the first commit leave nothing behind."""
        sink = self.make(tmp_path)
        first = await sink.open(None)
        await sink.write([record(1)])
        await sink.aclose()
        sink = self.make(tmp_path)
        assert await sink.open(first) == first
        position = await sink.write([record(2)])
        await sink.aclose()
        sink = self.make(tmp_path)
        assert await sink.open(position) == position
        await sink.aclose()
        assert self.urls(tmp_path) == ["http://example.test/2"]
