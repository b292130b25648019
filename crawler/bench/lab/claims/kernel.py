"""Claim 2: threads are the kernel's, coroutines are not."""

from collections.abc import Sequence

from crawler.bench.lab.claim import (
    PALETTE,
    Claim,
    Exhibit,
    Figures,
    Part,
    Setting,
    Verdict,
    all_of,
    negated,
    sentence,
    weigh,
)
from crawler.bench.lab.experiments import kernel
from crawler.bench.lab.isolation import isolated
from crawler.bench.lab.machine import cores, most_threads
from crawler.bench.lab.spread import by_key, exceeds, lies_above
from crawler.display import number
from crawler.report.charts import Bar, BarChart, Line, LineChart, Measured

_KINDS = ("thread", "coroutine")
_TOGETHER, _ON_CORES = 10, 2


def measure(setting: Setting) -> Figures:
    """Count kernel tasks; time blocking calls, core use and switches."""
    counts = [n for n in ((10, 100) if setting.small else (10, 100, 1_000, 2_000)) if n <= most_threads()]
    pause, blocks, turns = (0.02, 60, 10_000) if setting.small else (0.05, 200, 50_000)

    def one(kind: str) -> dict[str, float]:
        return {
            "blocked_calls": isolated(kernel.block, kind=kind, count=_TOGETHER, seconds=pause)["calls"],
            **isolated(kernel.use_cores, kind=kind, count=_ON_CORES, blocks=blocks),
            **isolated(kernel.switch, kind=kind, count=turns),
        }

    rounds = setting.interleaved(_KINDS, one)
    return {
        "cores": cores(),
        "blocking_together": _TOGETHER,
        "ids": {kind: {str(n): isolated(kernel.ids, kind=kind, count=n) for n in counts} for kind in _KINDS},
        **{kind: by_key(rounds[kind]) for kind in _KINDS},
    }


def judge(figures: Figures) -> Verdict:
    """Weigh ids, blocking calls and cores."""
    return weigh([_ids(figures), _blocking(figures), _cores(figures)], "what is looked at")


def _ids(figures: Figures) -> Part:
    threads, coroutines = figures["ids"]["thread"], figures["ids"]["coroutine"]
    kernel_made = all(seen["kernel_tasks"] == seen["distinct_ids"] == int(n) for n, seen in threads.items())
    not_made = all(seen["kernel_tasks"] == 0 and seen["distinct_ids"] == 1 for seen in coroutines.values())
    most, many = list(threads)[-1], list(coroutines)[-1]
    holds = kernel_made and not_made
    text = (
        f"{number(int(most))} threads made {number(threads[most]['kernel_tasks'])} kernel tasks with "
        f"{number(threads[most]['distinct_ids'])} ids, {number(int(many))} coroutines made "
        f"{number(coroutines[many]['kernel_tasks'])} and saw {number(coroutines[many]['distinct_ids'])} id"
    )
    return Part(holds, f"{text} (notes that call Python's threads user-level are wrong)" if holds else text)


def _blocking(figures: Figures) -> Part:
    """Half-way between one call's time (all at once) and all calls' (one after another) is the bound."""
    count, calls = figures["blocking_together"], {kind: figures[kind]["blocked_calls"] for kind in _KINDS}
    bound = (1 + count) / 2
    at_once, in_turn = exceeds(calls["thread"], bound), exceeds(calls["coroutine"], bound)
    text = (
        f"{count} blocking calls took as long as {number(calls['thread']['median'])} in threads and as "
        f"{number(calls['coroutine']['median'])} in coroutines"
    )
    return Part(all_of(negated(at_once), in_turn), text)


def _cores(figures: Figures) -> Part:
    used = {kind: figures[kind]["used"]["median"] for kind in _KINDS}
    thread, coroutine = (lies_above(figures[kind]["used"], figures[kind]["wanted"], 1.5) for kind in _KINDS)
    text = (
        f"hashing used {number(used['thread'])} cores at once in {_ON_CORES} threads and {number(used['coroutine'])} "
        f"in {_ON_CORES} coroutines"
    )
    return Part(all_of(thread, negated(coroutine)), text)


def exhibits(figures: Figures) -> Sequence[Exhibit]:
    """Draw the tasks, the blocking calls and the cost of a switch."""
    lines = [
        Line(
            f"{kind}s", [(float(n), Measured.exactly(seen["kernel_tasks"])) for n, seen in figures["ids"][kind].items()]
        )
        for kind in _KINDS
    ]
    tasks = LineChart("What the kernel sees", "alive at once", "kernel tasks", lines, log_x=True, palette=PALETTE)
    blocked = _bars("Blocking calls at the same time", "calls long", figures, "blocked_calls")
    switch = _bars("One switch from one to another", "µs", figures, "us")
    return [
        Exhibit(tasks, sentence(_ids(figures).text)),
        Exhibit(blocked, _blocked_caption(figures)),
        Exhibit(switch, _switch_caption(figures)),
    ]


def _bars(title: str, unit: str, figures: Figures, key: str) -> BarChart:
    return BarChart(
        title, unit, [Bar(f"{kind}s", Measured.of(figures[kind][key]), f"{kind}s") for kind in _KINDS], palette=PALETTE
    )


def _blocked_caption(figures: Figures) -> str:
    calls = {kind: figures[kind]["blocked_calls"]["median"] for kind in _KINDS}
    stops = "stops all the others" if calls["coroutine"] > calls["thread"] else "does not stop the others"
    return (
        f"{figures['blocking_together']} calls of time.sleep, one in each: a coroutine that makes a blocking call "
        f"{stops}, since the kernel knows only the one thread under them."
    )


def _switch_caption(figures: Figures) -> str:
    thread, coroutine = figures["thread"], figures["coroutine"]
    return (
        f"Handing control over costs {number(thread['us']['median'])} µs between threads, with "
        f"{number(thread['kernel_switches']['median'])} switches by the kernel, and "
        f"{number(coroutine['us']['median'])} µs between coroutines, with "
        f"{number(coroutine['kernel_switches']['median'])}."
    )


CLAIM = Claim(
    "kernel-threads",
    "Are Python's threads the kernel's, or does Python make them up?",
    "Python's threads are kernel threads, each with a kernel task id; coroutines are the user-level ones. (Many notes "
    "say that Python's threads are user-level.)",
    "The entries of /proc/self/task are counted while threads or coroutines are alive. Then each of them blocks, "
    "hashes (which releases the GIL), and hands control to another a thousand times over.",
    measure,
    judge,
    exhibits,
)
