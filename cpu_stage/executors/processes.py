"""The CPU stage in worker processes: stdlib ``ProcessPoolExecutor``, one worker each.

Workers are forked by a fork server that has the analyzers' libraries loaded: a new worker costs milliseconds,
shares their memory, and inherits neither the crawler's threads nor its sockets. The server starts without the
user's ``__main__``, so a worker imports ``cpu_stage`` and the analyzers, nothing else.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context
from types import ModuleType
from typing import cast

from cpu_stage.worker import Plan, Pulse, init_process, ready

KILLABLE = True
DEPTH = 2

# One page is one thread's work: a BLAS that starts a thread per core would only fight its neighbours.
_SINGLE_THREADED = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")

_context = get_context("forkserver")


def new_pulse() -> Pulse:
    """Make a pulse in memory that parent and worker share."""
    return cast("Pulse", _context.RawArray("d", 2))


def open_lane(plan: Plan, pulse: Pulse) -> Executor:
    """Open a pool of one process; blocks until the fork server has forked it (it loads libraries first)."""
    _context.set_forkserver_preload(plan.modules())
    executor = ProcessPoolExecutor(1, mp_context=_context, initializer=init_process, initargs=(plan, pulse))
    with _clean_start():
        first = executor.submit(ready)
    try:
        first.result()
    except BaseException:
        executor.shutdown(wait=False)
        raise
    _drop_result_writer(executor)
    return executor


@contextlib.contextmanager
def _clean_start() -> Iterator[None]:
    """Start processes without the parent's ``__main__`` (which would be imported again) and single-threaded."""
    main, environment = sys.modules["__main__"], dict(os.environ)
    sys.modules["__main__"] = ModuleType("__main__")
    os.environ.update({name: os.environ.get(name, value) for name, value in _SINGLE_THREADED.items()})
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        for name in _SINGLE_THREADED.keys() - environment.keys():
            del os.environ[name]


def _drop_result_writer(executor: ProcessPoolExecutor) -> None:
    """Close the parent's copy of the result pipe's writing end.

    Without this a worker that is killed in the middle of writing a result leaves the executor's thread waiting
    for the rest for ever, since the parent itself keeps the pipe open; with it that read ends at once.
    """
    writer = getattr(getattr(executor, "_result_queue", None), "_writer", None)
    if writer is not None:
        writer.close()
