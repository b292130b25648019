"""Looking at a process tree from outside while it works: its peaks, and how its CPU time grows."""

import time
from dataclasses import dataclass, field

from crawler.bench.matrix import tree

PERIOD_S = 0.05
_TREE_EVERY = 10


@dataclass(slots=True)
class Sampler:
    """Samples the tree below ``pid``. Peaks are of the same moment over all processes."""

    pid: int
    peak_rss: int = 0
    """Bytes; pages that processes share count in each of them."""
    peak_threads: int = 0
    cpu: list[tuple[float, float]] = field(default_factory=list)
    """Moments of the monotonic clock, and the CPU seconds of the whole tree until then."""
    _pids: list[int] = field(default_factory=list)

    def sample(self) -> None:
        """Look now. Who belongs to the tree is looked up now and then only, as that costs most."""
        if len(self.cpu) % _TREE_EVERY == 0:
            self._pids = [self.pid, *tree.descendants(self.pid)]
        stats = [tree.stat(pid) for pid in self._pids]
        self.peak_rss = max(self.peak_rss, sum(each.rss for each in stats))
        self.peak_threads = max(self.peak_threads, sum(each.threads for each in stats))
        self.cpu.append((time.monotonic(), sum(each.user_s + each.system_s for each in stats)))
