"""The CPU stage on the event loop itself: the control that shows what blocking the loop costs."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextvars import Context
from typing import ParamSpec, TypeVar

from cpu_stage.executors import Opened
from cpu_stage.pulse import SIZE
from cpu_stage.worker import Plan, attach

P = ParamSpec("P")
T = TypeVar("T")

DEPTH = 1


class InlineExecutor(Executor):
    """Runs each call where it is submitted, before ``submit`` returns, in a context of its own."""

    def __init__(self) -> None:
        self._context = Context()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call ``fn`` now; the future that comes back is done."""
        future: Future[T] = Future()
        try:
            future.set_result(self._context.run(fn, *args, **kwargs))
        except Exception as error:  # noqa: BLE001 - an executor hands every error to the future
            future.set_exception(error)
        return future


def open_executor(_plan: Plan) -> Opened:
    """Open the executor."""
    executor, pulse = InlineExecutor(), [0.0] * SIZE
    executor.submit(attach, pulse)
    return Opened(executor, pulse)
