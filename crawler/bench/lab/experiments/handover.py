"""Handing pages to another process: by pickle, by orjson, through shared memory; and when it pays.

However it travels, the worker ends up with what an analyzer needs: a page whose html is a ``str``.
"""

import multiprocessing
import pickle
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.shared_memory import SharedMemory

import orjson

from cpu_stage.types import Page
from crawler.bench.lab.experiments.burn import burn

CODECS = ("pickle", "orjson", "shared memory")
_DEPTH, _WARM_UP = 2, 3
_STOP = b""


def _pages(kib: int, count: int) -> Iterator[Page]:
    """Make pages of so many KiB of html, with one letter in a hundred outside ASCII.

    Each has a string of its own: pickle keeps what it encoded with the string, and would gain from a second use.
    """
    text = (("word " * 19 + "wörd ") * (kib * 1024 // 100 + 1))[: kib * 1024 - 8]
    for n in range(count):
        yield Page("http://127.0.0.1/page", "text/html", "utf-8", "A page", html=f"{n:8}{text}")


class _Sender:
    """The parent's end of one worker."""

    def __init__(self, codec: str, size: int, units: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, far = context.Pipe()
        self._memory = SharedMemory(create=True, size=size) if codec == "shared memory" else None
        name = self._memory.name if self._memory else None
        self._process = context.Process(target=_work, args=(far, codec, name, units), daemon=True)
        self._process.start()
        far.close()
        self.connection.recv_bytes()
        self.send = {"pickle": self._pickle, "orjson": self._orjson, "shared memory": self._share}[codec]

    def _pickle(self, page: Page) -> None:
        self.connection.send(page)

    def _orjson(self, page: Page) -> None:
        values = {"content_type": page.content_type, "charset": page.charset, "title": page.title, "html": page.html}
        self.connection.send_bytes(orjson.dumps({"url": page.url, **values}))

    def _share(self, page: Page) -> None:
        assert self._memory is not None
        body = page.html.encode()
        _buffer(self._memory)[: len(body)] = body
        self.connection.send((page.url, page.content_type, page.charset, page.title, len(body)))

    def close(self) -> float:
        """End the worker; return the CPU seconds that it spent on its pages."""
        self.connection.send_bytes(_STOP)
        spent: float = self.connection.recv()
        self._process.join()
        self.connection.close()
        if self._memory:
            self._memory.close()
            self._memory.unlink()
        return spent


def _work(connection: Connection, codec: str, name: str | None, units: int) -> None:
    memory = SharedMemory(name) if name else None
    decode: dict[str, Callable[[bytes], Page]] = {
        "pickle": pickle.loads,
        "orjson": lambda data: Page(**orjson.loads(data)),
        "shared memory": lambda data: _from_shared(memory, data),
    }
    connection.send_bytes(b"ready")
    start = time.process_time()
    while (data := connection.recv_bytes()) != _STOP:
        page = decode[codec](data)
        burn(units)
        connection.send_bytes(b"%d" % len(page.html))
    connection.send(time.process_time() - start)
    if memory:
        memory.close()


def _from_shared(memory: SharedMemory | None, data: bytes) -> Page:
    assert memory is not None
    url, kind, charset, title, size = pickle.loads(data)  # noqa: S301 - from our own parent
    return Page(url, kind, charset, title, html=str(_buffer(memory)[:size], "utf-8"))


def _buffer(memory: SharedMemory) -> memoryview:
    assert memory.buf is not None  # it is until the memory is closed
    return memory.buf


def hand_over(codec: str, kib: int, pages: int) -> dict[str, float]:
    """Hand pages to one worker, one at a time.

    Returns:
        CPU microseconds for each page: ``parent_us``, ``worker_us``; and ``wall_us`` until its answer is back.
    """
    sender, made = _Sender(codec, 2 * kib * 1024, 0), list(_pages(kib, pages))
    for page in _pages(kib, _WARM_UP):
        _round_trip(sender, page)
    start, cpu = time.perf_counter(), time.process_time()
    for page in made:
        _round_trip(sender, page)
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    worker = sender.close()
    per_page = {"parent_us": cpu / pages, "worker_us": worker / (pages + _WARM_UP), "wall_us": wall / pages}
    return {name: seconds * 1e6 for name, seconds in per_page.items()}


def _round_trip(sender: _Sender, page: Page) -> None:
    sender.send(page)
    sender.connection.recv_bytes()


def throughput(codec: str, kib: int, units: int, pages: int, workers: int) -> dict[str, float]:
    """Make pages and do ``units`` of work on each, in workers, or here where there are none; return pages a second."""
    senders = [_Sender(codec, 2 * kib * 1024, units) for _ in range(workers)]
    start = time.perf_counter()
    if senders:
        _pump(senders, _pages(kib, pages))
    else:
        for _ in _pages(kib, pages):
            burn(units)
    seconds = time.perf_counter() - start
    for sender in senders:
        sender.close()
    return {"pages_per_second": pages / seconds}


def _pump(senders: Sequence[_Sender], pages: Iterator[Page]) -> None:
    """Keep every worker at one page with the next in its pipe."""
    by_connection = {sender.connection: sender for sender in senders}
    free, running = deque(list(senders) * _DEPTH), 0
    while True:
        while free and (page := next(pages, None)):
            free.popleft().send(page)
            running += 1
        if not running:
            return
        for connection in wait(list(by_connection)):
            assert isinstance(connection, Connection)
            connection.recv_bytes()
            free.append(by_connection[connection])
            running -= 1
