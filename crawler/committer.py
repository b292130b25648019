"""The last step of a page: records to the sinks, then everything that follows from them to the frontier."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from crawler.metrics import Metrics
from crawler.protocols import Frontier, Sink
from crawler.types import Done, Record


@dataclass(frozen=True, slots=True)
class CommitSettings:
    """When to commit: ``interval`` seconds after the first record that waits, or at ``pages`` of them."""

    interval: float = 0.25
    pages: int = 500


class Committer:
    """Commits records in batches, in one step: sinks flush and report positions, then one transaction.

    The frontier learns that a URL is done only after every sink holds its record, and it stores the sinks'
    positions in the same transaction. A crash between the two leaves records beyond the stored positions; they
    are cut off at the next start, and their URLs are fetched again.
    """

    def __init__(
        self,
        frontier: Frontier,
        sinks: Sequence[Sink],
        metrics: Metrics,
        settings: CommitSettings,
        *,
        committed: Callable[[Sequence[Record]], None],
    ) -> None:
        self._frontier = frontier
        self._sinks = sinks
        self._metrics = metrics
        self._settings = settings
        self._committed = committed
        self._waiting: list[Record] = []
        self._some = asyncio.Event()
        self._many = asyncio.Event()
        self._closing = False

    async def run(self) -> None:
        """Commit until :meth:`close`, and then what is left. An error of a sink or the frontier ends it."""
        while not self._closing:
            await self._some.wait()
            if not self._closing and len(self._waiting) < self._settings.pages:
                await self._wait_for_many()
            await self._commit()
        await self._commit()

    async def _wait_for_many(self) -> None:
        try:
            async with asyncio.timeout(self._settings.interval):
                await self._many.wait()
        except TimeoutError:
            pass

    def put(self, record: Record) -> None:
        """Queue a record."""
        self._waiting.append(record)
        self._some.set()
        if len(self._waiting) >= self._settings.pages:
            self._many.set()

    @property
    def waiting(self) -> int:
        """How many records wait for the next commit."""
        return len(self._waiting)

    def hurry(self) -> None:
        """Commit now: there is nothing to wait for."""
        self._many.set()

    def close(self) -> None:
        """Let :meth:`run` commit what is left and return."""
        self._closing = True
        self._some.set()
        self._many.set()

    async def _commit(self) -> None:
        records, self._waiting = self._waiting, []
        if not self._closing:
            self._some.clear()
            self._many.clear()
        start = time.perf_counter()
        positions = {}
        if records:
            written = await asyncio.gather(*(sink.write(records) for sink in self._sinks))
            positions = {sink.name: position for sink, position in zip(self._sinks, written, strict=True)}
        await self._frontier.commit([Done(r.request, r.outcome) for r in records], positions)
        self._metrics.spent("commit", time.perf_counter() - start)
        self._metrics.committed(records, time.monotonic())
        self._committed(records)
