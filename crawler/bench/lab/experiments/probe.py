"""What the kernel says of a process and its threads (Linux: ``/proc``)."""

import os
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self


def memory(pid: int) -> int:
    """Return the proportional set size in bytes: resident pages, those shared with others divided among them."""
    return _kib(Path(f"/proc/{pid}/smaps_rollup"), "Pss")


def tree_memory() -> int:
    """Return the memory of this process and all its descendants, every page counted once."""
    return sum(memory(pid) for pid in _tree(os.getpid()))


def reserved() -> int:
    """Return the size of this process's address space in bytes, most of which no memory stands behind."""
    return _kib(Path("/proc/self/status"), "VmSize")


def resident() -> int:
    """Return the resident memory of this process in bytes."""
    return _kib(Path("/proc/self/status"), "VmRSS")


def peak() -> int:
    """Return the largest resident memory that this process ever had, in bytes."""
    return _kib(Path("/proc/self/status"), "VmHWM")


def tasks() -> list[int]:
    """Return the ids of the kernel's tasks that make up this process: the things that the kernel schedules."""
    return [int(path.name) for path in Path("/proc/self/task").iterdir()]


def switches() -> int:
    """Return how often the kernel took this process's threads off a core, by their will or not."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_nvcsw + usage.ru_nivcsw


class CoreClock:
    """Counts the seconds in which the thread that made it had a core, or was ready for one and had to wait.

    Waiting for the GIL, a lock or a socket does not count; waiting because other programs are busy does. So it says
    how many cores a program would keep busy, also on a machine that is not quiet. The second number of the kernel's
    ``schedstat`` is the time spent on a run queue.
    """

    def __init__(self) -> None:
        self._schedstat = os.open("/proc/thread-self/schedstat", os.O_RDONLY)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._schedstat)

    def seconds(self) -> float:
        """Return the time so far. Only the thread that made the clock may ask."""
        return time.thread_time() + int(os.pread(self._schedstat, 64, 0).split()[1]) / 1e9


def allow_many_files() -> int:
    """Raise the limit of open files as far as the system lets us; return it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def _kib(path: Path, field: str) -> int:
    for line in path.read_text(encoding="ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"{path} has no {field}")


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text(encoding="ascii").split():
            yield from _tree(int(child))
