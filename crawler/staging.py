"""What a configuration makes of the CPU stage: what its workers run, how many there are, and which pages they parse."""

import math
from dataclasses import dataclass, replace

from cpu_stage.analyzers import BUILT_IN
from cpu_stage.loading import AnalyzerError, AnalyzerSpec, check
from cpu_stage.parse import ParseOptions
from cpu_stage.settings import StageSettings
from cpu_stage.types import Needs
from cpu_stage.worker import Plan
from crawler.config import AnalyzerEntry, Config, usable_cores
from crawler.errors import ConfigError


@dataclass(frozen=True, slots=True)
class StageOrder:
    """What the CPU stage is to be.

    ``parse_here`` is the largest body in bytes that is parsed before it; ``shares`` is whether its workers take smaller
    ones off a busy loop.
    """

    plan: Plan
    settings: StageSettings
    parse_here: float
    shares: bool


def stage_of(config: Config) -> StageOrder:
    """Return what the CPU stage is to be, also for those who run it without a crawl.

    Raises:
        ConfigError: an analyzer does not load.
    """
    here = _parse_here(config)
    by_size = 0 <= here < math.inf
    shares = by_size and config.cpu.executor == "processes" and usable_cores() > 1  # they need cores of their own
    options = ParseOptions(needs=_needs(config), parser=config.parse.parser, max_links=config.parse.max_links)
    specs = tuple(map(_spec, config.analyzers))
    plan = Plan(specs, options, raw=here < math.inf, obey_noindex=config.politeness.obey_robots)
    if shares and not specs:  # all that its workers do, the loop would do else
        plan = replace(plan, nice=0)
    return StageOrder(plan, _settings(config, shares=shares), here, shares)


def _spec(entry: AnalyzerEntry) -> AnalyzerSpec:
    return AnalyzerSpec(entry.name, BUILT_IN.get(entry.target, entry.target), dict(entry.options))


def _needs(config: Config) -> Needs:
    needs = Needs.NOTHING
    for entry in config.analyzers:
        try:
            needs |= check(_spec(entry))
        except AnalyzerError as error:
            raise ConfigError(f"analyzers: {error}") from error
    return needs


def _parse_here(config: Config) -> float:
    """Return the largest body that is parsed on the loop.

    By default workers run selectolax, which is not linear; no parser loads in a subinterpreter, so then the loop does.
    """
    where: str = config.parse.where
    if where == "auto" and config.cpu.executor == "interpreters":
        where = "loop"
    elif where == "auto" and config.parse.parser == "selectolax":
        where = "worker"
    return {"loop": math.inf, "worker": -1.0, "auto": float(config.parse.auto_max)}[where]


def _settings(config: Config, *, shares: bool) -> StageSettings:
    cpu = config.cpu
    workers = cpu.resolved_workers
    if cpu.workers == "auto" and shares and not config.analyzers:
        workers -= 1  # they only help the loop, which has a core itself
    return StageSettings(
        cpu.executor,
        workers,
        cpu.batch,
        cpu.page_timeout,
        cpu.page_memory,
        cpu.recycle_pages,
        cpu.recycle_memory,
    )
