"""What the kernel says of a process and its threads (Linux: ``/proc``)."""

import os
import resource
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Stretch:
    """What became of a stretch of time of one thread, in seconds.

    ``core``: it had a core. ``ready``: it was ready for one that others held (the time on a run queue). The rest of
    ``wall`` it was blocked: on the GIL, a lock, a socket, a timer.
    """

    wall: float
    core: float
    ready: float

    @property
    def wanted(self) -> float:
        """The most for which the thread could have kept a core busy, were nobody else on the machine.

        It is more than what it would have: one that waits for the GIL wakes again and again to ask for it, and on a
        busy machine each time waits for a core to do so.
        """
        return self.core + self.ready


class CoreClock:
    """Measures stretches of the thread that makes it, by the kernel's ``schedstat``; no other thread may ask it."""

    def __init__(self) -> None:
        self._schedstat = os.open("/proc/thread-self/schedstat", os.O_RDONLY)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._schedstat)

    def measure(self, call: Callable[[], object]) -> Stretch:
        """Call something; return how the time went.

        Reading ``schedstat`` gives up the GIL, so it is the last thing read on either side: what the thread then waits
        for the GIL falls into the stretch by all three clocks, or by none.
        """
        wall, core, ready = time.perf_counter(), time.thread_time(), self._ready()
        call()
        wall, core = time.perf_counter() - wall, time.thread_time() - core
        return Stretch(wall, core, self._ready() - ready)

    def _ready(self) -> float:
        return int(os.pread(self._schedstat, 64, 0).split()[1]) / 1e9


def at_once(stretches: Iterable[Stretch], seconds: float) -> dict[str, float]:
    """Add up the stretches of workers that ran together for so many seconds.

    Returns:
        ``seconds``; the cores that they ``used`` at the same time; and those ``wanted``, used or ready for. How
        parallel they are lies between the two, which on a quiet machine are the same.
    """
    all_ = list(stretches)
    used, wanted = sum(each.core for each in all_), sum(each.wanted for each in all_)
    return {"seconds": seconds, "used": used / seconds, "wanted": wanted / seconds}


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
