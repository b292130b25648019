"""A worker process as its parent sees it: kill it, ask whether it lives, stands still, and what it holds."""

import contextlib
import os
import select
import signal
import sys
from pathlib import Path

from cpu_stage.resident import ResidentMemory

_STOPPED = ("T", "t")


class ProcessHandle:
    """Holds a process by a pidfd where the kernel has one: a pid alone may be given to another process."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._memory = ResidentMemory(pid)
        self._fd: int | None = None
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                self._fd = os.pidfd_open(pid)

    def kill(self) -> None:
        """End the process at once, if it is still there."""
        with contextlib.suppress(ProcessLookupError):
            if sys.platform == "linux" and self._fd is not None:
                signal.pidfd_send_signal(self._fd, signal.SIGKILL)
            else:
                os.kill(self.pid, signal.SIGKILL)

    def step_back(self, nice: int) -> None:
        """Lower the process's priority by so many steps of ``nice``."""
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, self.pid, os.getpriority(os.PRIO_PROCESS, self.pid) + nice)

    def alive(self) -> bool:
        """Whether the process has not ended."""
        if self._fd is not None:
            poll = select.poll()
            poll.register(self._fd, select.POLLIN)
            return not poll.poll(0)
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def stopped(self) -> bool:
        """Whether somebody has stopped the process (SIGSTOP, a debugger)."""
        try:
            stat = Path(f"/proc/{self.pid}/stat").read_text("utf-8", "replace")
        except OSError:
            return False
        return stat.rpartition(")")[2].split()[0] in _STOPPED

    def rss(self) -> int:
        """Return its resident memory in bytes; 0 once it has ended, and where that cannot be known."""
        return self._memory.read()

    def close(self) -> None:
        """Let go of the process, which must not be used any more."""
        self._memory.close()
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
