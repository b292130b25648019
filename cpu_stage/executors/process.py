"""A worker process: it must harm neither the crawler nor the machine, and answers calls until nobody calls any more."""

import contextlib
import fcntl
import io
import os
import resource
import signal
import socket
import struct
import sys
import threading
from multiprocessing import connection, parent_process
from multiprocessing.heap import Arena
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

from cpu_stage import slab
from cpu_stage.pulse import Pulse
from cpu_stage.worker import attach

LENGTH = struct.Struct("!Q")
"""What stands before each message: its length in bytes. A call is ``(function, args, kwargs)``, pickled; its answer is
``(result, None)`` or ``(None, exception)``."""

_OOM_SCORE = "500"


def work(calls: socket.socket, pulse: Pulse, memory: Arena, nice: int) -> None:
    """Be a worker, until the other side closes the socket of its calls."""
    _settle_in(pulse, memory, nice)
    calls.set_inheritable(False)  # a program that an analyzer starts must not keep it open when the worker is dead
    with calls, calls.makefile("rb") as messages, contextlib.suppress(ConnectionError):
        while head := messages.read(LENGTH.size):
            answer = _answer(messages.read(*LENGTH.unpack(head)))
            calls.sendall(LENGTH.pack(len(answer)) + answer)


def _answer(call: bytes) -> bytes:
    try:
        function, args, kwargs = ForkingPickler.loads(call)
        return bytes(ForkingPickler.dumps((function(*args, **kwargs), None)))
    except BaseException as error:  # noqa: BLE001 - the caller is to hear of it, whatever it is
        return bytes(ForkingPickler.dumps((None, error)))


def _settle_in(pulse: Pulse, memory: Arena, nice: int) -> None:
    """Prepare this process to be a worker."""
    _leave_signals_to_parent()
    _die_with_parent()
    _be_modest(nice)
    attach(pulse, *apart(memory))


def apart(memory: Arena) -> tuple[memoryview, memoryview]:
    """Return the slab and the notes, which lie in one memory."""
    view = memoryview(memory.buffer)
    return view[: slab.SIZE], view[slab.SIZE :]


def _leave_signals_to_parent() -> None:
    """Ignore what is sent to the whole process group: Ctrl-C, and the SIGTERM of a service manager.

    The crawler then finishes the pages in flight, and needs its workers for that. Both signals were blocked until
    here (by the fork server's start), so that no moment is left in which they would end a worker.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: None)  # unlike SIG_IGN not inherited by what an analyzer starts
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})


def _die_with_parent() -> None:
    """End this process when the crawler does, however that ends (SIGKILL included).

    The crawler holds the other end of the sentinel, a pipe. A thread waits for its end; a thread, however, does not
    run while C code holds the GIL (a regular expression can for hours), so on Linux the kernel kills, too: it sends
    the signal of the pipe's owner when the pipe ends.
    """
    parent = parent_process()
    if parent is None:
        return
    sentinel = parent.sentinel
    if sys.platform == "linux":
        fcntl.fcntl(sentinel, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(sentinel, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(sentinel, fcntl.F_SETFL, fcntl.fcntl(sentinel, fcntl.F_GETFL) | os.O_ASYNC)

    def watch() -> None:
        connection.wait([sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def _be_modest(nice: int) -> None:
    """Step back: behind the event loop for the CPU, before the crawler where the kernel runs out of memory.

    What analyzers print goes to stderr, since records may go to stdout; a crash leaves no core file behind.
    """
    with contextlib.suppress(OSError):
        os.nice(nice)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE, encoding="ascii")
    with contextlib.suppress(OSError):
        os.dup2(2, 1)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
