"""Memory that the stage shares with a worker process: long texts go to the worker through it.

A text that is pickled into a pipe is copied again and again, into buffers that the system maps anew for every batch.
Here the stage writes it once, and the worker reads it when it comes to that page.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import mmap

SharedMemory: TypeAlias = "mmap.mmap | memoryview | bytearray | bytes"

PARTS = 2
"""As many as the batches that a worker holds at most; a batch has the part of its number."""

SIZE = PARTS * 2 * 2**20
"""Bytes. A full batch of ASCII fits into a part, and so do most large pages."""

Place: TypeAlias = tuple[int, int]
"""Where a text begins in its part, and its bytes."""


@dataclass(slots=True)
class Part:
    """The room of one batch; a part of no memory has none."""

    memory: memoryview
    used: int = 0

    def put(self, text: str | bytes) -> Place | None:
        """Write a text; None where there is no room left for it."""
        if len(text) > len(self.memory) - self.used:
            return None
        data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        start, end = self.used, self.used + len(data)
        if end > len(self.memory):
            return None
        self.memory[start:end] = data
        self.used = end
        return start, len(data)

    def get(self, place: Place) -> memoryview:
        """Return a text's bytes, which are the part's own: they have to be copied before the batch is over."""
        start, size = place
        return self.memory[start : start + size]


class Slab:
    """A worker's memory, as either side sees it."""

    def __init__(self, memory: SharedMemory = b"") -> None:
        self._memory = memoryview(memory).cast("B")
        self._size = len(self._memory) // PARTS

    def part(self, batch: int) -> Part:
        """Return the part of the batch with this number, as if nothing were in it."""
        start = batch % PARTS * self._size
        return Part(self._memory[start : start + self._size])
