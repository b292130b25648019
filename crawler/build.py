"""The composition root: reads the configuration, chooses every part, and wires them; nothing else does."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cpu_stage.loading import AnalyzerSpec
from cpu_stage.parse import ParseOptions
from cpu_stage.stage import CpuStage, StageSettings
from cpu_stage.types import Needs
from cpu_stage.worker import Plan
from crawler import __version__
from crawler.committer import CommitSettings
from crawler.config import Config
from crawler.engine import Engine, Limits
from crawler.errors import ConfigError
from crawler.fetch.aio import AioFetcher, FetchSettings
from crawler.frontier.sqlite import FrontierSettings, SqliteFrontier
from crawler.guard import Guard
from crawler.job import LEDGER, PAGES, Job
from crawler.metrics import LagMeter, MemoryMeter, Metrics
from crawler.politeness import RetryPolicy
from crawler.protocols import Sink
from crawler.robots import RobotsCache, RobotsPolicy
from crawler.scope import Admitted, Scope, ScopeRules
from crawler.sinks.jsonl import JsonlSink, StdoutSink
from crawler.sitemaps import SITEMAP_TYPES
from crawler.stats import Earlier, StatsBook
from crawler.types import BodyRule, CrawlRequest
from crawler.urls import CanonicalForm, host_key
from crawler.visit import Tools, Visit, VisitRules


def check_parts(config: Config) -> None:
    """Check what the models cannot: that analyzers load, and that seeds pass the door.

    Raises:
        ConfigError: one line that names the analyzer or the seed.
    """
    for entry in config.analyzers:
        try:
            check_analyzer(_spec(entry))
        except AnalyzerError as error:
            raise ConfigError(f"analyzers: {error}") from error
    _requests(config.seeds, _scope(config, ()))


@dataclass(frozen=True, slots=True)
class Crawl:
    """All parts of one crawl, wired."""

    engine: Engine
    frontier: SqliteFrontier
    scope: Scope
    stage: CpuStage
    book: StatsBook

    async def sow(self, seeds: Sequence[str]) -> int:
        """Queue the seeds; return how many were new."""
        return await self.frontier.add(_requests(seeds, self.scope))

    def stats(self, state: str) -> dict[str, Any]:
        """Return ``stats.json`` as of now."""
        return self.book.as_json(self.frontier.counts(), state)


@contextlib.asynccontextmanager
async def build(config: Config, job: Job | None, output: str | None, earlier: Earlier) -> AsyncIterator[Crawl]:
    """Open every part in the order in which they stand on one another, and close them in reverse."""
    async with contextlib.AsyncExitStack() as stack:
        frontier = SqliteFrontier(_ledger(config, job), _frontier_settings(config))
        positions = await frontier.open()
        stack.push_async_callback(frontier.aclose)
        sinks = _sinks(config, job, output)
        for sink in sinks:
            await sink.open(positions.get(sink.name))
            stack.push_async_callback(sink.aclose)
        scope = _scope(config, await frontier.seed_hosts())
        fetcher = AioFetcher(_fetch_settings(config), Guard(config.seeds, config.fetch.allow_private))
        stack.push_async_callback(fetcher.aclose)
        plan, workers = _plan(config), config.cpu.resolved_workers
        stage = CpuStage(plan, StageSettings(config.cpu.executor, workers, config.cpu.batch))
        rules = _visit_rules(config, plan)
        if plan.analyzers or rules.parse_here < math.inf:
            await stack.enter_async_context(stage)
        metrics = Metrics()
        robots = RobotsCache(fetcher, _robots_policy(config), time.monotonic)
        tools = Tools(frontier, fetcher, robots, scope, stage, _retry_policy(config), metrics)
        engine = Engine(
            frontier,
            Visit(tools, rules),
            sinks,
            metrics,
            _limits(config),
            concurrency=config.fetch.concurrency,
            commits=CommitSettings(config.frontier.commit_interval, config.frontier.commit_pages),
        )
        yield Crawl(engine, frontier, scope, stage, StatsBook(metrics, LagMeter(), MemoryMeter(), workers, earlier))
