"""Claim 10: CPU work in threads starves an event loop beside it; in processes it does not."""

import sys
from collections.abc import Sequence
from typing import Any

from crawler.bench.lab.claim import PALETTE, Claim, Exhibit, Figures, Part, Setting, Verdict, negated, weigh
from crawler.bench.lab.experiments import convoy
from crawler.bench.lab.isolation import isolated
from crawler.bench.lab.machine import cores, gil_enabled
from crawler.bench.lab.server import delay_server
from crawler.bench.lab.spread import Spread, by_key, exceeds, spread
from crawler.display import number
from crawler.report.charts import Bar, BarChart, Measured

_LOOPS = ("selector", "uvloop")
_BESIDE = {
    "nothing": ("threads", 0),
    "1 thread": ("threads", 1),
    "2 threads": ("threads", 2),
    "1 process": ("processes", 1),
    "2 processes": ("processes", 2),
}
_DELAY_S = 0.002
_SHORT_S = 0.0005


def measure(setting: Setting) -> Figures:
    """Ask a server from a loop beside which threads or processes burn CPU."""
    default = sys.getswitchinterval()
    beside = ("nothing", "1 thread", "1 process") if setting.small else tuple(_BESIDE)
    cells = [(loop, name, default) for loop in _LOOPS for name in beside]
    cells += [(loop, "1 thread", _SHORT_S) for loop in _LOOPS]
    with delay_server(_DELAY_S) as ports:
        runs = setting.interleaved(
            cells,
            lambda cell: isolated(
                convoy.serve,
                loop=cell[0],
                beside=_BESIDE[cell[1]],
                seconds=0.25 if setting.small else 0.6,
                interval=cell[2],
                port=ports[0],
            ),
        )
    return {
        "cores": cores(),
        "gil": gil_enabled(),
        "delay_ms": _DELAY_S * 1e3,
        "switch_interval_ms": default * 1e3,
        "short_interval_ms": _SHORT_S * 1e3,
        "loops": {loop: {name: by_key(runs[loop, name, default]) for name in beside} for loop in _LOOPS},
        "short_interval": {loop: by_key(runs[loop, "1 thread", _SHORT_S]) for loop in _LOOPS},
    }


def judge(figures: Figures) -> Verdict:
    """Weigh for each loop how much later answers come: starved is more than half a switch interval."""
    parts = []
    for loop, found in figures["loops"].items():
        quiet, thread, process = (found[name]["ms"]["median"] for name in ("nothing", "1 thread", "1 process"))
        parts += [
            Part(
                _starved(figures, found["1 thread"], found["nothing"]),
                f"beside one thread the {loop} loop has an answer after {number(thread)} ms instead of {number(quiet)}",
            ),
            Part(
                negated(_starved(figures, found["1 process"], found["nothing"])),
                f"beside one process after {number(process)} ms",
            ),
        ]
    return weigh(parts, "what works beside which loop")


def _starved(figures: Figures, found: Any, quiet: Any) -> bool | None:
    return exceeds(_late(found, quiet), figures["switch_interval_ms"] / 2)


def _late(found: Any, quiet: Any) -> Spread:
    return spread([a - b for a, b in zip(found["ms"]["runs"], quiet["ms"]["runs"], strict=True)])


def exhibits(figures: Figures) -> Sequence[Exhibit]:
    """Draw the time to an answer on each loop, and what a shorter switch interval changes."""
    charts = [Exhibit(_chart(figures, loop), _caption(figures, loop)) for loop in figures["loops"]]
    return [*charts, Exhibit(_interval_chart(figures), _interval_caption(figures))]


def _chart(figures: Figures, loop: str) -> BarChart:
    bars = [
        Bar(f"{name} beside, {text}", Measured.of(found[key]), _BESIDE[name][0] if _BESIDE[name][1] else "inline")
        for name, found in figures["loops"][loop].items()
        for key, text in (("ms", "median"), ("p95_ms", "95th percentile"))
    ]
    reference = (figures["delay_ms"], "the server's own delay")
    return BarChart(f"From question to answer, {loop} loop", "ms", bars, reference=reference, palette=PALETTE)


def _caption(figures: Figures, loop: str) -> str:
    texts = (f"{number(found['ms']['median'])} beside {name}" for name, found in figures["loops"][loop].items())
    return (
        f"Half of the answers are there after (ms): {', '.join(texts)}. The switch interval is "
        f"{number(figures['switch_interval_ms'])} ms; the machine has {figures['cores']} cores."
    )


def _interval_chart(figures: Figures) -> BarChart:
    names = {"loops": figures["switch_interval_ms"], "short_interval": figures["short_interval_ms"]}
    bars = [
        Bar(
            f"{loop}, switch interval {number(names[key])} ms", Measured.of(_one_thread(figures, key, loop)["ms"]), loop
        )
        for loop in _LOOPS
        for key in names
    ]
    return BarChart("One thread beside the loop: a shorter switch interval", "ms", bars)


def _one_thread(figures: Figures, key: str, loop: str) -> Any:
    return figures[key][loop]["1 thread"] if key == "loops" else figures[key][loop]


def _interval_caption(figures: Figures) -> str:
    texts = []
    for loop in _LOOPS:
        long, short = (_one_thread(figures, key, loop) for key in ("loops", "short_interval"))
        work = short["work"]["median"] / long["work"]["median"]
        texts.append(
            f"on the {loop} loop an answer takes {number(short['ms']['median'])} ms instead of "
            f"{number(long['ms']['median'])}, and the thread does {work:.0%} of its work"
        )
    return f"With a switch interval of {number(figures['short_interval_ms'])} ms: {'; '.join(texts)}."


CLAIM = Claim(
    "convoy",
    "What happens to an event loop when threads of the same program compute?",
    "CPU work in threads starves an event loop beside it, which gets the GIL back only after a switch interval; CPU "
    "work in processes does not.",
    "A coroutine asks a server in another process again and again, and the server answers after two milliseconds in "
    "which the loop has nothing to do, while threads or processes burn CPU. Time is from question to answer, on "
    "asyncio's selector loop and on uvloop.",
    measure,
    judge,
    exhibits,
)
