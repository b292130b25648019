"""The ways to hand pages to a worker process: all to one worker, of a ``ProcessPoolExecutor`` or of the stage."""

import asyncio
import contextlib
import fcntl
import itertools
import os
import pickle
import tempfile
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AsyncExitStack
from multiprocessing import get_context
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

from cpu_stage.loading import AnalyzerSpec
from cpu_stage.stage import CpuStage, StageSettings
from cpu_stage.types import Needs, Page, ParseOptions
from cpu_stage.worker import Plan, Processed
from crawler.bench.handoff import work

AHEAD = 2
"""Batches under way at a time, as in the stage: the worker has the next one when it is done with one."""

_BATCH_PAGES = 64
_BATCH_BYTES = 2 * 2**20
_PIPE_BYTES = 2**20
_TURN = 64

T = TypeVar("T")


class Way(ABC):
    """One way, with a worker of its own while it is open."""

    name: ClassVar[str]
    how: ClassVar[str]

    def __init__(self) -> None:
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Start the worker."""
        try:
            await self._open(self._stack)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the worker."""
        await self._stack.aclose()

    @abstractmethod
    async def _open(self, stack: AsyncExitStack) -> None: ...

    @abstractmethod
    async def process(self, pages: Sequence[Page]) -> Sequence[Any]:
        """Have the work done on pages that are all there from the beginning; return what comes back, in their order."""

    def results(self, returned: Sequence[Any]) -> list[int]:
        """Return the results of the work, as they are in what came back."""
        return list(returned)

    @abstractmethod
    async def cpu_s(self) -> float:
        """Return the CPU time of the worker so far, user and system, in seconds."""


class _Bare(Way):
    """A way by an executor alone."""

    async def _open(self, stack: AsyncExitStack) -> None:
        self._executor = ProcessPoolExecutor(1, get_context("forkserver"))
        stack.callback(self._executor.shutdown)
        await self.cpu_s()  # the worker starts with the first call

    async def cpu_s(self) -> float:
        """Ask the worker."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, time.process_time)


class OneByOne(_Bare):
    """The textbook's way."""

    name = "run_in_executor"
    how = "loop.run_in_executor, one page a call"

    async def process(self, pages: Sequence[Page]) -> list[int]:
        """Call once for every page."""
        loop = asyncio.get_running_loop()
        return await _one_by_one(lambda page: loop.run_in_executor(self._executor, work.one, page), pages)


class _Batches(_Bare):
    async def process(self, pages: Sequence[Page]) -> list[int]:
        """Send batches, always one ahead of the worker."""
        under_way: deque[asyncio.Future[list[int]]] = deque()
        results = []
        for batch in batches(pages):
            if len(under_way) == AHEAD:
                results += await under_way.popleft()
            under_way.append(asyncio.wrap_future(self._send(batch)))
        for future in under_way:
            results += await future
        return results

    @abstractmethod
    def _send(self, batch: Sequence[Page]) -> Future[list[int]]: ...


class Pickled(_Batches):
    """Batches by the executor's pipe."""

    name = "pickle"
    how = "batches, pickled into the executor's pipe"

    def _send(self, batch: Sequence[Page]) -> Future[list[int]]:
        return self._executor.submit(work.several, batch)


