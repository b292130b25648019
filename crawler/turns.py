"""The event loop's time, shared out: CPU work of many pages at once leaves room for I/O in between."""

import asyncio
import time
from types import TracebackType

BUDGET_S = 0.004


class Turns:
    """Lets one page at a time work on the loop, and the loop turn after each few milliseconds of such work.

    Thirty answers that arrive together are thirty coroutines that are ready at once; without this the loop would parse
    all of their pages before it looks at a socket or a timer again. ::

        async with turns:
            page = parse(...)
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._began = 0.0
        self._spent = 0.0

    async def __aenter__(self) -> None:
        await self._lock.acquire()
        self._began = time.perf_counter()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._spent += time.perf_counter() - self._began
            if self._spent >= BUDGET_S:
                self._spent = 0.0
                await asyncio.sleep(0)
        finally:
            self._lock.release()
