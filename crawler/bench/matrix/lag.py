"""The lag of an event loop while something runs on it."""

import asyncio
import time
from collections.abc import Awaitable
from typing import TypeVar

from crawler.metrics import LagMeter

T = TypeVar("T")


class LagLine(LagMeter):
    """A meter of the loop's lag that also remembers when each was seen."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[float, float]] = []

    def observe(self, lag: float) -> None:
        """Count one lag in seconds."""
        super().observe(lag)
        self.seen.append((time.monotonic(), lag))


async def metered(work: Awaitable[T], lag: LagMeter) -> T:
    """Do the work while the loop's lag is measured."""
    meter = asyncio.create_task(lag.run())
    try:
        return await work
    finally:
        meter.cancel()
        await asyncio.gather(meter, return_exceptions=True)
