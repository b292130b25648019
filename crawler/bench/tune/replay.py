"""The sampled pages, served back by this machine: ``python -m crawler.bench.tune.replay FILE``.

The file has a line of JSON for each page: path, seconds, name of the file of its body, whether it is compressed. There
are two ports: on the first a page comes after its seconds, on the second at once. Every page is there under any number
of prefixes, ``/~0/`` and on, each of which is a copy of the site.
"""

import asyncio
import contextlib
import functools
import gzip
import itertools
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import orjson
import uvloop

from crawler.bench.children import server
from crawler.bench.tune.sample import Sampled

_COPY = re.compile(r"/~\d+")
_NOT_FOUND = (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 0.0)
_BACKLOG = 4096
_STDIN = 0


@dataclass(frozen=True, slots=True)
class Replay:
    """A site's copy that is being served: the base URLs, and the process."""

    waiting: str
    at_once: str
    pid: int


@contextlib.contextmanager
def replayed(pages: Sequence[Sampled]) -> Iterator[Replay]:
    """Serve the pages while the block lasts.

    Raises:
        ServerError: the server did not start.
    """
    with tempfile.TemporaryDirectory() as name:
        index = Path(name) / "index"
        lines = []
        for number, page in enumerate(pages):
            (Path(name) / str(number)).write_bytes(page.body)
            lines.append(orjson.dumps([page.path, page.latency_s, str(number), page.compressed]))
        index.write_bytes(b"\n".join(lines))
        with server("the replay", "crawler.bench.tune.replay", str(index)) as serving:
            waiting, at_once = serving.said
            yield Replay(waiting, at_once, serving.pid)


def urls(base: str, pages: Sequence[Sampled], count: int) -> list[str]:
    """Return so many URLs: every page of a copy, then those of the next."""
    copies = ((copy, page) for copy in itertools.count() for page in pages)
    return [f"{base}/~{copy}{page.path}" for copy, page in itertools.islice(copies, count)]


class _Connection(asyncio.Protocol):
    """Answers one request after the other."""

    def __init__(self, answers: Mapping[str, tuple[bytes, float]], *, waits: bool) -> None:
        self._answers = answers
        self._waits = waits
        self._loop = asyncio.get_running_loop()
        self._buffer = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if b"\r\n\r\n" not in self._buffer:
            return
        target = self._buffer.split(b" ", 2)[1].decode("latin-1")
        self._buffer = b""
        answer, seconds = self._answers.get(_COPY.sub("", target, count=1), _NOT_FOUND)
        if self._waits and seconds:
            self._loop.call_later(seconds, self._transport.write, answer)
        else:
            self._transport.write(answer)


def _answers(index: Path) -> dict[str, tuple[bytes, float]]:
    lines = map(orjson.loads, index.read_bytes().splitlines())
    return {path: (_response((index.parent / name).read_bytes(), small), after) for path, after, name, small in lines}


def _response(body: bytes, compressed: bool) -> bytes:
    coding = ""
    if compressed:
        body, coding = gzip.compress(body), "Content-Encoding: gzip\r\n"
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n{coding}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def _main(index: Path) -> None:
    loop, stop, answers = asyncio.get_running_loop(), asyncio.Event(), _answers(index)
    servers = [
        await loop.create_server(functools.partial(_Connection, answers, waits=waits), "127.0.0.1", backlog=_BACKLOG)
        for waits in (True, False)
    ]
    ports = [each.sockets[0].getsockname()[1] for each in servers]

    def readable() -> None:
        if not os.read(_STDIN, 1024):
            stop.set()

    loop.add_reader(_STDIN, readable)
    sys.stdout.buffer.write(orjson.dumps([f"http://127.0.0.1:{port}" for port in ports]) + b"\n")
    sys.stdout.buffer.flush()
    await stop.wait()


if __name__ == "__main__":
    uvloop.run(_main(Path(sys.argv[1])))
