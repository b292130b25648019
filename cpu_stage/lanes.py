"""A lane: one worker with its executor, the batches it holds, and the means to end it."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from pathlib import Path

from cpu_stage.executors import ExecutorModule
from cpu_stage.types import AnalysisError, AnalysisErrorKind, Page
from cpu_stage.worker import Plan, Processed, Pulse, RawPage, Work, place, ready, run_batch

_PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")


class StageError(Exception):
    """The stage cannot work at all: an analyzer does not load, or every new worker dies at once."""


@dataclass(slots=True)
class Job:
    """A page on its way through the stage. ``errors`` grow as analyzers fail on it, each at most once."""

    item: Page | RawPage
    future: "asyncio.Future[Processed]"
    tries: int = 0
    alone: bool = False
    errors: dict[str, AnalysisError] = field(default_factory=dict)

    def work(self) -> Work:
        """Return what is sent to the worker."""
        return Work(self.item, frozenset(self.errors))


@dataclass(slots=True)
class Batch:
    """Jobs sent together; ``number`` tells batches of a lane apart in the worker's pulse."""

    number: int
    jobs: list[Job]
    sent: float


class Lane:
    """One worker. It holds at most ``depth`` batches: one runs, the next waits in the pipe."""

    def __init__(self, module: ExecutorModule, executor: Executor, pulse: Pulse, pid: int) -> None:
        self.depth = module.DEPTH
        self.batches: deque[Batch] = deque()
        self.pages = 0
        self.draining = False
        self.verdict: AnalysisErrorKind | None = None
        self.baseline = 0
        self._executor = executor
        self._pulse = pulse
        self._numbers = 0
        self._process = _ProcessHandle(pid) if module.KILLABLE else None
        if self._process:
            self.baseline = self._process.rss()

    @classmethod
    def open(cls, module: ExecutorModule, plan: Plan) -> "Lane":
        """Start a worker and wait until its analyzers are loaded. Blocks: call it in a thread.

        Raises:
            StageError: with the worker's own words where an analyzer cannot be loaded.
        """
        pulse = module.new_pulse()
        try:
            executor = module.open_lane(plan, pulse)
            pid = executor.submit(ready).result()
        except RuntimeError as error:
            raise StageError(str(error)) from error
        return cls(module, executor, pulse, pid)

    @property
    def free(self) -> bool:
        """Whether the lane takes another batch."""
        return len(self.batches) < self.depth and not self.draining and self.verdict is None

    def send(self, jobs: list[Job], done: Callable[["Lane", Batch, Future[list[Processed]]], None]) -> None:
        """Hand a batch to the worker; ``done`` is called in any thread when it ended."""
        self._numbers += 1
        batch = Batch(self._numbers, jobs, time.monotonic())
        self.batches.append(batch)
        future = self._executor.submit(run_batch, batch.number, [job.work() for job in jobs])
        future.add_done_callback(lambda ended: done(self, batch, ended))

    def running(self) -> tuple[int, int] | None:
        """Return (page, step) that the worker is at in its first batch; None where it has not begun it."""
        batch, page, step = place(self._pulse[0])
        if not self.batches or batch != self.batches[0].number or page >= len(self.batches[0].jobs):
            return None
        return page, step

    def busy_s(self) -> float:
        """Return for how many seconds the worker has been at its page, or has owed the start of its batch."""
        if not self.batches:
            return 0.0
        return time.monotonic() - max(self._pulse[1], self.batches[0].sent)

    def rss(self) -> int:
        """Return the worker's resident memory in bytes; 0 where it is not a process."""
        return self._process.rss() if self._process else 0

    def kill(self, verdict: AnalysisErrorKind) -> None:
        """End the worker at once; its batch then fails with ``verdict`` for the page that it was at."""
        self.verdict = verdict
        if self._process:
            self._process.kill()

    def close(self, *, kill: bool = False) -> None:
        """Let an idle worker go; one that is busy, or whose state nobody knows, is killed."""
        if self._process:
            if self.batches or kill:
                self._process.kill()
            self._process.close()
        self._executor.shutdown(wait=False, cancel_futures=True)


class _ProcessHandle:
    """A worker process, held by a pidfd where the kernel has one: a pid alone may be given to another process."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._fd: int | None = None
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                self._fd = os.pidfd_open(pid)

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            if sys.platform == "linux" and self._fd is not None:
                signal.pidfd_send_signal(self._fd, signal.SIGKILL)
            else:
                os.kill(self._pid, signal.SIGKILL)

    def rss(self) -> int:
        try:
            return int(Path(f"/proc/{self._pid}/statm").read_text().split()[1]) * _PAGE_SIZE
        except (OSError, IndexError):
            return 0

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
