"""What is compared: ways to fetch and ways to analyse, and three controls without the crawler's engine."""

from dataclasses import dataclass
from typing import Literal

from cpu_stage.executors import interpreters
from cpu_stage.types import StageError
from crawler.errors import ConfigError

Fetch = Literal["coroutines", "threads", "sequential"]
Loop = Literal["uvloop", "asyncio"]

FETCHES: tuple[Fetch, ...] = ("coroutines", "threads")
CPUS = ("inline", "threads", "processes", "interpreters")
_PLAIN = "@asyncio"


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to crawl. ``loop`` is None where there is no event loop; ``control``: not the crawler's engine."""

    name: str
    fetch: Fetch
    cpu: str
    loop: Loop | None
    control: bool


_CONTROLS = (
    Variant("sequential", "sequential", "inline", None, control=True),
    Variant("threaded", "threads", "threads", None, control=True),
    Variant("textbook", "coroutines", "pool", "uvloop", control=True),
)
_ENGINE = tuple(Variant(f"{fetch}+{cpu}", fetch, cpu, "uvloop", control=False) for fetch in FETCHES for cpu in CPUS)
_ON_UVLOOP = (*_CONTROLS, *_ENGINE)

VARIANTS = {variant.name: variant for variant in _ON_UVLOOP} | {
    variant.name + _PLAIN: Variant(variant.name + _PLAIN, variant.fetch, variant.cpu, "asyncio", variant.control)
    for variant in _ON_UVLOOP
    if variant.loop
}
"""By name. Those whose name ends in ``@asyncio`` run on the standard library's loop, the others on uvloop."""


def variant(name: str) -> Variant:
    """Return the variant of a name.

    Raises:
        ConfigError: there is none.
    """
    if name not in VARIANTS:
        raise ConfigError(f"variant {name!r} is unknown; accepted: {', '.join(VARIANTS)}")
    return VARIANTS[name]


def obstacle(chosen: Variant, *, mock: bool) -> str | None:
    """Say why a variant cannot run here; None where it can."""
    if mock and chosen.fetch != "coroutines":
        return "aioresponses answers aiohttp alone"
    if chosen.cpu == "interpreters":
        try:
            interpreters.check()
        except StageError as error:
            return str(error)
    return None
