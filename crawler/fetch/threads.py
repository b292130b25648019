"""The fetcher for OS threads, on urllib3: one thread for each fetch that is under way.

::

    event loop                     one of ``concurrency`` threads
    fetch() ── run_in_executor ──► dial ─► ask ─► read ─► Fetched | Failed
       └─ cancelled: abort() ────► the socket is shut down, whatever blocks on it wakes up

It is there to be compared with coroutines, so it promises all that they do; only what waits here is a thread.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from crawler.exchange import FetchSettings
from crawler.fetch.blocking import BlockingClient
from crawler.fetch.call import Call
from crawler.fetch.dial import LookUp
from crawler.fetch.lookup import look_up
from crawler.guard import Guard
from crawler.types import BodyRule, CrawlRequest, ErrorKind, Failed, Fetched


class ThreadsFetcher:
    """Fetches in threads of its own; closed by :meth:`aclose` or as a context manager.

    ``resolver`` replaces the system's name look-up. It blocks, and several threads call it.
    """

    def __init__(self, settings: FetchSettings, guard: Guard, *, resolver: LookUp = look_up) -> None:
        self._settings = settings
        self._client = BlockingClient(settings, guard, resolver)
        self._threads = ThreadPoolExecutor(settings.concurrency, thread_name_prefix="fetch")
        self._calls: set[Call] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End what is under way, join the threads, close all connections."""
        for call in self._calls:
            call.abort()
        try:
            await asyncio.to_thread(self._threads.shutdown)
        finally:
            self._client.close()

    async def fetch(self, request: CrawlRequest, rule: BodyRule) -> Fetched | Failed:
        """GET ``request.target``; whatever goes wrong is a :class:`Failed`.

        Where all threads are busy it waits for one; its time runs from then on.
        """
        call = Call(self._settings)
        self._calls.add(call)
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, self._client.fetch, request, rule, call)
        except asyncio.CancelledError:
            call.abort()
            raise
        except RuntimeError as error:  # the threads are gone
            return Failed(request, ErrorKind.INTERNAL, f"{type(error).__name__}: {error}")
        finally:
            self._calls.discard(call)
