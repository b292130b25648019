"""JSON Lines: one record a line, UTF-8, appended."""

import asyncio
import os
import stat
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import orjson

from crawler.display import harmless_json
from crawler.errors import JobError
from crawler.records import as_json
from crawler.sinks.files import write_all
from crawler.types import Record

_TURN_S = 0.0005


async def encode(records: Sequence[Record]) -> bytes:
    """Return the records as lines. The loop makes them, half a millisecond at a time.

    A thread would have to win the interpreter's lock from the loop again and again, and the loop to win it back; that
    took longer than the work itself.
    """
    lines, until = [], time.perf_counter() + _TURN_S
    for record in records:
        lines.append(harmless_json(orjson.dumps(as_json(record), option=orjson.OPT_APPEND_NEWLINE)))
        if time.perf_counter() >= until:
            await asyncio.sleep(0)
            until = time.perf_counter() + _TURN_S
    return b"".join(lines)


class JsonlSink:
    """Appends records to a file.

    Each write reaches the disk (fdatasync) before its position is reported, so that the frontier never holds a
    position beyond what the file holds, not even after a power cut. Writing happens in a thread of the sink's own.
    """

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self._path = path
        self._thread = ThreadPoolExecutor(1, f"sink-{name}")
        self._file: BinaryIO | None = None

    async def open(self, position: int | None) -> int:
        """Open the file and cut it back to ``position``; None appends to what is there. Returns the file's size.

        Raises:
            JobError: the file cannot be written, or is shorter than ``position`` (records were lost).
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._open, position)

    async def write(self, records: Sequence[Record]) -> int:
        """Append the records; return the file's size."""
        lines = await encode(records)
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._write, lines)

    async def aclose(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()
        self._thread.shutdown()

    def _open(self, position: int | None) -> int:
        try:
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise JobError(f"{self._path}: cannot be written: {error.strerror}") from error
        self._file = os.fdopen(fd, "wb", buffering=0)
        size = self._file.seek(0, os.SEEK_END)
        if position is None:
            return size
        if size < position:
            self._file.close()
            raise JobError(
                f"{self._path}: has {size:,} bytes where the job wrote {position:,}: records at its end were"
                " lost; put the file back, or start over with --fresh"
            )
        self._file.truncate(position)
        return self._file.seek(position)

    def _write(self, lines: bytes) -> int:
        assert self._file is not None
        try:
            self._check()
            write_all(self._file, lines)
            os.fdatasync(self._file.fileno())
        except OSError as error:
            raise JobError(f"{self._path}: cannot be written: {error.strerror}") from error
        return self._file.tell()

    def _check(self) -> None:
        """Check that the file is still there, and as long as we left it.

        Raises:
            JobError: somebody deleted, replaced or cut it; what is written from now on would be lost with it.
        """
        assert self._file is not None
        found, ours = os.fstat(self._file.fileno()), self._file.tell()
        try:
            there = os.path.samestat(self._path.stat(), found)
        except FileNotFoundError:
            there = False
        if stat.S_ISREG(found.st_mode) and not (there and found.st_size == ours):
            is_now = f"has {found.st_size:,} bytes" if there else "is gone"
            raise JobError(
                f"{self._path}: {is_now} where the job wrote {ours:,}: another program changed it; put the file back,"
                " or start over with --fresh"
            )


class StdoutSink:
    """Streams records to standard output. What was written cannot be taken back, so it holds no position.

    After a kill the records of the last, uncommitted moment are written again by the next run.
    """

    name = "stdout"

    def __init__(self) -> None:
        self._written = 0

    async def open(self, position: int | None) -> int:
        """Nothing to open."""
        self._written = position or 0
        return self._written

    async def write(self, records: Sequence[Record]) -> int:
        """Write and flush, in a thread: a slow reader must not stall the loop."""
        await asyncio.to_thread(self._write, await encode(records))
        self._written += len(records)
        return self._written

    async def aclose(self) -> None:
        """Standard output stays open."""

    def _write(self, data: bytes) -> None:
        try:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        except OSError as error:
            raise JobError(f"standard output: cannot be written: {error.strerror}") from error
