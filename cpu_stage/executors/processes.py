"""The CPU stage in worker processes, each with an executor of its own.

Workers are forked by a fork server that has the analyzers' libraries loaded: a new worker costs milliseconds,
shares their memory, and inherits neither the crawler's threads nor its sockets. The server starts without the
user's ``__main__``, so a worker imports ``cpu_stage`` and the analyzers, nothing else.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing import forkserver, get_context, resource_tracker, util
from multiprocessing.heap import Arena
from typing import Any, cast

from cpu_stage import notes, slab
from cpu_stage.executors import Opened, preload
from cpu_stage.executors.pipe import PipeExecutor
from cpu_stage.executors.process import apart, work
from cpu_stage.pulse import SIZE, Pulse
from cpu_stage.worker import Plan

DEPTH = slab.PARTS

# One page is one thread's work: a BLAS that starts a thread per core would only fight its neighbours.
_SINGLE_THREADED = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")

# What a worker imports to become one: the fork server has it by then, and no worker has to load it again.
_OF_EVERY_WORKER = (
    "multiprocessing.popen_forkserver",
    "multiprocessing.sharedctypes",
    "encodings.ascii",
    "cpu_stage.executors.process",
)

_context = get_context("forkserver")
_starting = threading.Lock()


def open_executor(plan: Plan) -> Opened:
    """Start a worker; blocks until the fork server has forked it (it loads libraries first)."""
    _start_tracker()
    pulse = cast("Pulse", _context.RawArray("d", SIZE))
    memory = Arena(slab.SIZE + notes.SIZE)  # what a RawArray is made of; that would also write zeros into all of it
    ours, theirs = socket.socketpair()
    process = _context.Process(target=work, args=(theirs, pulse, memory, plan.nice))
    try:
        with theirs, _starting, _signals_blocked():
            _start_server(plan)
            with _main_hidden():
                process.start()
    except BaseException:
        ours.close()
        raise
    return Opened(PipeExecutor(ours, process), pulse, *apart(memory), process.pid)


def _start_tracker() -> None:
    """Start multiprocessing's resource tracker: where a later step does it, that unblocks the signals.

    From Python 3.14 on it imports ``json``, and must not find one in the current directory.
    """
    with _starting, _environment({"PYTHONSAFEPATH": "1"}):
        resource_tracker.ensure_running()


def _start_server(plan: Plan) -> None:
    """Start the fork server where it does not run; a stage that comes later finds only its own libraries unloaded."""
    _context.set_forkserver_preload([preload.__name__])
    single_threaded = {name: os.environ.get(name, "1") for name in _SINGLE_THREADED}
    with _environment(preload.environment(_OF_EVERY_WORKER, plan, single_threaded)):
        forkserver.ensure_running()


@contextlib.contextmanager
def _environment(changed: Mapping[str, str]) -> Iterator[None]:
    """Start multiprocessing's own processes with these variables.

    This process does not set them for it: the C libraries in its other threads (names, TLS, SQLite) read variables, and
    crash where one is set at that moment. multiprocessing takes none, so it is lent another function to start them by.
    """

    def spawn(path: bytes, args: Sequence[Any], passfds: Sequence[int]) -> int:
        process = subprocess.Popen(  # noqa: S603 - what multiprocessing starts
            args, executable=path, pass_fds=passfds, restore_signals=False, env={**os.environ, **changed}
        )
        process.returncode = 0  # whose end is multiprocessing's business
        return process.pid

    usual = util.spawnv_passfds
    util.spawnv_passfds = spawn
    try:
        yield
    finally:
        util.spawnv_passfds = usual


@contextlib.contextmanager
def _signals_blocked() -> Iterator[None]:
    """Start processes with Ctrl-C and SIGTERM blocked, as workers must not hear them; the mask is the thread's own."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _main_hidden() -> Iterator[None]:
    """Start processes without the parent's ``__main__``: it would be imported again, with all that it imports."""
    main = vars(sys.modules["__main__"])
    names = ("__spec__", "__file__")
    hidden = {name: main[name] for name in names if name in main}
    main.update(dict.fromkeys(names))
    try:
        yield
    finally:
        for name in names:
            del main[name]
        main.update(hidden)
