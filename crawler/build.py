"""The composition root: reads the configuration, chooses every part, and wires them; nothing else does."""

import asyncio
import contextlib
import gc
import resource
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cpu_stage import parsers
from cpu_stage.executors import interpreters
from cpu_stage.stage import CpuStage
from cpu_stage.types import StageError
from cpu_stage.worker import Plan
from crawler.adaptive import AdaptiveWidth, FixedWidth, Width
from crawler.attribution import Groups
from crawler.committer import CommitSettings
from crawler.config import Config, usable_cores
from crawler.engine import Engine, Limits
from crawler.errors import ConfigError
from crawler.exchange import FetchSettings
from crawler.frontier.sqlite import FrontierSettings, SqliteFrontier
from crawler.guard import Guard
from crawler.job import LEDGER, ORIGINALS, Job
from crawler.metrics import LagMeter, MemoryMeter, Metrics
from crawler.placement import LoopLoad, Placement
from crawler.politeness import RetryPolicy
from crawler.protocols import Sink
from crawler.robots import RobotsCache, RobotsPolicy
from crawler.scope import Admitted, Scope, ScopeMode, ScopeRules
from crawler.sinks.jsonl import JsonlSink, StdoutSink
from crawler.sinks.originals import OriginalsSink
from crawler.sitemaps import SITEMAP_TYPES
from crawler.staging import stage_of
from crawler.stats import Earlier, StatsBook
from crawler.traps import TrapRules, Traps
from crawler.types import BodyRule, CrawlRequest
from crawler.urls import TRACKING_PARAMETERS, CanonicalForm, canonicalize, host_key, hostname, origin
from crawler.visit import Tools, Visit, VisitRules

if TYPE_CHECKING:
    from crawler.fetch.aio import AioFetcher
    from crawler.fetch.threads import ThreadsFetcher


_MOST_THREADS = 512  # where their number is auto
_OTHER_FILES = 200  # workers, the job, the libraries
_COLLECT_AT = (50_000, 20, 20)


def _scope(config: Config, extra_hosts: Sequence[str]) -> Scope:
    form = CanonicalForm(config.scope.sort_query, TRACKING_PARAMETERS if config.scope.strip_tracking else ())
    try:
        rules = ScopeRules(
            mode=ScopeMode(config.scope.mode),
            hosts=config.scope.hosts,
            include=config.scope.include,
            exclude=config.scope.exclude,
            max_depth=config.limits.depth,
            max_url_length=config.scope.max_url_length,
            max_repeated_segments=config.scope.max_repeated_segments,
            form=form,
        )
    except ValueError as error:
        raise ConfigError(f"scope: {error}") from error
    scope = Scope(rules, config.seeds)
    for host in extra_hosts:
        scope.extend(host)
    return scope


def _requests(seeds: Sequence[str], scope: Scope) -> list[CrawlRequest]:
    requests = []
    for seed in seeds:
        admitted = scope.admit(seed, 0, seed=True)
        if not isinstance(admitted, Admitted):
            raise ConfigError(f"seed {seed!r}: {admitted.reason}; an http or https URL in scope is expected")
        requests.append(CrawlRequest(admitted.url, admitted.host))
    return requests


def _seed_urls(config: Config) -> list[str]:
    urls = [canonicalize(seed, CanonicalForm()) for seed in config.seeds]
    return [url for url in urls if url is not None]


def _origins(config: Config) -> frozenset[str]:
    """Return the origins of the seeds, and for http on its own port the same host's of https: sites move there."""
    urls = _seed_urls(config)
    usual = [host_key(url) for url in urls if url.startswith("http:") and hostname(host_key(url)) == host_key(url)]
    return frozenset([*map(origin, urls), *(f"https://{host}" for host in usual)])


def _fetch_settings(config: Config) -> FetchSettings:
    fetch = config.fetch
    return FetchSettings(
        user_agent=fetch.user_agent_header,
        headers=fetch.headers,
        own_origins=_origins(config),
        connect_s=fetch.timeout.connect,
        first_byte_s=fetch.timeout.first_byte,
        total_s=fetch.timeout.total,
        min_rate=fetch.min_rate,
        max_wire=fetch.max_wire,
        max_ratio=fetch.max_ratio,
        dns_ttl_s=fetch.dns_ttl,
        verify_tls=fetch.verify_tls,
        cookies=fetch.cookies,
        concurrency=_widest(config),
    )


def _widest(config: Config) -> int:
    """Return the most fetches that may be in flight: a thread takes more than a coroutine, and each takes a file."""
    if isinstance(config.fetch.concurrency, int):
        return config.fetch.concurrency
    most = _MOST_THREADS if config.fetch.mode == "threads" else Limits().in_work
    return max(1, min(most, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _OTHER_FILES))


def _width(config: Config) -> Width:
    return FixedWidth(_widest(config)) if config.fetch.concurrency != "auto" else AdaptiveWidth(_widest(config))


def _fetcher_type(config: Config) -> "type[AioFetcher | ThreadsFetcher]":
    if config.fetch.mode == "threads":
        from crawler.fetch.threads import ThreadsFetcher  # noqa: PLC0415 - urllib3 is for this mode alone

        return ThreadsFetcher
    from crawler.fetch.aio import AioFetcher  # noqa: PLC0415 - and aiohttp for that one

    return AioFetcher


def _sinks(config: Config, job: Job | None, output: str | None) -> list[Sink]:
    sinks: list[Sink] = []
    if job:
        sinks += [JsonlSink(entry.name, job.path / entry.options.path) for entry in config.sinks]
    if output == "-":
        sinks.append(StdoutSink())
    elif output:
        sinks.append(JsonlSink(f"output {Path(output).resolve()}", Path(output)))
    return sinks


