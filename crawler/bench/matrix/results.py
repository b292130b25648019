"""From the runs of a cell to its entry in ``results.json``; ``docs/bench.md`` says what each key means."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crawler.bench.matrix.blocks import Block, Cell
from crawler.bench.matrix.interval import interval
from crawler.bench.matrix.orders import Outcome
from crawler.bench.matrix.sampling import Sampler
from crawler.bench.matrix.timeline import Timeline, timeline

_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Run:
    """One run: what its process says, and what was seen of it from outside."""

    outcome: Outcome
    sampler: Sampler

    @property
    def rate(self) -> float:
        """Pages a second."""
        return self.outcome.pages / self.outcome.seconds

    def per_page(self, quantity: float) -> float:
        """Divide among the pages."""
        return quantity / max(1, self.outcome.pages)


@dataclass(slots=True)
class CellRuns:
    """A cell and its runs so far; ``why`` says what was wrong with the first that does not count."""

    cell: Cell
    runs: list[Run] = field(default_factory=list)
    why: str | None = None

    @property
    def seconds(self) -> float:
        """What its runs have taken."""
        return sum(run.outcome.seconds for run in self.runs)


_QUANTITIES: Mapping[str, Callable[[Run], float | None]] = {
    "pages_per_second": lambda run: run.rate,
    "seconds": lambda run: run.outcome.seconds,
    "cpu_ms_per_page": lambda run: run.per_page(1e3 * (run.outcome.user_s + run.outcome.system_s)),
    "user_ms_per_page": lambda run: run.per_page(1e3 * run.outcome.user_s),
    "system_ms_per_page": lambda run: run.per_page(1e3 * run.outcome.system_s),
    "peak_rss_mb": lambda run: run.sampler.peak_rss / _MIB,
    "memory_mb": lambda run: None if run.outcome.memory is None else run.outcome.memory / _MIB,
    "threads": lambda run: run.sampler.peak_threads,
    "switches_per_page": lambda run: run.per_page(run.outcome.switches),
    "hand_off_ms_per_page": lambda run: (
        None if run.outcome.hand_off_s is None else run.per_page(1e3 * run.outcome.hand_off_s)
    ),
}
_LAGS = ("p50", "p99", "max")


def entry(block: Block, found: CellRuns) -> dict[str, Any]:
    """Return what ``results.json`` says of a cell."""
    cell, runs = found.cell, found.runs
    return {
        "workload": block.workload,
        "sweep": block.sweep,
        "variant": dataclasses.asdict(cell.variant),
        "concurrency": cell.concurrency,
        "workers": cell.workers,
        "valid": found.why is None,
        "why": found.why,
        "pages": runs[0].outcome.pages if runs else None,
        **{name: _spread([quantity(run) for run in runs]) for name, quantity in _QUANTITIES.items()},
        "loop_lag_ms": {name: _spread([_lag(run, name) for run in runs]) for name in _LAGS},
        "timeline": _timeline(runs),
    }


def _spread(values: Sequence[float | None]) -> dict[str, Any]:
    """Sum up a quantity; where it was not measured, its numbers are null."""
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return {"median": None, "low": None, "high": None, "runs": []}
    return dict(interval(known))


def _lag(run: Run, name: str) -> float | None:
    return run.outcome.lag_ms[name] if run.outcome.lag_ms else None


def _timeline(runs: Sequence[Run]) -> Timeline | None:
    """Show the run whose rate is the median, or the one below it."""
    if not runs:
        return None
    run = sorted(runs, key=lambda run: run.rate)[(len(runs) - 1) // 2]
    line = run.outcome.line
    return None if line is None else timeline(line, run.outcome.seconds, run.sampler.cpu)