class OutOfBand(_Batches):
    """Batches whose texts a thread writes into a pipe beside the executor's."""

    name = "pickle 5"
    how = "batches, texts out of band (PEP 574) by a pipe of their own"

    async def _open(self, stack: AsyncExitStack) -> None:
        await super()._open(stack)
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        self._path = str(Path(folder) / "pipe")
        os.mkfifo(self._path)
        self._pipe = os.open(self._path, os.O_RDWR)  # this way it opens without a reader
        stack.callback(os.close, self._pipe)
        with contextlib.suppress(OSError, AttributeError):  # Linux, within the user's limit
            fcntl.fcntl(self._pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._writer = stack.enter_context(ThreadPoolExecutor(1))

    def _send(self, batch: Sequence[Page]) -> Future[list[int]]:
        buffers: list[pickle.PickleBuffer] = []
        rows = [(_row(page), pickle.PickleBuffer(page.text.encode())) for page in batch]
        index = pickle.dumps(rows, protocol=5, buffer_callback=buffers.append)
        raw = [buffer.raw() for buffer in buffers]
        future = self._executor.submit(work.out_of_band, self._path, index, [len(data) for data in raw])
        self._writer.submit(self._write, raw)
        return future

    def _write(self, buffers: Sequence[memoryview]) -> None:
        for data in buffers:
            rest = data
            while rest:
                rest = rest[os.write(self._pipe, rest) :]


class Shared(_Batches):
    """Batches whose texts lie in segments that are used by turns."""

    name = "shared memory"
    how = "batches, texts in multiprocessing.shared_memory, an index by the executor"

    async def _open(self, stack: AsyncExitStack) -> None:
        await super()._open(stack)
        segments = []
        for _ in range(AHEAD):
            segments.append(SharedMemory(create=True, size=_BATCH_BYTES))
            stack.callback(segments[-1].unlink)
            stack.callback(segments[-1].close)
        self._segments = itertools.cycle(segments)

    def _send(self, batch: Sequence[Page]) -> Future[list[int]]:
        segment, start, index = next(self._segments), 0, []
        assert segment.buf is not None, "it is open"
        for page in batch:
            data = page.text.encode()
            end = start + len(data)
            segment.buf[start:end] = data
            index.append((_row(page), start, end))
            start = end
        return self._executor.submit(work.shared, segment.name, index)


class Stage(Way):
    """What a crawl does: every page is submitted by itself, limits and all."""

    name = "the stage"
    how = "CpuStage.submit, one call a page, as a crawl does"

    async def _open(self, stack: AsyncExitStack) -> None:
        spec = AnalyzerSpec("words", f"{work.__name__}:{work.analyze.__name__}")
        plan = Plan((spec,), ParseOptions(needs=Needs.TEXT), raw=False)
        settings = StageSettings("processes", workers=1, page_memory=2**30)
        self._stage = await stack.enter_async_context(CpuStage(plan, settings))
        await self._stage.warm()

    async def process(self, pages: Sequence[Page]) -> list[Processed]:
        """Submit every page."""
        return await _one_by_one(self._stage.submit, pages)

    def results(self, returned: Sequence[Processed]) -> list[int]:
        """Look into the analyses."""
        return [int(str(each.analysis.values["words"]["words"])) for each in returned]

    async def cpu_s(self) -> float:
        """Ask the worker by a page."""
        answer = await self._stage.submit(Page("clock:", "", "", work.CLOCK))
        return float(str(answer.analysis.values["words"]["cpu_s"]))


WAYS: tuple[type[Way], ...] = (OneByOne, Pickled, OutOfBand, Shared, Stage)


def batches(pages: Sequence[Page]) -> Iterator[Sequence[Page]]:
    """Cut pages of one size into batches of at most 64 pages and 2 MiB, but at least one page."""
    size = max(1, min(_BATCH_PAGES, _BATCH_BYTES // len(pages[0].text)))
    for start in range(0, len(pages), size):
        yield pages[start : start + size]


async def _one_by_one(submit: Callable[[Page], "asyncio.Future[T]"], pages: Sequence[Page]) -> list[T]:
    """Submit pages one by one, and let the loop have its turn now and then, as it has while it fetches."""
    futures: list[asyncio.Future[T]] = []
    for start in range(0, len(pages), _TURN):
        futures += map(submit, pages[start : start + _TURN])
        await asyncio.sleep(0)
    return [await future for future in futures]


def _row(page: Page) -> work.Row:
    return page.url, page.content_type, page.charset, page.title
