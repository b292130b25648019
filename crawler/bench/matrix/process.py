"""A cell's process, from outside: started, asked for runs, watched while it works, and ended whatever happens."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from types import TracebackType
from typing import Self

from crawler.bench.children import environment
from crawler.bench.matrix.child import UNAVAILABLE
from crawler.bench.matrix.orders import Order, Outcome
from crawler.bench.matrix.sampling import PERIOD_S, Sampler
from crawler.errors import CrawlerError

_STOP_S = 5.0
_CHUNK = 1 << 20


class CellError(CrawlerError):
    """A cell's process failed: one line that says how."""


class UnavailableError(CellError):
    """Its executor cannot run these analyzers."""


class CellProcess:
    """Runs one cell in a process of its own while the ``with`` block lasts."""

    def __init__(self, order: Order, patience: float) -> None:
        self._order = order
        self._patience = patience
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._rest = b""
        self._killed = False

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "crawler.bench.matrix.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment(),
            start_new_session=True,
        )
        self._tell(self._order.to_json())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0 if kind else _STOP_S)
        self._kill()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._errors.close()

    def wait_ready(self) -> None:
        """Wait until it has warmed up.

        Raises:
            CellError: it has not.
        """
        self._answer(None)

    def run(self) -> tuple[Outcome, Sampler]:
        """Have it crawl once; return what it says of the run, and what was seen of its process tree meanwhile.

        Raises:
            CellError: it failed, or took too long; no further run is possible.
        """
        sampler = Sampler(self._process.pid)
        sampler.sample()
        self._tell(b"")
        return Outcome.from_json(self._answer(sampler)), sampler

    def _tell(self, line: bytes) -> None:
        """Write one line."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it is dead: the answer will say so
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()

    def _answer(self, sampler: Sampler | None) -> bytes:
        """Read one line, and sample the tree until it is there."""
        assert self._process.stdout is not None
        source, deadline = self._process.stdout.fileno(), time.monotonic() + self._patience
        while b"\n" not in self._rest:
            if select.select([source], [], [], PERIOD_S)[0]:
                chunk = os.read(source, _CHUNK)
                if not chunk:
                    raise self._ended()
                self._rest += chunk
            elif time.monotonic() > deadline:
                self._kill()
                raise CellError(f"not done after {self._patience:g} s")
            elif sampler:
                sampler.sample()
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def _ended(self) -> CellError:
        """Say how it ended: its last words, and its exit code."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_S)
        self._kill()
        self._errors.seek(0)
        words = self._errors.read().decode(errors="replace").strip().splitlines()
        last, code = words[-1] if words else "no message", self._process.poll()
        return UnavailableError(last) if code == UNAVAILABLE else CellError(f"exit code {code}: {last}")

    def _kill(self) -> None:
        """Kill the whole group, once: the process, if it is there still, and its workers.

        Not again later, when the number may be that of somebody else's group.
        """
        if not self._killed:
            self._killed = True
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
