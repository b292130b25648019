"""``InterpreterPoolExecutor`` for Python 3.13, which has the subinterpreters and not yet their executor.

It does what that of 3.14 does: each thread of the pool owns a subinterpreter with a GIL of its own, and every
call, and what it returns, crosses as a pickle.
"""

import pickle
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")

_PICKLED, _UNBOUND = 1, 2
_CALL = """if True:
    import pickle, _interpqueues
    fn, args, kwargs = pickle.loads({call!r})
    _interpqueues.put({queue}, pickle.dumps(fn(*args, **kwargs)), {pickled}, {unbound})
"""


class InterpreterPoolExecutor(ThreadPoolExecutor):
    """Runs calls in subinterpreters, one for each of its threads."""

    def __init__(
        self, max_workers: int, thread_name_prefix: str = "", initializer: Any = None, initargs: tuple[Any, ...] = ()
    ) -> None:
        self._mine = threading.local()
        super().__init__(max_workers, thread_name_prefix, self._open, (initializer, initargs))

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Call ``fn`` in the subinterpreter."""
        return super().submit(self._call, pickle.dumps((fn, args, kwargs)))

    def _open(self, initializer: Callable[..., object], initargs: tuple[Any, ...]) -> None:
        import _interpqueues  # type: ignore[import-not-found]
        import _interpreters  # type: ignore[import-not-found]

        self._mine.interpreters, self._mine.queues = _interpreters, _interpqueues
        self._mine.number = _interpreters.create()
        self._mine.queue = _interpqueues.create(0, _PICKLED, _UNBOUND)
        self._call(pickle.dumps((initializer, initargs, {})))

    def _call(self, call: bytes) -> Any:
        script = _CALL.format(call=call, queue=self._mine.queue, pickled=_PICKLED, unbound=_UNBOUND)
        failure = self._mine.interpreters.exec(self._mine.number, script)
        if failure is not None:
            raise RuntimeError(failure.formatted)
        result, _, _ = self._mine.queues.get(self._mine.queue)
        return pickle.loads(result)


HAS_SUBINTERPRETERS = sys.version_info >= (3, 13)
