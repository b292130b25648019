"""Name look-ups for coroutines, in threads of their own."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from crawler.fetch.lookup import look_up

_THREADS = 16


class Resolver(AbstractResolver):
    """``getaddrinfo`` in a pool of its own.

    The system's look-up blocks, and takes many seconds where a name server is dead. In the loop's default
    pool (uvloop: four threads) a handful of such names would hold up every other look-up and all file I/O.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="dns")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the first addresses of a name; raise OSError where it has none."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, look_up, host, family)
        return [_result(host, port, *address) for address in found]

    async def close(self) -> None:
        """Drop look-ups that wait; those that run end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _result(host: str, port: int, family: socket.AddressFamily, address: str) -> ResolveResult:
    numeric: Any = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=numeric)