def _originals(config: Config, job: Job | None) -> OriginalsSink | None:
    """Return what finds near duplicates, where a configuration has their SimHashes made."""
    names = [entry.name for entry in config.analyzers if entry.target == "fingerprint"]
    return OriginalsSink(job.path / ORIGINALS if job else None, names[0]) if names else None


def _visit_rules(config: Config, plan: Plan) -> VisitRules:
    types = frozenset(config.parse.types) | (SITEMAP_TYPES if config.politeness.sitemaps else frozenset())
    return VisitRules(
        body=BodyRule(types, config.fetch.max_body),
        parse=plan.parse,
        analyse=bool(plan.analyzers),
        max_redirects=config.fetch.max_redirects,
        delay=config.politeness.delay,
        obey_robots=config.politeness.obey_robots,
        follow_nofollow=config.scope.follow_nofollow,
        sitemaps=config.politeness.sitemaps,
    )


def _robots_policy(config: Config) -> RobotsPolicy:
    return RobotsPolicy(
        agent=config.fetch.user_agent,
        obey=config.politeness.obey_robots,
        give_up_after=config.politeness.robots_retries,
        max_crawl_delay=config.politeness.max_crawl_delay,
    )


def _retry_policy(config: Config) -> RetryPolicy:
    fetch = config.fetch
    return RetryPolicy(fetch.retries, fetch.backoff, fetch.backoff_max, config.politeness.retry_after_max)


def loop_factory(config: Config) -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes the event loop: uvloop's, or the standard library's."""
    if config.fetch.uvloop:
        import uvloop  # noqa: PLC0415 - not needed where it is switched off

        factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
        return factory
    return asyncio.new_event_loop


def check_parts(config: Config) -> None:
    """Check what the models cannot: that the executor exists, that analyzers load, and that seeds pass the door.

    Raises:
        ConfigError: one line that names the executor, the analyzer or the seed.
    """
    if config.cpu.executor == "interpreters":
        try:
            interpreters.check()
        except StageError as error:
            raise ConfigError(str(error)) from error
    stage_of(config)
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
        return self.book.as_json(self.frontier.counts(), self.stage.counts(), state)


@contextlib.contextmanager
def _rare_collections() -> Iterator[None]:
    """Have the garbage collector look seldom at what a crawl holds, and never at what was there before it.

    Next to nothing that a crawl makes is a cycle, and it holds some ten objects for each page on its way: looking
    through them every 700 objects took an eighth of the loop's time.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AT)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@contextlib.asynccontextmanager
async def build(config: Config, job: Job | None, output: str | None, earlier: Earlier) -> AsyncIterator[Crawl]:
    """Open every part in the order in which they stand on one another, and close them in reverse."""
    async with contextlib.AsyncExitStack() as stack:
        order = stage_of(config)
        plan = order.plan
        stage = CpuStage(plan, order.settings)  # first: its workers load while the rest is opened
        if plan.analyzers or plan.raw:
            await stack.enter_async_context(stage)
        if order.shares:
            stage.start()
        ledger = job.path / LEDGER if job and config.frontier.backend == "sqlite" else None
        settings = FrontierSettings(
            config.fetch.per_host, config.politeness.delay, active_hosts=config.frontier.active_hosts
        )
        frontier = SqliteFrontier(ledger, settings)
        positions = await frontier.open()
        stack.push_async_callback(frontier.aclose)
        originals = _originals(config, job)
        sinks = [*_sinks(config, job, output), *([originals] if originals else [])]
        opened = {}
        for sink in sinks:
            stack.push_async_callback(sink.aclose)
            opened[sink.name] = await sink.open(positions.get(sink.name))
        await frontier.commit([], opened)
        scope = _scope(config, await frontier.seed_hosts())
        guard = Guard(map(host_key, _seed_urls(config)), config.fetch.allow_private)
        fetcher = (await asyncio.to_thread(_fetcher_type, config))(_fetch_settings(config), guard)
        stack.push_async_callback(fetcher.aclose)
        rules = _visit_rules(config, plan)
        if order.parse_here >= 0:
            await asyncio.to_thread(parsers.load, plan.parse.parser)  # at the first page the loop would stand still
        metrics = Metrics()
        robots = RobotsCache(fetcher, _robots_policy(config), time.monotonic)
        width = _width(config)
        traps = Traps(
            TrapRules(config.scope.repetitive_after, config.limits.host_pages),
            await frontier.pages_of_hosts() if config.limits.host_pages else {},
        )
        tools = Tools(
            frontier,
            fetcher,
            robots,
            scope,
            stage,
            Placement(order.parse_here, stage.room if order.shares else None, LoopLoad()),
            _retry_policy(config),
            metrics,
            traps,
            original_of=originals.original_of if originals else None,
        )
        engine = Engine(
            frontier,
            Visit(tools, rules),
            sinks,
            metrics,
            Limits(config.limits.pages, config.limits.seconds, config.limits.bytes, config.limits.memory),
            width=width,
            commits=CommitSettings(config.frontier.commit_interval, config.frontier.commit_pages),
        )
        groups = Groups(order.settings.workers, width.value, usable_cores(), apart=config.cpu.executor == "processes")
        book = StatsBook(metrics, LagMeter(), MemoryMeter(), groups, width, traps, earlier)
        if not plan.analyzers or config.cpu.executor == "processes":  # others run in this process, and may leave cycles
            stack.enter_context(_rare_collections())
        yield Crawl(engine, frontier, scope, stage, book)
