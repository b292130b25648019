"""One seam for every way to run the CPU stage: a ``concurrent.futures.Executor`` with one worker.

The stage opens W of them (lanes) rather than one pool of W: a worker that dies then costs one lane its batches,
a page can be killed without touching its neighbours, and no queue is shared.
"""

import importlib
from collections.abc import Mapping
from concurrent.futures import Executor
from typing import Protocol, cast

from cpu_stage.worker import Plan, Pulse

KINDS: Mapping[str, str] = {
    "inline": "cpu_stage.executors.inline",
    "threads": "cpu_stage.executors.threads",
    "processes": "cpu_stage.executors.processes",
}


class ExecutorModule(Protocol):
    """What each module of this package offers."""

    KILLABLE: bool
    """Whether a worker can be killed without taking the crawler with it."""

    DEPTH: int
    """Batches that a lane may hold: one running and one waiting, so that a worker never idles for the loop."""

    def new_pulse(self) -> Pulse:
        """Make the two numbers through which a worker says what it is doing."""
        ...

    def open_lane(self, plan: Plan, pulse: Pulse) -> Executor:
        """Open an executor with one worker that has run :func:`cpu_stage.worker.init`; may block."""
        ...


def executor_module(kind: str) -> ExecutorModule:
    """Return the module behind ``cpu.executor``; ``ValueError`` names what would be accepted."""
    if kind not in KINDS:
        raise ValueError(f"unknown executor {kind!r}; accepted: {', '.join(KINDS)}")
    return cast("ExecutorModule", importlib.import_module(KINDS[kind]))
