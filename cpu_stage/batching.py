"""How many pages make a batch: enough work to pay for the hand-off, never so much that the tail waits."""

from dataclasses import dataclass, field

_UNIT_BYTES = 16 * 2**10
_MOST_WEIGHT = 128.0
_LEAST_S = 0.008
_HAND_OFFS = 10

MOST_S = 0.04
"""The most work for a batch whose hand-off takes long, where no worker is expected to die of a page."""
PARSE_S = 0.0002
"""What it takes at most, as a rule, to parse a page of weight 1."""


def weight(size: int) -> float:
    """Return how much of a batch a page of ``size`` bytes takes: 1 for an empty one, 2 for one of 16 KiB."""
    return 1 + size / _UNIT_BYTES


@dataclass(slots=True)
class BatchSizer:
    """Sizes batches by measured work.

    A batch aims at 8 ms of work: handing a batch over costs a few tenths of a millisecond whatever it holds, so that
    makes the cost vanish, while a page waits for at most that long behind its batch-mates. Where the hand-off takes
    longer, since the loop is busy, a batch aims at ten times that, but for no more than ``most_s``: else its worker
    would wait. Large pages take more of a batch than small ones (:func:`weight`); whatever they cost, a batch holds no
    more than two mebibytes or one page.

    Until a batch is measured, a weight of 1 is taken to cost ``guess_s``; where that is 0, batches are of one page.

    All others are exponentially weighted means: ``cost_s`` of the seconds that a weight of 1 took in a worker,
    ``page_s`` of a page's, ``hand_off_s`` of those that a worker waited for a batch or its results were on their way.
    """

    most_s: float = 0.0
    guess_s: float = 0.0
    cost_s: float = field(default=0.0, init=False)
    page_s: float = field(default=0.0, init=False)
    hand_off_s: float = field(default=0.0, init=False)

    def observe(self, weight: float, seconds: float, pages: int = 1, hand_off: float = 0.0) -> None:
        """Learn from a finished batch."""
        share = 0.2 if self.cost_s else 1.0
        self.cost_s += share * (seconds / weight - self.cost_s)
        self.page_s += share * (seconds / pages - self.page_s)
        self.hand_off_s += share * (hand_off - self.hand_off_s)

    def full(self) -> float:
        """Return the weight of a full batch now; none is one page."""
        target_s = max(_LEAST_S, min(self.most_s, _HAND_OFFS * self.hand_off_s))
        cost_s = self.cost_s or self.guess_s
        return min(_MOST_WEIGHT, target_s / cost_s) if cost_s else 0.0

    def share(self, waiting: float, lanes: int) -> float:
        """Return the weight of the next batch: a full one, or the lane's share of what waits at the tail."""
        return min(self.full(), waiting / lanes)
