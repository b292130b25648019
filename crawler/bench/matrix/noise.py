"""How busy other programs keep the machine while something is measured."""

import os
import time
from pathlib import Path

from crawler.bench.lab.machine import cores
from crawler.bench.matrix import tree

_TICKS = os.sysconf("SC_CLK_TCK")


class Others:
    """Watches the machine from now on: what is busy and neither this process nor below it belongs to others."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._before = _foreign_s()

    def cores(self) -> float:
        """Return how many cores others have kept busy until now, on average."""
        busy = (_foreign_s() - self._before) / (time.monotonic() - self._start)
        return round(min(max(busy, 0.0), cores()), 2)


def _foreign_s() -> float:
    """Return the seconds that all cores were busy since the machine started, but for ours (``/proc/stat``)."""
    line = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0]
    user, nice, system, _, _, *rest = map(int, line.split()[1:9])
    ours = tree.use()
    return (user + nice + system + sum(rest)) / _TICKS - ours.user_s - ours.system_s
