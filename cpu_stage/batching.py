"""How many pages make a batch: enough work to pay for the hand-off, never so much that the tail waits."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class BatchSizer:
    """Sizes batches by measured work.

    A batch aims at ``target_s`` of work: handing a batch over costs a few tenths of a millisecond whatever it
    holds, so some milliseconds of work make that cost vanish, while a page waits for at most that long behind
    its batch-mates. ``cost_s`` is the exponentially weighted mean of a page's time in a worker.
    """

    most: int
    target_s: float = 0.008
    cost_s: float = field(default=0.0, init=False)

    def observe(self, pages: int, seconds: float) -> None:
        """Learn from a finished batch; a page counts the more, the fewer were seen before."""
        mean = seconds / pages
        weight = 0.2 if self.cost_s else 1.0
        self.cost_s += weight * (mean - self.cost_s)

    def full(self) -> int:
        """Return how many pages make a full batch now (1 until the first is measured)."""
        if not self.cost_s:
            return 1
        return max(1, min(self.most, round(self.target_s / self.cost_s)))

    def share(self, waiting: int, lanes: int) -> int:
        """Return the size of the next batch: a full one, or the lane's share of what waits at the tail."""
        return max(1, min(self.full(), -(-waiting // lanes)))
