"""What a worker has found out of the page that it is at, for the stage to read should the worker not live to tell.

A page that takes a worker along has been through some analyzers by then. Their values need not be made again.
"""

import json
import struct
import time
from collections.abc import Mapping
from itertools import islice

from cpu_stage.slab import SharedMemory
from cpu_stage.types import Json

SIZE = 256 * 2**10
"""Bytes; values that do not fit are made again."""

_WORTH_S = 0.002
_HEADER = struct.Struct("<dI")  # the page's position (pulse), and how many bytes of values there are


class Notes:
    """A worker's notes, as either side sees them; without memory there are none."""

    def __init__(self, memory: SharedMemory = b"") -> None:
        self._memory = memoryview(memory).cast("B")
        self._page = 0.0
        self._worth = 0.0
        self._values = 0
        self._bytes = 0

    def begin(self, page: float) -> None:
        """Begin the page at this position; what is there of an earlier one is nobody's."""
        self._page, self._values, self._bytes = page, 0, 0
        self._worth = time.perf_counter() + _WORTH_S

    def keep(self, values: Mapping[str, Mapping[str, Json]]) -> None:
        """Write down what is new among a page's values, where it took some time to make."""
        if len(values) == self._values or not self._memory or time.perf_counter() < self._worth:
            return
        new = dict(islice(values.items(), self._values, None))
        line = json.dumps(new, ensure_ascii=False).encode() + b"\n"
        start = _HEADER.size + self._bytes
        if start + len(line) <= len(self._memory):
            self._memory[start : start + len(line)] = line
            self._values, self._bytes = len(values), self._bytes + len(line)
            _HEADER.pack_into(self._memory, 0, self._page, self._bytes)

    def read(self, page: float) -> dict[str, Mapping[str, Json]]:
        """Return the values of the page at this position; none where the worker has left something else behind."""
        if not self._memory:
            return {}
        found, size = _HEADER.unpack_from(self._memory)
        values: dict[str, Mapping[str, Json]] = {}
        try:
            for line in bytes(self._memory[_HEADER.size : _HEADER.size + size]).splitlines() if found == page else ():
                values.update(json.loads(line))
        except (ValueError, RecursionError):  # it wrote all over its memory before it died
            return {}
        return values
