"""What runs in a worker: one fixed, pure work, and the far end of every way to bring pages there.

A worker imports this and the CPU stage, nothing else of the crawler.
"""

import os
import pickle
import time
from collections.abc import Iterable, Sequence
from multiprocessing.shared_memory import SharedMemory

from cpu_stage.types import Json, Needs, Page

CLOCK = "clock"
"""The title of a page that asks a worker of the stage for its CPU time."""

Row = tuple[str, str, str, str | None]
"""A page but for its text: URL, content type, charset, title."""

_segments: dict[str, SharedMemory] = {}
_pipes: dict[str, int] = {}


def words(text: str) -> int:
    """Count words: the work. It reads the text from end to end, in about a nanosecond a byte, and keeps nothing."""
    return text.count(" ") + 1


def analyze(page: Page) -> dict[str, Json]:
    """Do the work as an analyzer of the stage."""
    if page.title == CLOCK:
        return {"cpu_s": time.process_time()}
    return {"words": words(page.text)}


analyze.needs = Needs.TEXT  # type: ignore[attr-defined]  # how an analyzer says what it needs


def one(page: Page) -> int:
    """Do the work on one page that was pickled."""
    return words(page.text)


def several(pages: Iterable[Page]) -> list[int]:
    """Do the work on pages one after the other: of pages that are made meanwhile, none is kept."""
    return [words(page.text) for page in pages]


def out_of_band(pipe: str, index: bytes, sizes: Sequence[int]) -> list[int]:
    """Do the work on pages whose texts come by a named pipe, as buffers of pickle protocol 5 (PEP 574)."""
    if pipe not in _pipes:
        _pipes[pipe] = os.open(pipe, os.O_RDONLY)
    buffers = [_receive(_pipes[pipe], size) for size in sizes]
    rows: list[tuple[Row, bytearray]] = pickle.loads(index, buffers=buffers)  # noqa: S301 - our own parent sends it
    return several(Page(*row, str(data, "utf-8")) for row, data in rows)


def _receive(pipe: int, size: int) -> bytearray:
    data = bytearray(size)
    rest = memoryview(data)
    while rest:
        rest = rest[os.readv(pipe, [rest]) :]
    return data


def shared(segment: str, index: Sequence[tuple[Row, int, int]]) -> list[int]:
    """Do the work on pages whose texts lie in shared memory; the index says where each begins and ends."""
    if segment not in _segments:
        _segments[segment] = SharedMemory(segment)
    memory = _segments[segment].buf
    assert memory is not None, "it is open"
    return several(Page(*row, str(memory[start:end], "utf-8")) for row, start, end in index)
