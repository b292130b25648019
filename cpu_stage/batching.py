"""How many pages make a batch: enough work to pay for the hand-off, never so much that the tail waits."""

from dataclasses import dataclass, field

_UNIT_BYTES = 16 * 2**10
_MOST_WEIGHT = 128.0


def weight(size: int) -> float:
    """Return how much of a batch a page of ``size`` bytes takes: 1 for an empty one, 2 for one of 16 KiB."""
    return 1 + size / _UNIT_BYTES


@dataclass(slots=True)
class BatchSizer:
    """Sizes batches by measured work.

    A batch aims at ``target_s`` of work: handing a batch over costs a few tenths of a millisecond whatever it
    holds, so some milliseconds of work make that cost vanish, while a page waits for at most that long behind
    its batch-mates. Large pages take more of a batch than small ones (:func:`weight`); whatever they cost, a batch
    holds no more than two mebibytes or one page. ``cost_s`` is the exponentially weighted mean of the seconds that a
    weight of 1 took in a worker; ``page_s`` that of a page's seconds.
    """

    target_s: float = 0.008
    cost_s: float = field(default=0.0, init=False)
    page_s: float = field(default=0.0, init=False)

    def observe(self, weight: float, seconds: float, pages: int = 1) -> None:
        """Learn from a finished batch."""
        share = 0.2 if self.cost_s else 1.0
        self.cost_s += share * (seconds / weight - self.cost_s)
        self.page_s += share * (seconds / pages - self.page_s)

    def full(self) -> float:
        """Return the weight of a full batch now: none, which is one page, until the first one is measured."""
        return min(_MOST_WEIGHT, self.target_s / self.cost_s) if self.cost_s else 0.0

    def share(self, waiting: float, lanes: int) -> float:
        """Return the weight of the next batch: a full one, or the lane's share of what waits at the tail."""
        return min(self.full(), waiting / lanes)
