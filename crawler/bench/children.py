"""Programs of ours beside a measurement: where they find this package, and servers that live as long as a block."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

import crawler
from crawler.errors import CrawlerError

_STOP_S = 5.0


class ServerError(CrawlerError):
    """A server of ours did not start."""


@dataclass(frozen=True, slots=True)
class Serving:
    """A server that is up: the line of JSON that it said, and its process."""

    said: Any
    pid: int


@contextlib.contextmanager
def server(name: str, module: str, *arguments: str) -> Iterator[Serving]:
    """Run ``python -m MODULE ARGUMENTS``, which says one line of JSON when it serves.

    It is to end when its standard input does: a pipe that the kernel closes with this process, however that ends.

    Raises:
        ServerError: it ended before it served.
    """
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(  # noqa: S603 - our own module, no shell
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                raise ServerError(f"{name} did not start: exit code {process.wait()}")
            yield Serving(orjson.loads(line), process.pid)
        finally:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()


def environment() -> dict[str, str]:
    """Return the environment with the place of this very package first on the path."""
    here = str(Path(crawler.__file__).parents[1])
    path = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{here}{os.pathsep}{path}" if path else here}
