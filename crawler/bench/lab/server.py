"""The delay server as a process of its own, for as long as a ``with`` block lasts."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator

from crawler.bench.lab.isolation import LabError, environment

_STOP_S = 5.0


@contextlib.contextmanager
def delay_server(delay: float) -> Iterator[list[int]]:
    """Serve answers after ``delay`` seconds on 127.0.0.1; yields the ports.

    Raises:
        LabError: it did not start.
    """
    command = [sys.executable, "-m", "crawler.bench.lab.experiments.delay_server", str(delay)]
    with subprocess.Popen(  # noqa: S603 - our own module, no shell
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            line = server.stdout.readline()
            if not line:
                raise LabError("the delay server did not start")
            yield json.loads(line)
        finally:
            server.stdin.close()
            try:
                server.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                server.kill()
