"""Real crawls of the replay by the variants that the model likes best: by turns, several times, each result checked."""

import functools
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from random import Random

from crawler.bench.matrix.noise import Others
from crawler.bench.matrix.orders import Outcome
from crawler.bench.matrix.process import CellError, CellProcess
from crawler.bench.tune.ground import Ground, Trial
from crawler.bench.tune.model import Prediction
from crawler.bench.tune.replay import urls
from crawler.bench.tune.sample import Sampled
from crawler.bench.work import body_digest

_PATIENCE_S = 300.0
_FEWEST, _MOST = 40, 6_000


@dataclass(frozen=True, slots=True)
class Candidate:
    """A variant with what is predicted of it."""

    variant: str
    prediction: Prediction


@dataclass(slots=True)
class Check:
    """What came of a candidate: pages of each run and their rates; ``why`` says what was wrong with a run."""

    candidate: Candidate
    pages: int
    rates: list[float] = field(default_factory=list)
    why: str | None = None


def check(ground: Ground, candidates: Sequence[Candidate], rounds: int, seconds: float) -> tuple[list[Check], float]:
    """Crawl by each candidate once a round, about so long, in an order that changes.

    Returns:
        What came of each, and how many cores other programs kept busy meanwhile.
    """
    random = Random(1)
    checks = [Check(each, size(each.prediction, len(ground.pages), seconds)) for each in candidates]
    with ExitStack() as stack:
        running = [(found, stack.enter_context(_process(ground, found))) for found in checks]
        for found, process in running:
            _attempt(found, process.wait_ready)
        others = Others()
        for _ in range(rounds):
            for found, process in random.sample(running, len(running)):
                _attempt(found, functools.partial(_run, found, process, ground.pages))
        return checks, others.cores()


def size(prediction: Prediction, pages: int, seconds: float) -> int:
    """Return how many pages make a run long enough; whole copies of the sample, where it takes more than one."""
    count = max(_FEWEST, min(_MOST, round(prediction.pages_per_second * seconds)))
    return count if count < pages else count - count % pages


def _process(ground: Ground, found: Check) -> CellProcess:
    seeds, chosen = urls(ground.replay.waiting, ground.pages, found.pages), found.candidate
    return CellProcess(Trial(chosen.variant, chosen.prediction.width, seeds).order(ground.settings), _PATIENCE_S)


def _attempt(found: Check, step: Callable[[], None]) -> None:
    """Do one step, unless an earlier one has failed."""
    if found.why is None:
        try:
            step()
        except CellError as error:
            found.why = str(error)


def _run(found: Check, process: CellProcess, pages: Sequence[Sampled]) -> None:
    outcome, _ = process.run()
    found.why = _fault(outcome, found.pages, pages)
    found.rates.append(outcome.pages / outcome.seconds)


def _fault(outcome: Outcome, count: int, pages: Sequence[Sampled]) -> str | None:
    """Say what a crawl has not found as the sample has it; analyses may differ from run to run."""
    digests = [body_digest(page.body) for page in pages]
    expected = sorted(digests[n % len(digests)] for n in range(count))
    found = sorted(visited.body or "" for visited in outcome.visited)
    return None if found == expected else f"{len(found)} records are not the {count} pages of the sample"
