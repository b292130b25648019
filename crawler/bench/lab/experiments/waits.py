"""Many waits at once on real sockets: each connects to the delay server, asks and waits for its answer."""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence

import uvloop

from crawler.bench.lab.experiments import probe
from crawler.bench.lab.experiments.delay_server import ANSWER, REQUEST

_AT_ONCE = struct.pack("ii", 1, 0)
_TIMEOUT_S = 30.0


def wait(kind: str, count: int, ports: Sequence[int]) -> dict[str, float]:
    """Do ``count`` waits, one by one or all at once, after one that is not measured.

    Returns:
        ``seconds`` for all, ``mib`` that the memory grew by at its peak, the kernel's ``switches``, ``cpu_ms``.
    """
    probe.allow_many_files()
    runs: dict[str, Callable[[int, Sequence[int]], None]] = {
        "one by one": _in_turn,
        "threads": _threads,
        "coroutines": lambda n, to: asyncio.run(_coroutines(n, to)),
        "coroutines (uvloop)": lambda n, to: uvloop.run(_coroutines(n, to)),
    }
    runs[kind](1, ports)
    memory, switches, cpu, start = probe.resident(), probe.switches(), time.process_time(), time.perf_counter()
    runs[kind](count, ports)
    return {
        "seconds": time.perf_counter() - start,
        "mib": max(0, probe.peak() - memory) / 2**20,
        "switches": probe.switches() - switches,
        "cpu_ms": (time.process_time() - cpu) * 1e3,
    }


def _socket() -> socket.socket:
    """Make a socket that leaves nothing behind when closed: thousands in TIME_WAIT would use up the ports."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    return sock


def _blocking(port: int, together: int) -> None:
    with _socket() as sock:
        sock.settimeout(_TIMEOUT_S)
        sock.connect(("127.0.0.1", port))
        sock.sendall(REQUEST.pack(together))
        if sock.recv(1) != ANSWER:
            raise ConnectionError("the delay server has gone")


def _in_turn(count: int, ports: Sequence[int]) -> None:
    for n in range(count):
        _blocking(ports[n % len(ports)], 1)


def _threads(count: int, ports: Sequence[int]) -> None:
    failures: list[OSError] = []

    def one(port: int) -> None:
        try:
            _blocking(port, count)
        except OSError as error:
            failures.append(error)

    threads = [threading.Thread(target=one, args=(ports[n % len(ports)],)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


async def _coroutines(count: int, ports: Sequence[int]) -> None:
    loop = asyncio.get_running_loop()

    async def one(port: int) -> None:
        with _socket() as sock:
            sock.setblocking(False)
            async with asyncio.timeout(_TIMEOUT_S):
                await loop.sock_connect(sock, ("127.0.0.1", port))
                await loop.sock_sendall(sock, REQUEST.pack(count))
                if await loop.sock_recv(sock, 1) != ANSWER:
                    raise ConnectionError("the delay server has gone")

    await asyncio.gather(*(one(ports[n % len(ports)]) for n in range(count)))
