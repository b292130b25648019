"""Claim 1: what a process, a thread and a coroutine are, by what they own and what they cost."""

from collections.abc import Mapping, Sequence
from typing import Any

from crawler.bench.lab.claim import PALETTE, Claim, Exhibit, Figures, Part, Setting, Verdict, all_of, weigh
from crawler.bench.lab.experiments import creation
from crawler.bench.lab.isolation import isolated
from crawler.bench.lab.machine import most_threads
from crawler.bench.lab.spread import Spread, by_key, exceeds, ratio
from crawler.display import number
from crawler.report.charts import Line, LineChart, Measured

PROCESSES = ("spawn", "forkserver", "fork")
NAMES = {
    "spawn": "processes (spawn)",
    "forkserver": "processes (forkserver)",
    "fork": "processes (fork)",
    "thread": "threads",
    "coroutine": "coroutines",
}
_FULL = {
    "spawn": (1, 8),
    "forkserver": (1, 8),
    "fork": (1, 10, 64),
    "thread": (10, 100, 1_000, 2_000),
    "coroutine": (10, 100, 1_000, 10_000),
}
_SMALL = {"spawn": (2,), "forkserver": (2,), "fork": (4,), "thread": (10, 200), "coroutine": (10, 2_000)}


def measure(setting: Setting) -> Figures:
    """Make many of each kind, and see what one of each shares with its maker."""
    room = most_threads()
    counts = {kind: [n for n in counts if n <= room] for kind, counts in (_SMALL if setting.small else _FULL).items()}
    cells = [(kind, count) for kind, numbers in counts.items() for count in numbers]
    costs = setting.interleaved(cells, lambda cell: isolated(creation.create, kind=cell[0], count=cell[1]))
    return {
        "owns": {kind: isolated(creation.ownership, kind=kind) for kind in counts},
        "cost": {kind: {str(n): by_key(costs[kind, n]) for n in numbers} for kind, numbers in counts.items()},
    }


def judge(figures: Figures) -> Verdict:
    """Weigh who owns what, and the order of the costs."""
    owns = figures["owns"]
    apart = all(not any(owns[kind].values()) for kind in PROCESSES)
    thread, coroutine = owns["thread"], owns["coroutine"]
    inside = thread["same_process"] and thread["sees_memory"] and thread["sees_files"] and not thread["same_thread"]
    within = coroutine["same_thread"] and coroutine["sees_memory"] and coroutine["sees_files"]
    parts = [
        Part(apart, f"what a process writes or opens, its maker {'does not see' if apart else 'sees'}"),
        Part(inside, f"what a thread does in its maker's process {'is' if inside else 'is not'} shared with it"),
        Part(within, f"a coroutine {'runs' if within else 'does not run'} in its maker's own thread"),
        _order(figures, "us", "µs", "making one"),
        _order(figures, "kib", "KiB", "keeping one"),
    ]
    return weigh(parts, "what is compared")


def _most(figures: Figures, kind: str, key: str) -> Spread:
    """Return the cost of each where the most were made."""
    value: Spread = list(figures["cost"][kind].values())[-1][key]
    return value


def _order(figures: Figures, key: str, unit: str, doing: str) -> Part:
    """Say whether a process costs more than a thread, and a thread more than a coroutine."""
    fork, thread, coroutine = (_most(figures, kind, key) for kind in ("fork", "thread", "coroutine"))
    text = (
        f"{doing} takes {number(fork['median'])} {unit} for a forked process, {number(thread['median'])} for a thread "
        f"and {number(coroutine['median'])} for a coroutine"
    )
    return Part(all_of(exceeds(ratio(fork, thread), 1), exceeds(ratio(thread, coroutine), 1)), text)


def exhibits(figures: Figures) -> Sequence[Exhibit]:
    """Draw time and memory over the number made."""
    return [
        Exhibit(_lines("Time to make one", "µs each", figures, "us", each=True), _time_caption(figures)),
        Exhibit(_lines("Memory of all of them", "MiB", figures, "kib", each=False), _memory_caption(figures)),
    ]


def _lines(title: str, unit: str, figures: Figures, key: str, *, each: bool) -> LineChart:
    lines = [Line(NAMES[kind], _points(costs, key, each=each)) for kind, costs in figures["cost"].items()]
    return LineChart(title, "alive at once", unit, lines, log_x=True, log_y=True, palette=PALETTE)


def _points(costs: Mapping[str, Any], key: str, *, each: bool) -> list[tuple[float, Measured]]:
    return [
        (float(count), Measured.of(cost[key]) if each else Measured.of(cost[key]).times(int(count) / 1024))
        for count, cost in costs.items()
    ]


def _time_caption(figures: Figures) -> str:
    fork, thread = (ratio(_most(figures, kind, "us"), _most(figures, "coroutine", "us")) for kind in ("fork", "thread"))
    return (
        f"For the time of one coroutine a thread takes {number(thread['median'])} and a forked process "
        f"{number(fork['median'])} times as long; with spawn, which begins a new interpreter, a process takes "
        f"{number(_most(figures, 'spawn', 'us')['median'] / 1e3)} ms."
    )


def _memory_caption(figures: Figures) -> str:
    thread, reserved = _most(figures, "thread", "kib"), _most(figures, "thread", "reserved_kib")
    return (
        f"A thread reserves {number(reserved['median'] / 1024)} MiB of addresses for its stack, but only "
        f"{number(thread['median'])} KiB of memory stand behind them; a coroutine takes "
        f"{number(_most(figures, 'coroutine', 'kib')['median'])} KiB, a forked process "
        f"{number(_most(figures, 'fork', 'kib')['median'])} KiB at birth and more with every page that it writes to."
    )


CLAIM = Claim(
    "processes-threads-coroutines",
    "What do a process, a thread and a coroutine own, and what does one cost?",
    "A process is memory and resources of its own; a thread runs inside a process, a coroutine inside a thread.",
    "One worker of each kind writes to a global and opens a file, and its maker looks whether it sees either; then "
    "many of a kind are made in a fresh interpreter, all alive at once. Time is until the last has run its first "
    "line; memory is the proportional set size of all processes (the kernel's own memory is not in it).",
    measure,
    judge,
    exhibits,
)
