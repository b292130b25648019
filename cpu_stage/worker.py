"""All that a worker runs: load the analyzers once, then batches of pages in, plain data out."""

import hashlib
import importlib
import os
import threading
import time
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import field
from typing import TypeAlias

from cpu_stage import parsers
from cpu_stage.analyze import Begin, describe, run
from cpu_stage.immutable import immutable
from cpu_stage.loading import AnalyzerError, AnalyzerSpec, LoadedAnalyzer, libraries, load
from cpu_stage.notes import Notes
from cpu_stage.parcels import Parcel, unpack
from cpu_stage.pulse import PARSE_STEP, POSITION, RESIDENT, Pulse, position
from cpu_stage.resident import ResidentMemory
from cpu_stage.slab import SharedMemory, Slab
from cpu_stage.types import Analysis, AnalysisError, Crossing, Json, Page, ParseOptions

PARSE = "parse"
"""The name under which a page fails in ``analysis_error`` where no single analyzer is to blame."""

_NOINDEX = frozenset({"noindex", "none"})

_FRESH_S = 0.001
"""How long a reading of the memory will do: pages that take less cannot take much of it."""


@immutable
class RawPage(Crossing):
    """A page that the worker is to parse: the decoded body, the ``Content-Type`` and ``X-Robots-Tag`` headers."""

    url: str
    content_type: str
    body: bytes
    robots: str = ""


@immutable
class Plan:
    """What every worker does: sent once, when it starts.

    ``raw`` is whether raw pages come, for which the worker loads a parser. ``nice`` is the OS priority of worker
    processes: as a rule the event loop comes first. ``meter`` is whether a worker notes its memory at every page, which
    a limit of memory needs and which costs two microseconds at a time.
    """

    analyzers: tuple[AnalyzerSpec, ...] = ()
    parse: ParseOptions = field(default_factory=ParseOptions)
    obey_noindex: bool = True
    raw: bool = True
    nice: int = 5
    meter: bool = False

    def modules(self) -> list[str]:
        """Name the modules that a fork server loads ahead, so that its workers are quick to start and share them.

        Raises:
            AnalyzerError: an analyzer's module cannot be imported.
        """
        names = ["cpu_stage.parse", parsers.PARSERS.get(self.parse.parser, "cpu_stage.parsers")] if self.raw else []
        for spec in self.analyzers:
            names += [spec.target.partition(":")[0]] if spec.target.startswith("cpu_stage.") else []
            names += libraries(spec)
        return names


Result: TypeAlias = tuple[
    Page | None, Mapping[str, Mapping[str, Json]], Mapping[str, AnalysisError], float, str, float, str | None
]


@immutable
class Processed:
    """One page's result. ``page`` (without text and html) and its body's ``sha256`` only where the worker parsed it."""

    page: Page | None
    analysis: Analysis
    parse_s: float
    sha256: str | None = None

    def flat(self) -> Result:
        """Return it as it is sent back: the page's URL is known there, and tuples are cheaper than any object."""
        analysis = self.analysis
        return (
            self.page,
            analysis.values,
            analysis.errors,
            analysis.cpu_s,
            analysis.worker,
            self.parse_s,
            self.sha256,
        )

    @classmethod
    def received(cls, url: str, result: Result) -> "Processed":
        """Return what :meth:`flat` was made of."""
        page, values, errors, cpu_s, worker, parse_s, sha256 = result
        return cls(page, Analysis(url, values, errors, cpu_s, worker), parse_s, sha256)


@immutable
class Finished:
    """A batch's results, in the order of its pages, and the seconds that they took (by the clock on the wall)."""

    results: list[Result]
    seconds: float


def noindex(page: Page) -> bool:
    """Whether the page asks not to be indexed (robots meta or ``X-Robots-Tag``): then it is not analysed."""
    return not _NOINDEX.isdisjoint(page.meta.get("robots", "").split(", "))


def failed(item: Page | RawPage, errors: Mapping[str, AnalysisError]) -> Processed:
    """Make the result of a page that could not be finished."""
    page = Page(item.url, item.content_type, "", None) if isinstance(item, RawPage) else None
    return Processed(page, Analysis(item.url, {}, errors, 0.0, ""), 0.0)


