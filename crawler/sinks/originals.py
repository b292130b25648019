"""The texts that a job has seen: a line for every page whose text is near no earlier one's, its SimHash and its URL.

Near duplicates are marked while the crawl runs, and a job that goes on must know the texts of its earlier runs. The
file holds no record: where it was lost or damaged, later pages are compared with fewer, and that is all.
"""

import asyncio
import os
import tempfile
from array import array
from binascii import unhexlify
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from cpu_stage.types import Analysis
from crawler.errors import JobError
from crawler.near_duplicates import NEAR, SimhashIndex
from crawler.sinks.files import write_all
from crawler.types import Record

_ENOUGH_SHINGLES = 32  # of fewer a SimHash says little: then only equal ones count
_USUAL_LINE, _LONGEST_LINE = 1024, 2**20


class OriginalsSink:
    """Finds near duplicates, and keeps what that takes in a file (``path`` None: in one without a name).

    ``analyzer`` is the name under which the fingerprint's values stand in an analysis. Texts take 32 bytes each; their
    URLs are read from the file.
    """

    name = "originals"

    def __init__(self, path: Path | None, analyzer: str) -> None:
        self._path = path
        self._analyzer = analyzer
        self._file: BinaryIO
        self._index = SimhashIndex()
        self._offsets = array("Q")
        self._unwritten: dict[str, int] = {}
        self._recent: dict[int, str] = {}

    async def open(self, position: int | None) -> int:
        """Open the file, cut it back to ``position`` and read it. Returns where it ends.

        Raises:
            JobError: it cannot be written.
        """
        try:
            return await asyncio.to_thread(self._open, position or 0)
        except OSError as error:
            raise self._cannot_write(error) from error

    def original_of(self, url: str, analysis: Analysis) -> str | None:
        """Return the earlier page that says nearly the same; None: there is none, so this one is an original now."""
        values = analysis.values.get(self._analyzer, {})
        simhash, shingles = values.get("simhash"), values.get("shingles")
        if not isinstance(simhash, str) or not isinstance(shingles, int):
            return None
        found = self._index.find(int(simhash, 16), NEAR if shingles >= _ENOUGH_SHINGLES else 0)
        if found is not None:
            return self._recent.get(found) or self._read_url(self._offsets[found])
        number = self._index.add(int(simhash, 16))
        self._offsets.append(0)
        self._unwritten[url], self._recent[number] = number, url
        return None

    async def write(self, records: Sequence[Record]) -> int:
        """Append the originals among the records; return where the file ends."""
        urls = [record.request.url for record in records if record.request.url in self._unwritten]
        numbers = [self._unwritten.pop(url) for url in urls]
        lines = [f"{self._index[n]:016x} {url}\n".encode() for n, url in zip(numbers, urls, strict=True)]
        try:
            end = await asyncio.to_thread(self._append, b"".join(lines))
        except OSError as error:
            raise self._cannot_write(error) from error
        for number, line in zip(reversed(numbers), reversed(lines), strict=True):
            end -= len(line)
            self._offsets[number] = end
            del self._recent[number]
        return end + sum(map(len, lines))

    async def aclose(self) -> None:
        """Close the file."""
        self._file.close()

    def _open(self, position: int) -> int:
        if self._path is None:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed by aclose()
            return 0
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(fd, "r+b", buffering=0)
        end = 0
        with os.fdopen(os.dup(fd), "rb") as lines:
            for line in iter(lambda: lines.readline(_LONGEST_LINE), b""):
                if end + len(line) > position or not self._take(line, end):
                    break
                end += len(line)
        self._file.truncate(end)
        return self._file.seek(end)

    def _take(self, line: bytes, offset: int) -> bool:
        """Add a line of the file; return False where it is none of ours."""
        try:
            simhash = unhexlify(line[:16])
        except ValueError:
            return False
        if len(simhash) != 8 or line[16:17] != b" " or not line.endswith(b"\n"):
            return False
        self._index.add(int.from_bytes(simhash))
        self._offsets.append(offset)
        return True

    def _append(self, data: bytes) -> int:
        write_all(self._file, data)
        return self._file.tell()

    def _read_url(self, offset: int) -> str | None:
        """Return the URL in the line at ``offset``; None where somebody has changed the file."""
        for size in (_USUAL_LINE, _LONGEST_LINE):
            line, end, _ = os.pread(self._file.fileno(), size, offset).partition(b"\n")
            if end:
                return line[17:].decode("utf-8", "replace")
        return None

    def _cannot_write(self, error: OSError) -> JobError:
        return JobError(f"{self._path or 'a temporary file'}: cannot be written: {error.strerror}")
