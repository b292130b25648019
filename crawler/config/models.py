"""The whole configuration: every key, with its default and the reason for it.

Sizes are bytes, durations seconds. ``config/default.yaml`` shows the same keys to people who write YAML.
"""

from typing import Literal

from pydantic import Field

from crawler.config.base import Section
from crawler.config.entries import AnalyzerEntry, Analyzers, SinkEntry, Sinks
from crawler.config.fetching import FetchConfig, PolitenessConfig
from crawler.config.processing import CpuConfig, ParseConfig
from crawler.config.scoping import FrontierConfig, LimitsConfig, ScopeConfig
from crawler.config.units import PositiveDuration
from crawler.config.values import Seed

HIDDEN = ("fetch", "headers")
"""The key whose values may be secrets: stored, because a resumed job needs them, but never shown."""


class ObserveConfig(Section):
    """What the crawl says while it runs."""

    progress: Literal["auto", "plain", "none"] = Field(
        "auto",
        description="The live view: a table on a terminal and lines elsewhere, always lines, or nothing. auto, "
        "because log files want no cursor movements.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "warning", description="Least level in crawl.log. warning: what went wrong; -v and -vv show more."
    )
    stats_interval: PositiveDuration = Field(
        1.0, description="Seconds between two states of stats.json. 1 s: fresh for a person, cheap for the crawl."
    )


class Config(Section):
    """The whole configuration."""

    seeds: tuple[Seed, ...] = Field(
        (), description="Where the crawl starts: http and https URLs. Empty, because they are usually arguments."
    )
    scope: ScopeConfig = ScopeConfig()
    limits: LimitsConfig = LimitsConfig()
    frontier: FrontierConfig = FrontierConfig()
    fetch: FetchConfig = FetchConfig()
    politeness: PolitenessConfig = PolitenessConfig()
    parse: ParseConfig = ParseConfig()
    cpu: CpuConfig = CpuConfig()
    analyzers: Analyzers = Field(
        tuple(AnalyzerEntry(name=name) for name in ("content", "language", "keywords", "fingerprint")),
        description="What is made of each page: names, package.module:attr, or {name: ..., as: ..., options: {...}}. "
        "These four, because most uses want the main text, its language and topics, and near-duplicates.",
    )
    sinks: Sinks = Field(
        (SinkEntry(name="jsonl"),),
        description="Where records go: names, or {name: ..., options: {...}}. JSON Lines, because every tool reads "
        "them.",
    )
    observe: ObserveConfig = ObserveConfig()
