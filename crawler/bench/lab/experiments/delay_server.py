"""A server on loopback that answers those who wait together: ``python -m ...delay_server SECONDS``.

A client says in four bytes how many it is one of; when all of them wait, the answers come after the delay, one every
200 microseconds. So n waits are n at once, however long it takes to begin them, and answers come no faster than a
crawler could use them: if they all came in one moment, threads would mostly fight for the GIL. It listens on several
ports, since thousands of connections come in a moment and a backlog is finite; it prints them as a JSON list, and ends
when its standard input does.
"""

import asyncio
import json
import os
import struct
import sys
from typing import cast

import uvloop

from crawler.bench.lab.experiments.probe import allow_many_files

REQUEST = struct.Struct("!I")
ANSWER = b"!"
RATE = 5_000
"""Answers in a second."""
_PORTS, _BACKLOG, _STDIN = 4, 4096, 0


class Rendezvous:
    """Those who wait, until they are as many as they say."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._waiting: list[asyncio.Transport] = []

    def arrive(self, transport: asyncio.Transport, number: int) -> None:
        """Note one; the last one sets off the answers."""
        self._waiting.append(transport)
        if len(self._waiting) < number:
            return
        waiting, self._waiting = self._waiting, []
        loop = asyncio.get_running_loop()
        for place, each in enumerate(waiting):
            loop.call_later(self._delay + place / RATE, each.write, ANSWER)

    def leave(self, transport: asyncio.Transport) -> None:
        """Forget one that gave up."""
        if transport in self._waiting:
            self._waiting.remove(transport)


class _Client(asyncio.Protocol):
    def __init__(self, rendezvous: Rendezvous) -> None:
        self._rendezvous = rendezvous

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._rendezvous.arrive(self._transport, *REQUEST.unpack(data))

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        self._rendezvous.leave(self._transport)


async def main(delay: float) -> None:
    """Serve until the standard input ends."""
    loop, stop, rendezvous = asyncio.get_running_loop(), asyncio.Event(), Rendezvous(delay)

    def readable() -> None:
        if not os.read(_STDIN, 1024):
            loop.remove_reader(_STDIN)
            stop.set()

    servers = [
        await loop.create_server(lambda: _Client(rendezvous), "127.0.0.1", 0, backlog=_BACKLOG) for _ in range(_PORTS)
    ]
    loop.add_reader(_STDIN, readable)
    print(json.dumps([server.sockets[0].getsockname()[1] for server in servers]), flush=True)
    await stop.wait()


if __name__ == "__main__":
    allow_many_files()
    uvloop.run(main(float(sys.argv[1])))