class _Bench:
    """A worker's tools, loaded once."""

    def __init__(self, plan: Plan, pulse: Pulse) -> None:
        self.plan = plan
        self.pulse = pulse
        self.memory = ResidentMemory() if plan.meter else None
        self.analyzers: Sequence[LoadedAnalyzer] = [load(spec) for spec in plan.analyzers]
        self.name = f"{os.getpid()}/{threading.current_thread().name}"
        if plan.raw:
            parsers.load(plan.parse.parser)
            importlib.import_module("cpu_stage.parse")

    def process(self, item: Page | RawPage, skip: frozenset[str], begin: Begin) -> Processed:
        """Parse where needed, then run every analyzer; never raises for a page."""
        if not isinstance(item, RawPage):
            return Processed(None, self._analyze(item, skip, begin), 0.0)
        start = time.perf_counter()
        try:
            page, stripped = _parse(item, self.plan.parse)
        except Exception as error:  # noqa: BLE001 - one page must not cost its batch-mates their results
            return failed(item, {PARSE: describe(error)})
        parse_s = time.perf_counter() - start
        digest = hashlib.sha256(item.body).hexdigest()  # here it takes nothing of the event loop's process
        return Processed(stripped, self._analyze(page, skip, begin), parse_s, digest)

    def _analyze(self, page: Page, skip: frozenset[str], begin: Begin) -> Analysis:
        if self.plan.obey_noindex and noindex(page):
            return Analysis(page.url, {}, {}, 0.0, self.name)
        if not skip:
            return run(self.analyzers, page, self.name, begin)
        wanted = [(i, a) for i, a in enumerate(self.analyzers) if a.name not in skip]
        return run([a for _, a in wanted], page, self.name, lambda n, values: begin(wanted[n][0], values))


def _parse(raw: RawPage, options: ParseOptions) -> tuple[Page, Page]:
    """Return the page for the analyzers, and what goes back of it."""
    # Parsing needs C extensions, which a worker that never does it may be unable to load (a subinterpreter).
    from cpu_stage.parse import parse, strip  # noqa: PLC0415 - see above

    page = parse(raw.url, raw.content_type, raw.body, options, robots=raw.robots)
    return page, strip(page)


# Every kind of worker has a context of its own: a process, a thread, an interpreter, and the inline executor.
_pulse: ContextVar[Pulse] = ContextVar("_pulse")
_slab: ContextVar[Slab] = ContextVar("_slab")
_notes: ContextVar[Notes] = ContextVar("_notes")
_bench: ContextVar[_Bench] = ContextVar("_bench")


def attach(pulse: Pulse, memory: SharedMemory = b"", notes: SharedMemory = b"") -> None:
    """Make ``pulse`` the one through which this worker speaks, and ``memory`` where it finds the texts of its pages.

    In ``notes`` it leaves what it knows of a page, in case that it dies of it.
    """
    _pulse.set(pulse)
    _slab.set(Slab(memory))
    _notes.set(Notes(notes))


def prepare(plan: Plan) -> str | None:
    """Load what the plan needs, once per worker; return why that cannot be done, None where it is.

    An error is a text: an exception of a user's module may be one that no other process can rebuild.
    """
    try:
        _bench.set(_Bench(plan, _pulse.get()))
    except Exception as error:  # noqa: BLE001 - a user's module may raise anything when imported
        words = str(error) if isinstance(error, (AnalyzerError, ValueError)) else describe(error).message
        refused = "subinterpreters" in words  # as CPython, Cython and PyO3 put it
        return f"{words}; choose cpu.executor: processes" if refused else words
    return None


def run_batch(number: int, batch: Sequence[Parcel]) -> Finished:
    """Process a batch in order; what comes back is plain data, so it can always be pickled."""
    bench, start = _bench.get(), time.perf_counter()
    pulse, memory, part, notes, results = bench.pulse, bench.memory, _slab.get().part(number), _notes.get(), []
    stale = 0.0
    for page, parcel in enumerate(batch):
        here = position(number, page, PARSE_STEP)

        def begin(analyzer: int, values: Mapping[str, Mapping[str, Json]], here: float = here) -> None:
            notes.keep(values)
            pulse[POSITION] = here + analyzer + 1

        if memory and time.perf_counter() > stale:
            pulse[RESIDENT] = memory.read()
            stale = time.perf_counter() + _FRESH_S
        notes.begin(here)
        pulse[POSITION] = here
        results.append(bench.process(*unpack(parcel, part), begin).flat())
    pulse[POSITION] = position(number, len(batch), PARSE_STEP)
    return Finished(results, time.perf_counter() - start)
