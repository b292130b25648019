"""Work for the processor: pure Python, which holds the GIL, in units that take the same on one machine."""

import time

START_S = 60.0
"""How long workers wait for one another to be ready: one that failed must not be waited for for ever."""

_UNIT = 200


def burn(units: int) -> int:
    """Run so many units of bytecode, a few microseconds each."""
    total = 0
    for _ in range(units):
        for n in range(_UNIT):
            total += n & 7
    return total


def units_per_second(seconds: float = 0.05) -> float:
    """Measure how many units this machine runs in a second of CPU: the fastest of a few tries."""
    return max(_speed(seconds / 5) for _ in range(5))


def _speed(seconds: float) -> float:
    units, start = 0, time.thread_time()
    while (spent := time.thread_time() - start) < seconds:
        burn(20)
        units += 20
    return units / spent
