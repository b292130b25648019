"""Claim 5: threads help where a program waits; coroutines do it with less."""

from collections.abc import Sequence

from crawler.bench.lab.claim import PALETTE, Claim, Exhibit, Figures, Part, Setting, Verdict, weigh
from crawler.bench.lab.experiments import waits
from crawler.bench.lab.experiments.delay_server import RATE
from crawler.bench.lab.isolation import isolated
from crawler.bench.lab.machine import most_sockets, most_threads
from crawler.bench.lab.server import delay_server
from crawler.bench.lab.spread import Spread, by_key, exceeds, ratio
from crawler.display import number
from crawler.report.charts import Line, LineChart, Measured

_KINDS = ("threads", "coroutines", "coroutines (uvloop)")
_FEW = 10
_DELAY_S = 0.1


def measure(setting: Setting) -> Figures:
    """Wait for a server that answers after a tenth of a second: one by one, and many at once."""
    room = min(most_threads(), most_sockets())
    counts = [n for n in ((_FEW, 500) if setting.small else (_FEW, 100, 1_000, 5_000)) if n <= room]
    cells = [("one by one", _FEW), *((kind, count) for kind in _KINDS for count in counts)]
    with delay_server(_DELAY_S) as ports:
        runs = setting.interleaved(cells, lambda cell: isolated(waits.wait, kind=cell[0], count=cell[1], ports=ports))
    return {
        "delay_ms": _DELAY_S * 1e3,
        "answers_per_second": RATE,
        "one_by_one": {str(_FEW): by_key(runs["one by one", _FEW])},
        "at_once": {kind: {str(n): by_key(runs[kind, n]) for n in counts} for kind in _KINDS},
    }


def judge(figures: Figures) -> Verdict:
    """Weigh threads against waiting in turn, then coroutines against threads where they are most."""
    turn, few = figures["one_by_one"][str(_FEW)]["seconds"], figures["at_once"]["threads"][str(_FEW)]["seconds"]
    parts = [
        Part(
            exceeds(ratio(turn, few), 1),
            f"{_FEW} waits take {number(turn['median'])} s one by one and {number(few['median'])} s in threads",
        ),
        _less(figures, "mib", "MiB"),
        _less(figures, "cpu_ms", "ms of CPU"),
        _less(figures, "seconds", "s"),
    ]
    return weigh(parts, "what is counted")


def _most(figures: Figures, kind: str, key: str) -> Spread:
    """Return a quantity where most wait at once."""
    value: Spread = list(figures["at_once"][kind].values())[-1][key]
    return value


def _less(figures: Figures, key: str, unit: str) -> Part:
    threads, coroutines = (_most(figures, kind, key) for kind in ("threads", "coroutines"))
    most = int(list(figures["at_once"]["threads"])[-1])
    text = (
        f"{number(most)} waits at once take {number(threads['median'])} {unit} in threads and "
        f"{number(coroutines['median'])} in coroutines"
    )
    return Part(exceeds(ratio(threads, coroutines), 1) if coroutines["low"] else None, text)


def exhibits(figures: Figures) -> Sequence[Exhibit]:
    """Draw time, memory and the kernel's switches over the number of waits."""
    return [
        Exhibit(_lines("Time for all waits", "s", figures, "seconds"), _time_caption(figures)),
        Exhibit(_lines("Memory that the waits took at their peak", "MiB", figures, "mib"), _memory_caption(figures)),
        Exhibit(_lines("Switches by the kernel", "times", figures, "switches"), _switches_caption(figures)),
    ]


def _lines(title: str, unit: str, figures: Figures, key: str) -> LineChart:
    lines = [
        Line(kind, [(float(n), Measured.of(found[key])) for n, found in by_count.items()])
        for kind, by_count in figures["at_once"].items()
    ]
    return LineChart(title, "waits at once", unit, lines, log_x=True, log_y=True, palette=PALETTE)


def _time_caption(figures: Figures) -> str:
    most = list(figures["at_once"]["threads"])[-1]
    floor = figures["delay_ms"] / 1e3 + int(most) / figures["answers_per_second"]
    texts = (f"{kind} {number(_most(figures, kind, 'seconds')['median'])} s" for kind in _KINDS)
    return (
        f"All have their answers after {number(floor)} s at the earliest where {number(int(most))} wait: the server "
        f"begins when all are there and sends {number(figures['answers_per_second'])} a second. Measured: "
        f"{', '.join(texts)}."
    )


def _memory_caption(figures: Figures) -> str:
    most = int(list(figures["at_once"]["threads"])[-1])
    texts = (
        f"{number(_most(figures, kind, 'mib')['median'] * 1024 / most)} KiB for one of the {kind}" for kind in _KINDS
    )
    return f"Where {number(most)} wait at once: {', '.join(texts)}, its socket included."


def _switches_caption(figures: Figures) -> str:
    most = int(list(figures["at_once"]["threads"])[-1])
    texts = (f"{number(_most(figures, kind, 'switches')['median'] / most)} for one of the {kind}" for kind in _KINDS)
    return f"The kernel took a core away or was given it back, where {number(most)} wait at once: {', '.join(texts)}."


CLAIM = Claim(
    "io-bound",
    "How should a program wait for thousands of answers at once?",
    "Threads help I/O-bound work, although there is a GIL; coroutines help as much with less memory and less CPU.",
    "Real connections on loopback ask a server in another process, which begins to answer a tenth of a second after "
    "all have asked, so that all really wait at once. Each number of waits runs in a fresh interpreter; time "
    "includes starting the threads or coroutines, memory is the peak above what the interpreter took before.",
    measure,
    judge,
    exhibits,
)
