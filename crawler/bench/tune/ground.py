"""Where variants are tried: the sampled pages, served back, crawled by the user's own configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cpu_stage.types import Json
from crawler.bench.matrix.orders import Order
from crawler.bench.matrix.variants import variant
from crawler.bench.tune.replay import Replay
from crawler.bench.tune.sample import Sampled

WARM_UP = 60
"""Pages that a process crawls before what counts."""

_THE_SITES = ("seeds", "scope.", "limits.pages", "limits.depth", "limits.seconds", "limits.bytes", "politeness.")


@dataclass(frozen=True, slots=True)
class Ground:
    """The user's settings by dotted key, the pages, and the server that has them."""

    settings: Mapping[str, Json]
    pages: Sequence[Sampled]
    replay: Replay


@dataclass(frozen=True, slots=True)
class Trial:
    """One crawl: by which variant, so many requests at once, of which URLs, with these settings changed."""

    variant: str
    width: int
    urls: Sequence[str]
    changed: Mapping[str, Json] = field(default_factory=dict)

    def order(self, settings: Mapping[str, Json]) -> Order:
        """Return what the process is told: the user's settings, but for what belongs to the site itself.

        All URLs are crawled, and nothing else: their links are queued as in any crawl, and wait.
        """
        chosen = variant(self.variant)
        own = {key: value for key, value in settings.items() if not key.startswith(_THE_SITES)}
        replayed: dict[str, Json] = {
            "seeds": list(self.urls),
            "limits.pages": len(self.urls),
            "politeness.delay": 0,
            "fetch.per_host": self.width,
            "fetch.concurrency": self.width,
            "frontier.commit_interval": 0.05,  # a run of seconds must not wait long for its last
            "fetch.mode": chosen.fetch,
            "cpu.executor": chosen.cpu,
        }
        return Order(self.variant, (), self.width, 0, WARM_UP, {**own, **replayed, **self.changed}, (), "")
