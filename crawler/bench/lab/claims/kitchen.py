"""Claim 3: concurrency is dealing with many things at once, parallelism is doing them at once."""

from collections.abc import Sequence
from typing import Any

from crawler.bench.lab.claim import PALETTE, Claim, Exhibit, Figures, Part, Setting, Verdict, all_of, negated, weigh
from crawler.bench.lab.experiments import burn, kitchen
from crawler.bench.lab.isolation import isolated
from crawler.bench.lab.machine import cores, gil_enabled
from crawler.bench.lab.overlap import Span, at_once, share_of_overlap
from crawler.bench.lab.spread import exceeds, lies_above, ratio, spread
from crawler.display import number
from crawler.report.charts import Bar, BarChart, Measured
from crawler.report.gantt import Gantt, Row

COOKS = ("one by one", "coroutines", "threads", "processes")


def measure(setting: Setting) -> Figures:
    """Cook the same dishes by each kind of cook; keep the run of median length for the drawing."""
    speed, scale = isolated(burn.units_per_second), 0.4 if setting.small else 1.0
    runs = setting.interleaved(COOKS, lambda cooks: isolated(kitchen.cook, cooks=cooks, speed=speed, scale=scale))
    return {
        "cores": cores(),
        "gil": gil_enabled(),
        "planned_overlap": round(_planned_overlap(), 3),
        "cooks": {cooks: _sum_up(runs[cooks]) for cooks in COOKS},
        "drawn": {
            cooks: sorted(runs[cooks], key=lambda run: float(run["seconds"]))[len(runs[cooks]) // 2]["dishes"]
            for cooks in COOKS
        },
    }


def _planned_overlap() -> float:
    """Return the share of the working time in which two dishes would be worked on if every cook had a core."""
    spans = []
    for steps in kitchen.RECIPES.values():
        now, ran = 0.0, list[Span]()
        for kind, seconds in steps:
            if kind == "work":
                ran.append((now, now + seconds))
            now += seconds
        spans.append(ran)
    return share_of_overlap(spans)


def _sum_up(runs: Sequence[Any]) -> dict[str, Any]:
    dishes = [list(run["dishes"].values()) for run in runs]
    return {
        "seconds": spread([run["seconds"] for run in runs]),
        "in_progress": spread([at_once([[(dish["began"], dish["ended"])] for dish in each]) for each in dishes]),
        "ran_at_once": spread([share_of_overlap([dish["ran"] for dish in each]) for each in dishes]),
        "ready_at_once": spread([share_of_overlap([dish["ready"] for dish in each]) for each in dishes]),
    }


def judge(figures: Figures) -> Verdict:
    """Weigh dealing with against doing: coroutines do the first alone, processes both."""
    cooks = figures["cooks"]
    bound = figures["planned_overlap"] / 2
    parallel = {
        name: lies_above(cooks[name]["ran_at_once"], cooks[name]["ready_at_once"], bound)
        for name in ("coroutines", "processes")
    }
    many = {name: exceeds(cooks[name]["in_progress"], 1) for name in COOKS}
    quicker = exceeds(ratio(cooks["one by one"]["seconds"], cooks["coroutines"]["seconds"]), 1)
    parts = [
        Part(
            all_of(many["coroutines"], negated(parallel["coroutines"]), quicker),
            f"coroutines had {_dealt(figures, 'coroutines')}, and were done in "
            f"{number(cooks['coroutines']['seconds']['median'])} s instead of "
            f"{number(cooks['one by one']['seconds']['median'])} s",
        ),
        Part(all_of(many["processes"], parallel["processes"]), f"processes had {_dealt(figures, 'processes')}"),
        Part(
            many["threads"],
            f"threads (GIL {'enabled' if figures['gil'] else 'disabled'}) had {_dealt(figures, 'threads')}",
        ),
    ]
    return weigh(parts, "who cooks")


def _dealt(figures: Figures, cooks: str) -> str:
    found = figures["cooks"][cooks]
    return (
        f"{number(found['in_progress']['median'])} dishes in progress at once and worked on two at once in "
        f"{found['ran_at_once']['median']:.0%} of the working time"
    )


def exhibits(figures: Figures) -> Sequence[Exhibit]:
    """Draw what ran when, and how much of it at once."""
    groups = [
        (f"{cooks}: {number(figures['cooks'][cooks]['seconds']['median'] * 1e3)} ms", _rows(figures["drawn"][cooks]))
        for cooks in COOKS
    ]
    bars = [Bar(cooks, Measured.of(figures["cooks"][cooks]["ran_at_once"]).times(100), cooks) for cooks in COOKS]
    planned = (figures["planned_overlap"] * 100, "a core for every dish")
    return [
        Exhibit(Gantt("Who was at the stove when (the run of median length)", "ms", groups), _gantt_caption(figures)),
        Exhibit(
            BarChart("Two dishes worked on at once", "% of the working time", bars, reference=planned, palette=PALETTE),
            _overlap_caption(figures),
        ),
    ]


def _rows(dishes: Any) -> list[Row]:
    return [
        Row(name, dish["began"] * 1e3, dish["ended"] * 1e3, [(a * 1e3, b * 1e3) for a, b in dish["ran"]])
        for name, dish in dishes.items()
    ]


def _gantt_caption(figures: Figures) -> str:
    seconds = {cooks: figures["cooks"][cooks]["seconds"]["median"] for cooks in COOKS}
    first = min(seconds, key=lambda cooks: seconds[cooks])
    return (
        "A block is a dish that is worked on, a dotted line one that was begun and waits: for its water, for the GIL "
        f"or for a core. Done first: {first}, in {number(seconds[first] / seconds['one by one'] * 100)} % of the time "
        "that one dish after another takes."
    )


def _overlap_caption(figures: Figures) -> str:
    ran, ready = (figures["cooks"]["processes"][key]["median"] for key in ("ran_at_once", "ready_at_once"))
    return (
        f"On {figures['cores']} cores. Processes could have worked on two dishes at once in {ready:.0%} of the time "
        f"and did in {ran:.0%}; what is between them, other programs took."
    )


CLAIM = Claim(
    "concurrency-parallelism",
    "Is dealing with many things at once the same as doing many things at once?",
    "Concurrency is dealing with many things at once, parallelism is doing them at once: one cook can look after three "
    "pots, but only two cooks can knead two doughs.",
    "Three dishes (boil noodles, knead dough, prepare pasta) of the same work and the same waits are cooked one by one "
    "and by coroutines, threads and processes. Every quarter of a millisecond of work is noted with the core time that "
    "it got, so the chart shows what really ran when.",
    measure,
    judge,
    exhibits,
)
