"""What tests ask about processes: which ones descend from another, and whether they are gone."""

import asyncio
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

DEADLINE_S = 30.0


def _parents() -> dict[int, int]:
    """Return pid → parent's pid of every process that has not ended."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                state, parent = (folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[:2]
            except OSError:
                continue
            if state not in ("Z", "X"):
                found[int(folder.name)] = int(parent)
    return found


def descendants(pid: int) -> set[int]:
    """Return all processes below one, the fork server's workers included."""
    parents, below = _parents(), {pid}
    while more := {child for child, parent in parents.items() if parent in below} - below:
        below |= more
    return below - {pid}


def alive(pids: Iterable[int]) -> set[int]:
    """Return those of the processes that have not ended."""
    return set(pids) & set(_parents())


def command(pid: int) -> str:
    """Return a process' command line; '' where it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace").replace("\0", " ")
    except OSError:
        return ""


def has_loaded(pid: int, library: str) -> bool:
    """Whether a process has a shared library in its memory."""
    return library in Path(f"/proc/{pid}/maps").read_text("utf-8")


def fork_servers() -> set[int]:
    """Return the fork servers of this process (its workers have the same command line)."""
    parents = _parents()
    return {pid for pid in descendants(os.getpid()) if parents.get(pid) == os.getpid() and "forkserver" in command(pid)}


def wait_until(condition: Callable[[], object], deadline_s: float = DEADLINE_S) -> None:
    """Look again and again until the condition holds; an AssertionError says that it never did."""
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, "the deadline has passed"
        time.sleep(0.01)


async def until(condition: Callable[[], object], deadline_s: float = DEADLINE_S) -> None:
    """:func:`wait_until` for the event loop."""
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, "the deadline has passed"
        await asyncio.sleep(0.01)
