"""What one page of the sample asks of this machine: to be fetched in either mode, to be parsed, to be analysed.

Fetching is measured by whole crawls of pages that come at once, with nothing to analyse: what limits them is the
crawler's own work. Analysing is measured by the CPU stage alone, with the user's analyzers, limits and workers.
"""

import asyncio
import itertools
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cpu_stage import parsers
from cpu_stage.parse import parse
from cpu_stage.stage import CpuStage
from cpu_stage.types import Json, Page
from cpu_stage.worker import Plan, Processed, RawPage
from crawler.bench.matrix import tree
from crawler.bench.matrix.process import CellProcess
from crawler.bench.tune.ground import WARM_UP, Ground, Trial
from crawler.bench.tune.replay import urls
from crawler.bench.tune.sample import Sampled
from crawler.build import loop_factory
from crawler.config import Config, load
from crawler.staging import stage_of

SECONDS = 1.5
"""How long each thing is measured for, about."""

_WIDTH = 32
_MOST = 4_000
_PATIENCE_S = 120.0
_TURN = 16
_HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Fetching:
    """Seconds a page: of the loop or the lock, of the CPU, and of the CPU by the replay's server.

    Of the crawler's own process alone: what is parsed in workers is the stage's.
    """

    loop_s: float
    cpu_s: float
    server_s: float


@dataclass(frozen=True, slots=True)
class Analysing:
    """Seconds a page: until the next one where there is enough to do, of the loop's thread, of all cores together."""

    page_s: float
    loop_s: float
    cpu_s: float


def fetching(ground: Ground, mode: str) -> Fetching:
    """Crawl the pages without waiting for them, and without analyzers.

    Raises:
        CellError: the crawl failed.
    """
    first = _fetch(ground, mode, WARM_UP)
    return _fetch(ground, mode, min(_MOST, max(WARM_UP, round(SECONDS / first.loop_s))))


def _fetch(ground: Ground, mode: str, count: int) -> Fetching:
    found = urls(ground.replay.at_once, ground.pages, count)
    told = Trial(f"{mode}+processes", _WIDTH, found, {"analyzers": []}).order(ground.settings)
    with CellProcess(told, _PATIENCE_S) as process:
        process.wait_ready()
        server = tree.stat(ground.replay.pid)
        outcome, _ = process.run()
        served = tree.stat(ground.replay.pid)
    server_s = served.user_s + served.system_s - server.user_s - server.system_s
    assert outcome.own_s is not None, "the crawler's own engine says it"
    pages = max(1, outcome.pages)
    return Fetching(min(outcome.own_s, outcome.seconds) / pages, outcome.own_s / pages, server_s / pages)


def parsing(config: Config, pages: Sequence[Sampled]) -> float:
    """Return the seconds that it takes to parse a page, on average."""
    options = stage_of(config).plan.parse
    parsers.load(options.parser)
    start = time.thread_time()
    for page in pages:
        parse(f"http://localhost{page.path}", _HTML, page.body, options)
    return (time.thread_time() - start) / len(pages)


def analysing(settings: Mapping[str, Json], executor: str, pages: Sequence[Sampled]) -> Analysing:
    """Have the CPU stage analyse the pages.

    Raises:
        StageError: this executor cannot run these analyzers.
    """
    config = load([], {}, [], {**settings, "cpu.executor": executor}).config
    with asyncio.Runner(loop_factory=loop_factory(config)) as runner:
        return runner.run(_analyse(config, pages))


async def _analyse(config: Config, pages: Sequence[Sampled]) -> Analysing:
    made = stage_of(config)
    items = list(_items(made.plan, made.parse_here, pages))
    random.Random(1).shuffle(items)  # the first few must be like the rest
    async with CpuStage(made.plan, made.settings) as stage:
        await stage.warm()
        first = await _run(stage, list(itertools.islice(itertools.cycle(items), 4 * made.settings.workers)))
        count = max(4 * made.settings.workers, min(_MOST, round(SECONDS / first.page_s)))
        if count > len(items):
            count -= count % len(items)
        return await _run(stage, list(itertools.islice(itertools.cycle(items), count)))


def _items(plan: Plan, parse_here: float, pages: Sequence[Sampled]) -> Iterator[Page | RawPage]:
    """Make of each page what a crawl would send to the stage."""
    for page in pages:
        url = f"http://localhost{page.path}"
        if len(page.body) <= parse_here:
            yield parse(url, _HTML, page.body, plan.parse)
        else:
            yield RawPage(url, _HTML, page.body)


async def _run(stage: CpuStage, items: Sequence[Page | RawPage]) -> Analysing:
    futures: list[asyncio.Future[Processed]] = []
    used, own, start = tree.use(), time.thread_time(), time.perf_counter()
    for n, item in enumerate(items):
        futures.append(stage.submit(item))
        if n % _TURN == 0:
            await asyncio.sleep(0)  # as a loop that also fetches
    for future in futures:
        await future
    seconds, own = time.perf_counter() - start, time.thread_time() - own
    now = tree.use().since(used)
    return Analysing(seconds / len(items), own / len(items), (now.user_s + now.system_s) / len(items))
