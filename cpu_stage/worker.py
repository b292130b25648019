"""All that a worker runs: load the analyzers once, then batches of pages in, plain data out."""

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing import connection, parent_process
from typing import Protocol

from cpu_stage.analyze import run
from cpu_stage.loading import AnalyzerSpec, LoadedAnalyzer, load
from cpu_stage.parse import ParseOptions, parse, strip
from cpu_stage.types import Analysis, AnalysisError, Page


class Pulse(Protocol):
    """Two numbers shared with the stage: where the worker is (:func:`position`), and since when (monotonic)."""

    def __getitem__(self, index: int, /) -> float: ...
    def __setitem__(self, index: int, value: float, /) -> None: ...


_NOINDEX = frozenset({"noindex", "none"})
_STEPS = 1_000
_PAGES = 10_000
PARSE_STEP = 0
"""The step of a page that parses it; analyzer ``i`` is step ``i + 1``."""


def position(batch: int, page: int, step: int) -> float:
    """Pack a place in the work into one float, which is written and read in one piece."""
    return float((batch * _PAGES + page) * _STEPS + step)


def place(position: float) -> tuple[int, int, int]:
    """Unpack :func:`position` into (batch, page, step)."""
    rest, step = divmod(int(position), _STEPS)
    batch, page = divmod(rest, _PAGES)
    return batch, page, step


@dataclass(frozen=True, slots=True)
class RawPage:
    """A page that the worker is to parse: the decoded body, the ``Content-Type`` and ``X-Robots-Tag`` headers."""

    url: str
    content_type: str
    body: bytes
    robots: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What every worker does: sent once, when it starts."""

    analyzers: tuple[AnalyzerSpec, ...] = ()
    parse: ParseOptions = field(default_factory=ParseOptions)
    obey_noindex: bool = True
    nice: int = 5
    page_memory: int | None = None

    def modules(self) -> list[str]:
        """Name the modules of this package that a fork server loads ahead, so that workers share them."""
        targets = (spec.target.partition(":")[0] for spec in self.analyzers)
        return ["cpu_stage.worker", *(name for name in targets if name.startswith("cpu_stage."))]


@dataclass(frozen=True, slots=True)
class Work:
    """One page of a batch. ``skip`` names the analyzers that failed on it before: they do not run again."""

    item: Page | RawPage
    skip: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Processed:
    """One page's result. ``page`` (without text and html) only where the worker parsed it."""

    page: Page | None
    analysis: Analysis
    parse_s: float


def noindex(page: Page) -> bool:
    """Whether the page asks not to be indexed (robots meta or ``X-Robots-Tag``): then it is not analysed."""
    return not _NOINDEX.isdisjoint(page.meta.get("robots", "").split(", "))


class _Bench:
    """A worker's tools, loaded once."""

    def __init__(self, plan: Plan, pulse: Pulse) -> None:
        self.plan = plan
        self.pulse = pulse
        self.analyzers: Sequence[LoadedAnalyzer] = [load(spec) for spec in plan.analyzers]
        self.name = f"{os.getpid()}/{threading.current_thread().name}"

    def process(self, work: Work, at: Callable[[int], None]) -> Processed:
        """Parse where needed, then run every analyzer; never raises for a page."""
        item, parsed, parse_s = work.item, None, 0.0
        if isinstance(item, RawPage):
            at(PARSE_STEP)
            start = time.perf_counter()
            item = parse(item.url, item.content_type, item.body, self.plan.parse, robots=item.robots)
            parsed, parse_s = strip(item), time.perf_counter() - start
        if self.plan.obey_noindex and noindex(item):
            return Processed(parsed, Analysis(item.url, {}, {}, 0.0, self.name), parse_s)
        wanted = [(i, a) for i, a in enumerate(self.analyzers) if a.name not in work.skip]
        analysis = run([a for _, a in wanted], item, self.name, lambda n: at(wanted[n][0] + 1))
        return Processed(parsed, analysis, parse_s)


_local = threading.local()


def init(plan: Plan, pulse: Pulse) -> None:
    """Load what the plan needs, once per worker (a process or a thread).

    An error is kept and raised by :func:`ready`: an exception here would break a stdlib pool without a word.
    """
    try:
        _local.bench = _Bench(plan, pulse)
    except Exception as error:  # noqa: BLE001 - a user's module may raise anything when imported
        _local.error = f"{type(error).__name__}: {error}"


def init_process(plan: Plan, pulse: Pulse) -> None:
    """Prepare a process of our own: deaf to Ctrl-C, gone with its parent, polite to the event loop."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with_parent()
    with contextlib.suppress(OSError):
        os.nice(plan.nice)
    init(plan, pulse)


def ready() -> int:
    """Return the worker's process id once its analyzers are loaded; RuntimeError says why they are not."""
    if error := getattr(_local, "error", None):
        raise RuntimeError(error)
    return os.getpid()


def run_batch(number: int, batch: Sequence[Work]) -> list[Processed]:
    """Process a batch in order; what comes back is plain data, so it can always be pickled."""
    bench: _Bench = _local.bench
    pulse, results = bench.pulse, []
    for page, work in enumerate(batch):
        pulse[1] = time.monotonic()

        def at(step: int, page: int = page) -> None:
            pulse[0] = position(number, page, step)

        at(PARSE_STEP)
        results.append(bench.process(work, at))
    pulse[0] = position(number, len(batch), PARSE_STEP)
    return results


def failed(item: Page | RawPage, errors: Mapping[str, AnalysisError]) -> Processed:
    """Make the result of a page that no worker could finish."""
    page = Page(item.url, item.content_type, "", None) if isinstance(item, RawPage) else None
    return Processed(page, Analysis(item.url, {}, errors, 0.0, ""), 0.0)


def _die_with_parent() -> None:
    """End this process when the crawler does, however that ends (SIGKILL included).

    A thread waits for the parent's sentinel; where the kernel offers it, PR_SET_PDEATHSIG also ends a worker
    whose thread cannot run because C code holds the GIL (the fork server exits with the crawler).
    """
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGKILL)
    parent = parent_process()
    if parent is not None:
        sentinel = parent.sentinel

        def watch() -> None:
            connection.wait([sentinel])
            os._exit(1)

        threading.Thread(target=watch, name="parent-watch", daemon=True).start()
