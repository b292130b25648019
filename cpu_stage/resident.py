"""Reading the resident memory of a process: cheap enough for once a page."""

import contextlib
import os

_PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")


class ResidentMemory:
    """The resident memory of a process, of the calling one by default; 0 where the system has no ``/proc``."""

    def __init__(self, pid: int | None = None) -> None:
        self._fd: int | None = None
        with contextlib.suppress(OSError):
            self._fd = os.open(f"/proc/{pid or os.getpid()}/statm", os.O_RDONLY)

    def read(self) -> int:
        """Return bytes; 0 for a process that has ended."""
        if self._fd is None:
            return 0
        try:
            return int(os.pread(self._fd, 64, 0).split()[1]) * _PAGE_SIZE
        except (OSError, IndexError):
            return 0

    def close(self) -> None:
        """Give the file back."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
