"""From a plan to what is run: blocks of cells that are compared with one another."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cpu_stage.analyzers import BUILT_IN
from cpu_stage.loading import AnalyzerSpec
from cpu_stage.types import Json
from crawler.bench.matrix.orders import Order
from crawler.bench.matrix.plan import Plan, Sweep, Workload
from crawler.bench.matrix.variants import Variant, obstacle, variant
from crawler.bench.site import SiteSpec
from crawler.config import Config, load, usable_cores

_COMMON: Mapping[str, Json] = {
    "frontier.backend": "memory",
    "frontier.commit_interval": 0.05,  # a run of a second must not spend a quarter of it waiting for its last commit
    "politeness.obey_robots": False,  # controls do not ask for robots.txt either: all send the same requests
    "politeness.delay": 0,
    "fetch.retries": 0,
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One variant on one workload."""

    variant: Variant
    concurrency: int
    workers: int


@dataclass(frozen=True, slots=True)
class Left:
    """A variant that a block leaves out, and why."""

    variant: str
    why: str


@dataclass(frozen=True, slots=True)
class Block:
    """Cells that run by turns on one web. ``sweep`` names the quantity that differs between them, if one does."""

    workload: str
    work: Workload
    sweep: str | None
    cells: tuple[Cell, ...]
    left_out: tuple[Left, ...]

    @property
    def title(self) -> str:
        """What people call it."""
        return f"{self.workload} by {self.sweep}" if self.sweep else self.workload

    def order(self, cell: Cell, seeds: tuple[str, ...], warm_up: int, web: SiteSpec | None) -> Order:
        """Return what the cell's process is told; ``web`` is the web where there is no server."""
        settings = _settings(self.work, cell, seeds)
        config = load([], {}, [], settings).config
        return Order(
            cell.variant.name,
            seeds,
            cell.concurrency,
            cell.workers,
            warm_up,
            settings,
            specs(config),
            config.parse.parser,
            None if web is None else web.to_json().decode(),
        )


def blocks(plan: Plan, *, mock: bool) -> Iterator[Block]:
    """Yield every workload with all its variants, then the sweeps. With ``mock`` there is no network to wait for."""
    for name, work in plan.workloads.items():
        cells = [_cell(each, work) for each in work.variants or plan.variants]
        yield _block(name, work, None, cells, mock=mock)
    for sweep in plan.sweeps:
        work = plan.workloads[sweep.workload]
        yield _block(sweep.workload, work, sweep.over, list(_swept(sweep, work)), mock=mock)


def _block(name: str, work: Workload, sweep: str | None, cells: list[Cell], *, mock: bool) -> Block:
    obstacles = {cell.variant.name: obstacle(cell.variant, mock=mock) for cell in cells}
    left = tuple(Left(each, why) for each, why in obstacles.items() if why)
    return Block(name, work, sweep, tuple(cell for cell in cells if not obstacles[cell.variant.name]), left)


def _cell(name: str, work: Workload, **changed: int) -> Cell:
    workers = work.workers if isinstance(work.workers, int) else usable_cores()
    return Cell(variant(name), **{"concurrency": work.concurrency, "workers": workers, **changed})


def _swept(sweep: Sweep, work: Workload) -> Iterator[Cell]:
    for name in sweep.variants:
        for value in sweep.values:
            yield _cell(name, work, **{sweep.over: value})


def _settings(work: Workload, cell: Cell, seeds: tuple[str, ...]) -> dict[str, Json]:
    chosen: dict[str, Json] = {
        "seeds": list(seeds),
        "fetch.concurrency": cell.concurrency,
        "fetch.per_host": cell.concurrency,
        "cpu.workers": cell.workers,
    }
    if not cell.variant.control:
        chosen |= {"fetch.mode": cell.variant.fetch, "cpu.executor": cell.variant.cpu}
        chosen["fetch.uvloop"] = cell.variant.loop == "uvloop"
    return {**_COMMON, **work.settings, **chosen}


def specs(config: Config) -> tuple[AnalyzerSpec, ...]:
    """Return the analyzers of a configuration as the CPU stage takes them."""
    return tuple(
        AnalyzerSpec(each.name, BUILT_IN.get(each.target, each.target), dict(each.options)) for each in config.analyzers
    )
