"""The CPU stage in subinterpreters, each with a GIL of its own: Python 3.14 and later.

They run pure Python side by side in one process. A C extension has to support them, and those that parse HTML and URLs
do not yet, so this serves analyzers in pure Python whose pages are parsed on the loop (``Plan.raw`` is False).
Like a thread, a subinterpreter cannot be stopped.
"""

import sys
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextvars import Context
from typing import Any, TypeVar

from cpu_stage.executors import Opened
from cpu_stage.pulse import SIZE
from cpu_stage.runtime import python_build
from cpu_stage.types import StageError
from cpu_stage.worker import Plan, attach

T = TypeVar("T")

DEPTH = 2

_FIND_MODULES = "import sys; sys.path[:] = {path!r}"
"""What a subinterpreter runs first: it does not inherit the path on which the analyzers are found."""

_context = Context()


def run_here(call: Callable[..., T], *args: Any) -> T:
    """Run a call in the one context of this interpreter: every call has a thread state, and a context, of its own."""
    return _context.run(call, *args)


class _Adapter(Executor):
    """Sends every call through :func:`run_here`."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Call ``fn`` in the subinterpreter; all that crosses is pickled."""
        return self._pool.submit(run_here, fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the subinterpreter after its current call."""
        self._pool.shutdown(wait, cancel_futures=cancel_futures)


def check() -> None:
    """Raise StageError where this Python has no such executor."""
    if not hasattr(futures, "InterpreterPoolExecutor"):
        raise StageError(f"cpu.executor interpreters needs Python 3.14; this is {python_build()}: choose processes")


def open_executor(_plan: Plan) -> Opened:
    """Open a pool of one subinterpreter.

    Nobody reads its pulse: it would be memory to share, and a subinterpreter could not be killed anyway.

    Raises:
        StageError: this Python has none.
    """
    check()
    pool = futures.InterpreterPoolExecutor  # type: ignore[attr-defined]  # of 3.14: check() has seen to it
    executor = _Adapter(pool(1, "cpu-stage", initializer=exec, initargs=(_FIND_MODULES.format(path=sys.path),)))
    pulse = [0.0] * SIZE
    executor.submit(attach, pulse)
    return Opened(executor, pulse)
