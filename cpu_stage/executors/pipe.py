"""An executor with one worker process, to which the event loop itself talks.

``ProcessPoolExecutor`` takes two threads of this process to a worker and back. At each step they want the lock of the
interpreter from the loop, and the loop wants it back (docs/adr/0011). Here a batch is one ``send`` of the loop, and its
results are read when the loop hears of them.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from multiprocessing.util import Finalize
from typing import Any, ParamSpec, TypeVar

from cpu_stage.executors.process import LENGTH

P = ParamSpec("P")
T = TypeVar("T")

_CHUNK = 256 * 2**10
_BEFORE_PROCESSES_ARE_JOINED = 10  # at exit, by multiprocessing's priorities: workers end when their socket does


class PipeExecutor(Executor):
    """Calls functions in a process that runs :func:`cpu_stage.executors.process.work`, in their order.

    It belongs to the event loop in which :meth:`submit` is called first. Calls are not held back while the worker is
    busy: who submits sees to it that there are few.
    """

    def __init__(self, connection: socket.socket, process: BaseProcess) -> None:
        connection.setblocking(False)
        self._socket = connection
        self._process = process
        self._loop: asyncio.AbstractEventLoop | None = None
        self._calls: deque[Future[Any]] = deque()
        self._out = bytearray()
        self._in = bytearray()
        self._is_writing = False
        self._end = Finalize(self, connection.close, exitpriority=_BEFORE_PROCESSES_ARE_JOINED)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have the worker call a function.

        Raises:
            BrokenExecutor: the worker has died, or was let go.
        """
        if not self._end.still_active():
            raise BrokenExecutor("the worker is gone")
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._loop.add_reader(self._socket, self._read)
        message = ForkingPickler.dumps((fn, args, kwargs))
        future: Future[T] = Future()
        self._calls.append(future)
        self._out += LENGTH.pack(len(message))
        self._out += message
        if not self._is_writing:
            self._write()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002 - nobody listens
        """Let the worker end once it has done what was sent; calls that it has not answered are cancelled."""
        self._close()
        for call in self._take_calls():
            call.cancel()
        if wait:
            self._process.join()

    def _write(self) -> None:
        try:
            sent = self._socket.send(self._out)
        except BlockingIOError:
            sent = 0
        except OSError:  # its end is heard of in _read, which knows what had been answered before
            self._out.clear()
        else:
            del self._out[:sent]
        self._listen(to_write=bool(self._out))

    def _listen(self, *, to_write: bool) -> None:
        if to_write is self._is_writing or self._loop is None:
            return
        self._is_writing = to_write
        if to_write:
            self._loop.add_writer(self._socket, self._write)
        else:
            self._loop.remove_writer(self._socket)

    def _read(self) -> None:
        try:
            data = self._socket.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._in += data
        try:
            while (message := self._next_message()) is not None:
                self._settle(*ForkingPickler.loads(message))
        except Exception as error:  # noqa: BLE001 - what a worker sends may be anything; then it is of no more use
            self._lose(BrokenExecutor(f"the worker's answer cannot be read: {error!r}"))
        if not data:
            self._lose(BrokenExecutor("the worker has died"))

    def _next_message(self) -> bytes | None:
        if len(self._in) < LENGTH.size:
            return None
        end = LENGTH.size + LENGTH.unpack_from(self._in)[0]
        if len(self._in) < end:
            return None
        message = bytes(memoryview(self._in)[LENGTH.size : end])
        del self._in[:end]
        return message

    def _settle(self, result: Any, error: BaseException | None) -> None:
        call = self._calls.popleft()
        if call.cancelled():
            return
        if error is None:
            call.set_result(result)
        else:
            call.set_exception(error)

    def _lose(self, reason: BrokenExecutor) -> None:
        self._close()
        for call in self._take_calls():
            if not call.cancelled():
                call.set_exception(reason)

    def _take_calls(self) -> list[Future[Any]]:
        calls = list(self._calls)
        self._calls.clear()
        return calls

    def _close(self) -> None:
        if not self._end.still_active():
            return
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._socket)
            self._listen(to_write=False)
        self._end()
