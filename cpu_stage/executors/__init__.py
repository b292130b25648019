"""One seam for every way to run the CPU stage: a ``concurrent.futures.Executor`` with one worker.

The stage opens W of them (lanes) rather than one pool of W: a worker that dies then costs one lane its batches,
a page can be killed without touching its neighbours, and no queue is shared.
"""

import importlib
from collections.abc import Mapping
from concurrent.futures import Executor
from typing import NamedTuple, Protocol, cast

from cpu_stage.pulse import Pulse
from cpu_stage.slab import SharedMemory
from cpu_stage.worker import Plan

KINDS: Mapping[str, str] = {
    "inline": "cpu_stage.executors.inline",
    "threads": "cpu_stage.executors.threads",
    "processes": "cpu_stage.executors.processes",
    "interpreters": "cpu_stage.executors.interpreters",
}


class Opened(NamedTuple):
    """An executor, and what is shared with its worker.

    ``pulse`` is how the worker says what it is doing. Only a process, which ``pid`` names, has ``memory`` for the texts
    of its pages, and for ``notes``: the others read them where they are, and do not die alone.
    """

    executor: Executor
    pulse: Pulse
    memory: SharedMemory = b""
    notes: SharedMemory = b""
    pid: int | None = None


class ExecutorModule(Protocol):
    """What each module of this package offers."""

    DEPTH: int
    """Batches that a lane may hold: one running and one waiting, so that a worker never idles for the loop."""

    def open_executor(self, plan: Plan, /) -> Opened:
        """Open an executor with one worker; may block for a while.

        Loading the plan is the worker's first task (:func:`cpu_stage.worker.prepare`), not part of this.

        Raises:
            OSError, EOFError, RuntimeError: there is no worker to be had right now.
            AnalyzerError: the plan names what does not exist.
            StageError: this kind of worker does not exist here.
        """
        ...


def executor_module(kind: str) -> ExecutorModule:
    """Return the module behind ``cpu.executor``; ``ValueError`` names what would be accepted."""
    if kind not in KINDS:
        raise ValueError(f"unknown executor {kind!r}; accepted: {', '.join(KINDS)}")
    return cast("ExecutorModule", importlib.import_module(KINDS[kind]))
