"""One whole crawl of a synthetic site by Tandem itself, with an analyzer of known cost."""

import asyncio
from collections.abc import Sequence

from cpu_stage.types import Json
from crawler.bench.lab.experiments.analyzer import Burner
from crawler.build import build, loop_factory
from crawler.config import Config, load
from crawler.stats import Earlier
from crawler.types import Outcome

_WARM_UP_PAGES = 10

Figures = dict[str, float]


def compare(executors: Sequence[str], units: int, seeds: Sequence[str]) -> dict[str, Figures]:
    """Crawl everything from the seeds by each executor, in this order, after a few pages that are not measured.

    The clock runs from the first fetch to the last commit; workers are warm.

    Returns:
        For each executor: ``pages`` (with a page), ``pages_per_second``, and the CPU ``analysis_ms`` of a page.
    """
    _crawl("inline", units, seeds, _WARM_UP_PAGES)
    return {executor: _crawl(executor, units, seeds, None) for executor in executors}


def _crawl(executor: str, units: int, seeds: Sequence[str], most: int | None) -> Figures:
    analyzer: Json = {"name": f"{Burner.__module__}:{Burner.__qualname__}", "options": {"units": units}}
    values: dict[str, Json] = {
        "seeds": list(seeds),
        "limits.pages": most,
        "frontier.backend": "memory",
        "fetch.concurrency": 64,
        "fetch.per_host": 64,
        "politeness.delay": 0,
        "cpu.executor": executor,
        "analyzers": [analyzer],
    }
    config = load([], {}, [], values).config
    with asyncio.Runner(loop_factory=loop_factory(config)) as runner:
        return runner.run(_run(config))


async def _run(config: Config) -> Figures:
    async with build(config, None, None, Earlier()) as parts:
        await parts.stage.warm()
        await parts.sow(config.seeds)
        await parts.engine.run()
        metrics = parts.book.metrics
    pages = metrics.outcomes[Outcome.OK]
    return {
        "pages": pages,
        "pages_per_second": pages / metrics.seconds,
        "analysis_ms": metrics.stages["analysis"] * 1e3 / pages,
    }
