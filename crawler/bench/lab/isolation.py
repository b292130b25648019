"""Running a measurement in an interpreter of its own, so that nothing of an earlier one is left in it."""

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from crawler.bench.children import environment
from crawler.errors import CrawlerError

_PATIENCE_S = 180.0


class LabError(CrawlerError):
    """A measurement that did not work on this machine."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended: its exit code (negative: the signal that ended it) and what it wrote."""

    code: int
    output: str
    errors: str


def isolated(function: Callable[..., Any], /, *, python: str = sys.executable, **arguments: Any) -> Any:
    """Call a function of this package in a fresh interpreter; return what it returned.

    Raises:
        LabError: the child failed; the last line of what it wrote to the standard error says why.
    """
    ended = launch(function, python=python, **arguments)
    if ended.code:
        reason = (ended.errors.strip().splitlines() or ["no message"])[-1]
        raise LabError(f"{_target(function)} {arguments}: exit code {ended.code}: {reason}")
    return json.loads(ended.output.splitlines()[-1])


def launch(function: Callable[..., Any], /, *, python: str = sys.executable, **arguments: Any) -> Ended:
    """Call a function in a fresh interpreter, which may die of it.

    The child leads a process group of its own, which ends with this call, whatever it has started. Orphans of the group
    come to this process and are waited for, so that their CPU time counts as ours and not as that of other programs.

    Raises:
        LabError: it took too long.
    """
    _adopt_orphans(True)
    command = [python, "-m", "crawler.bench.lab.child", _target(function), json.dumps(arguments)]
    with subprocess.Popen(  # noqa: S603 - our own module, no shell
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        start_new_session=True,
    ) as child:
        try:
            output, errors = child.communicate(timeout=_PATIENCE_S)
        except subprocess.TimeoutExpired as error:
            raise LabError(f"{_target(function)} {arguments}: not done after {_PATIENCE_S:g} s") from error
        finally:
            _end_group(child.pid)
            _adopt_orphans(False)
    return Ended(child.returncode, output, errors)


def _adopt_orphans(yes: bool) -> None:
    """Let the kernel give this process the children of children that have died, or no longer (prctl(2), Linux)."""
    pr_set_child_subreaper = 36
    ctypes.CDLL(None).prctl(pr_set_child_subreaper, int(yes))


def _end_group(group: int) -> None:
    """Kill and reap all members of a process group that are ours."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-group, 0)


def _target(function: Callable[..., Any]) -> str:
    return f"{function.__module__}:{function.__qualname__}"
