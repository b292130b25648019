"""A sample of a site: its first pages, breadth first, as the user's own configuration finds them."""

import asyncio
import contextlib
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson

from cpu_stage.types import Json
from crawler.bench.tune.keep import name
from crawler.build import build, loop_factory
from crawler.config import Config, Loaded, load
from crawler.errors import CrawlerError
from crawler.stats import Earlier
from crawler.types import Outcome

_AT_ONCE = 2
"""Requests in flight: few, so that a page's time is that of its server and not of a busy loop."""

_KEEP = "crawler.bench.tune.keep:Keep"


class SampleError(CrawlerError):
    """Nothing of the site could be sampled."""

    exit_code = 3


@dataclass(frozen=True, slots=True)
class Sampled:
    """A page: where it is on its host, the seconds from the request to its last byte, its body decoded."""

    path: str
    latency_s: float
    body: bytes
    compressed: bool


@dataclass(frozen=True, slots=True)
class Sample:
    """The pages, of how many hosts they are, and how many URLs were asked for to get them."""

    pages: tuple[Sampled, ...]
    hosts: int
    asked: int

    @property
    def latency_s(self) -> float:
        """The mean: what a connection waits for a page, in the long run."""
        return statistics.fmean(page.latency_s for page in self.pages)


def take(loaded: Loaded, pages: int, seconds: float) -> Sample:
    """Crawl until there are so many records, or for so long, as politely as the configuration says.

    Raises:
        SampleError: there is no page among them.
    """
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "records.jsonl"
        config = load([], {}, [], {**chosen(loaded), **_settings(folder, pages, seconds, loaded.config)}).config
        with asyncio.Runner(loop_factory=loop_factory(config)) as runner:
            runner.run(_crawl(config, str(output)))
        records = [orjson.loads(line) for line in output.read_bytes().splitlines()]
        found = dict(_pages(records, Path(folder)))
    if not found:
        raise SampleError(f"no page among {len(records)} URLs from {', '.join(config.seeds)}{_reason(records)}")
    return Sample(tuple(found.values()), len({urlsplit(url).netloc for url in found}), len(records))


def chosen(loaded: Loaded) -> dict[str, Json]:
    """Return what a configuration says that is not a default, by dotted key."""
    values = loaded.config.model_dump(mode="json")
    return {key: _at(values, key) for key, origin in loaded.origins.items() if origin != "default"}


def _at(values: Any, key: str) -> Any:
    for part in key.split("."):
        values = values[part]
    return values


def _settings(folder: str, pages: int, seconds: float, config: Config) -> dict[str, Json]:
    return {
        "analyzers": [{"name": _KEEP, "options": {"folder": folder}}],
        "cpu.executor": "inline",
        "parse.where": "loop",
        "fetch.mode": "coroutines",
        "fetch.concurrency": min(_AT_ONCE, config.fetch.fixed_concurrency),
        "frontier.backend": "memory",
        "limits.pages": pages,
        "limits.seconds": seconds,
    }


async def _crawl(config: Config, output: str) -> None:
    async with build(config, None, output, Earlier()) as parts:
        await parts.sow(config.seeds)
        await parts.engine.run()


def _pages(records: Sequence[Mapping[str, Any]], folder: Path) -> Iterator[tuple[str, Sampled]]:
    """Yield the pages among the records, each URL once."""
    for record in records:
        url = record["final_url"]
        with contextlib.suppress(FileNotFoundError):  # an error page, or one that asks not to be indexed
            if record["outcome"] == Outcome.OK:
                parts, body = urlsplit(url), (folder / name(url)).read_bytes()
                path = f"{parts.path}?{parts.query}" if parts.query else parts.path
                small = (record["wire_bytes"] or 0) < (record["bytes"] or 0)
                yield url, Sampled(path, record["elapsed_ms"] / 1e3, body, small)


def _reason(records: Sequence[Mapping[str, Any]]) -> str:
    errors = [record["error"]["message"] for record in records if record["error"]]
    return f": {errors[0]}" if errors else ""
