"""A web in a process of its own: for benchmarks, which must not share an event loop with the server.

The child is ``python -m crawler.bench.site SPEC HOST PORT``. It prints its base URLs as one line of JSON when
it is ready, and ends when its standard input does: a pipe that the kernel closes with the parent, however the
parent ends.
"""

import contextlib
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

import crawler
from crawler.bench.site.audit import AuditReport
from crawler.bench.site.connection import AUDIT, RESET
from crawler.bench.site.spec import SiteSpec
from crawler.bench.site.truth import Truth

_STOP_TIMEOUT = 5.0
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class SiteProcess:
    """Serves a web while the ``with`` block lasts; the same questions as :class:`Site`, asked over HTTP."""

    def __init__(self, spec: SiteSpec, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.spec = spec
        self.base_urls: tuple[str, ...]
        self.truth: Truth
        self._arguments = (spec.to_json().decode(), host, str(port))
        self._process: subprocess.Popen[bytes]

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "crawler.bench.site", *self._arguments]
        self._process = subprocess.Popen(  # noqa: S603 - our own module, no shell
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment()
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._stop()
            raise RuntimeError(f"the synthetic web did not start: exit code {self._process.returncode}")
        self.base_urls = tuple(orjson.loads(line))
        self.truth = Truth(self.spec, self.base_urls)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    @property
    def pid(self) -> int:
        """The process that serves."""
        return self._process.pid

    @property
    def seeds(self) -> tuple[str, ...]:
        """The home page of each host; the first leads to all the others."""
        return self.truth.seeds

    def audit(self) -> AuditReport:
        """What the server saw so far."""
        with _direct.open(self.base_urls[0] + AUDIT) as answer:
            return AuditReport.from_json(answer.read())

    def reset(self) -> None:
        """Start the audit anew, and with it every URL that answers differently the first time."""
        _direct.open(self.base_urls[0] + RESET, data=b"").close()

    def _stop(self) -> None:
        """Ask the child to end by closing its input, and see to it that it does."""
        with self._process as process:
            assert process.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            try:
                process.wait(_STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()


def _environment() -> dict[str, str]:
    """The environment with the place of this very package first on the path."""
    here = str(Path(crawler.__file__).parents[1])
    path = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{here}{os.pathsep}{path}" if path else here}
