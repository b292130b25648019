"""The job directory: everything a crawl keeps, locked while it runs.

::

    JOB/ job.db  pages.jsonl  config.yaml  crawl.log  stats.json  report.html  lock
"""

import fcntl
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Self
from urllib.parse import urlsplit

import orjson

from crawler.errors import JobError

LEDGER = "job.db"
ORIGINALS = "originals.txt"
CONFIG = "config.yaml"
STATS = "stats.json"
LOG = "crawl.log"
PAGES = "pages.jsonl"
REPORT = "report.html"
_LOCK = "lock"


class Job:
    """An open job directory, ours alone until :meth:`close`."""

    def __init__(self, path: Path, lock: int, *, resumed: bool) -> None:
        self.path = path
        self.resumed = resumed
        self._lock = lock

    @classmethod
    def open(cls, path: Path) -> "Job":
        """Open or create the directory and lock it.

        Raises:
            JobError: it is not a job's, cannot be written, or a running crawl holds it; nothing was touched.
        """
        check(path)
        resumed = (path / LEDGER).exists()
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise JobError(f"{path}: the job directory cannot be written: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(lock, 32, 0).decode(errors="replace").strip()
            os.close(lock)
            raise JobError(f"{path}: a running crawl (process {holder or 'unknown'}) holds this job") from error
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        return cls(path, lock, resumed=resumed)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the lock back."""
        os.close(self._lock)

    def write(self, name: str, text: str) -> None:
        """Replace one of the job's files atomically: readers see the old or the new one, whole."""
        write_atomically(self.path / name, text.encode())

    def write_stats(self, stats: Mapping[str, Any]) -> None:
        """Replace ``stats.json``."""
        write_atomically(self.path / STATS, orjson.dumps(stats, option=orjson.OPT_INDENT_2) + b"\n")


def check(path: Path) -> None:
    """Refuse a path that is a file, or a directory with things in it that are not a job's, or that lead out of it.

    Raises:
        JobError: says what is there.
    """
    if path.exists() and not path.is_dir():
        raise JobError(f"{path}: is a file; a job needs a directory")
    if not path.is_dir():
        return
    try:
        entries = list(path.iterdir())
        names = {entry.name for entry in entries}
    except OSError as error:
        raise JobError(f"{path}: the job directory cannot be read: {error.strerror}") from error
    if LEDGER not in names and names - {_LOCK, CONFIG, LOG}:
        raise JobError(f"{path}: has files in it but no {LEDGER}: not a job; name a new or empty directory")
    link = next((entry for entry in entries if entry.is_symlink()), None)
    if link is not None:  # what is written to it would be written elsewhere
        raise JobError(f"{link}: is a symbolic link; a job's files are its own (the directory itself may be a link)")


def default_path(seed: str) -> Path:
    """Return the directory of a crawl that names none: after the seed's host, so the same command goes on."""
    parts = urlsplit(seed)
    host = re.sub(r"[^a-z0-9.-]", "-", (parts.netloc.rpartition("@")[2] or seed).lower())
    return Path("jobs") / (host.strip(".-") or "crawl")


def set_aside(path: Path) -> Path | None:
    """Move an existing job out of the way (``--fresh``); return where it is now, None where there was none."""
    if not (path / LEDGER).exists():
        return None
    with Job.open(path):
        stem = f"{path.name}.{datetime.now().strftime('%Y%m%d-%H%M%S')}"
        for n in range(1_000):
            target = path.with_name(stem + (f"-{n}" if n else ""))
            if not target.exists():
                path.rename(target)
                return target
    raise JobError(f"{path}: no free name to move the old job to")


def is_locked(path: Path) -> bool:
    """Whether a running crawl holds the job."""
    try:
        with (path / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def read_stats(path: Path) -> dict[str, Any] | None:
    """Read a job's ``stats.json``; None where there is none or it is damaged (it is only a report)."""
    try:
        stats = json.loads((path / STATS).read_bytes())
    except (OSError, ValueError):
        return None
    return stats if isinstance(stats, dict) else None


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file beside its place and rename it there.

    Raises:
        JobError: the disk is full, or the directory cannot be written; the old file stays.
    """
    try:
        with replacing(path) as file:
            file.write(data)
    except OSError as error:
        raise JobError(f"{path}: cannot be written: {error.strerror}") from error


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of ``path`` at the end of the block, or is gone after an error in it."""
    fd, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(fd, "wb") as file:
            yield file
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
