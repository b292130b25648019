"""The CPU stage on the event loop itself: the control that shows what blocking the loop costs."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import ParamSpec, TypeVar

from cpu_stage.worker import Plan, Pulse, init

P = ParamSpec("P")
T = TypeVar("T")

KILLABLE = False
DEPTH = 1


class InlineExecutor(Executor):
    """Runs each call where it is submitted, before ``submit`` returns."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call ``fn`` now; the future that comes back is done."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - an executor hands every error to the future
            future.set_exception(error)
        return future


def new_pulse() -> Pulse:
    """Make a pulse in plain memory."""
    return [0.0, 0.0]


def open_lane(plan: Plan, pulse: Pulse) -> Executor:
    """Open the lane; the analyzers are loaded in the calling thread at the first batch."""
    executor = InlineExecutor()
    executor.submit(init, plan, pulse)
    return executor
