"""What a process and all its descendants use, from the kernel's own counters (Linux: ``/proc``)."""

import contextlib
import os
import resource
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

_PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")
_SWITCHES = ("voluntary_ctxt_switches", "nonvoluntary_ctxt_switches")


def descendants(pid: int) -> Iterator[int]:
    """Yield the processes below one, itself not included; those that end meanwhile are left out."""
    for child in _children(pid):
        yield child
        yield from descendants(child)


def _children(pid: int) -> list[int]:
    """Return a process's children: the kernel keeps them by the thread that started them."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # a thread that has ended; its children are another one's now
            found += map(int, _read(task).split())
    return found


class Stat(NamedTuple):
    """One process: CPU seconds in user and in kernel mode, ended children included; its threads; resident bytes."""

    user_s: float
    system_s: float
    threads: int
    rss: int


_GONE = Stat(0.0, 0.0, 0, 0)


def stat(pid: int) -> Stat:
    """Read ``/proc/PID/stat`` (proc_pid_stat(5)); all zero where the process is gone."""
    try:
        fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    except OSError:
        return _GONE
    user, system, children_user, children_system = map(int, fields[11:15])
    return Stat(
        (user + children_user) / _TICKS,
        (system + children_system) / _TICKS,
        int(fields[17]),
        int(fields[21]) * _PAGE_SIZE,
    )


@dataclass(frozen=True, slots=True)
class Use:
    """What was used: seconds in user and in kernel mode, and the times that the kernel took a core away or gave it."""

    user_s: float
    system_s: float
    switches: int

    def since(self, before: "Use") -> "Use":
        """Return what was used since then."""
        return Use(self.user_s - before.user_s, self.system_s - before.system_s, self.switches - before.switches)


def use() -> Use:
    """Return what this process and all its descendants have used until now; to 10 ms for the latter."""
    own = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    pids = list(descendants(os.getpid()))
    others = [stat(pid) for pid in pids]
    return Use(
        sum(each.ru_utime for each in own) + sum(each.user_s for each in others),
        sum(each.ru_stime for each in own) + sum(each.system_s for each in others),
        sum(each.ru_nvcsw + each.ru_nivcsw for each in own) + sum(map(_switches, pids)),
    )


def _switches(pid: int) -> int:
    """Count the switches of a process's threads; those of threads that have ended are lost."""
    total = 0
    for task in Path(f"/proc/{pid}/task").glob("*/status"):
        try:
            fields = dict(line.split(":", 1) for line in task.read_text(encoding="utf-8").splitlines())
        except OSError:
            continue
        total += sum(int(fields[name]) for name in _SWITCHES)
    return total


def memory(pids: Iterable[int]) -> int | None:
    """Return the bytes that processes take together, every page that they share counted once; None: not known.

    That is the sum of their proportional set sizes.
    """
    try:
        return sum(_pss(pid) for pid in pids)
    except OSError:
        return None


def _pss(pid: int) -> int:
    lines = _read(f"/proc/{pid}/smaps_rollup").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024


def _read(path: str | Path) -> str:
    return Path(path).read_text(encoding="utf-8")
