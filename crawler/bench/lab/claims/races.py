"""Claim 6: threads share memory, and the GIL protects less than is said."""

from collections.abc import Sequence
from typing import Any

from crawler.bench.lab.claim import PALETTE, Claim, Exhibit, Figures, Part, Setting, Verdict, weigh
from crawler.bench.lab.experiments import races
from crawler.bench.lab.isolation import isolated
from crawler.bench.lab.machine import gil_enabled
from crawler.bench.lab.spread import by_key
from crawler.display import number
from crawler.report.charts import Bar, BarChart, Measured

_THREADS = 4
_INTERVAL_S = 0.005
_UPDATES = {
    "append": "list.append(x)",
    "add": "n += 1",
    "call": "n = f(n) + 1",
}
_GAPS = {"nothing": "nothing", "call": "a call", "fetch": "the fetch"}
_LOCKS = {"unlocked": False, "locked": True}


def measure(setting: Setting) -> Figures:
    """Let threads update a counter, and threads and coroutines share a seen-set; each with and without a lock."""
    rounds, urls = (100_000, 20_000) if setting.small else (200_000, 100_000)
    slow = 100 if setting.small else 300
    updates = [(form, lock) for form in _UPDATES for lock in _LOCKS]
    seen = [(workers, gap, lock) for workers in ("threads", "coroutines") for gap in _GAPS for lock in _LOCKS]
    counted = setting.interleaved(
        updates,
        lambda cell: isolated(
            races.count_up, form=cell[0], threads=_THREADS, rounds=rounds, interval=_INTERVAL_S, locked=_LOCKS[cell[1]]
        ),
    )
    crawled = setting.interleaved(
        seen,
        lambda cell: isolated(
            races.see,
            workers=cell[0],
            form=cell[1],
            count=_THREADS,
            urls=slow if cell[1] == "fetch" else urls,
            locked=_LOCKS[cell[2]],
        ),
    )
    return {
        "gil": gil_enabled(),
        "workers": _THREADS,
        "updates_of_each": rounds,
        "updates": {form: {lock: by_key(counted[form, lock]) for lock in _LOCKS} for form in _UPDATES},
        "seen": {
            workers: {gap: {lock: by_key(crawled[workers, gap, lock]) for lock in _LOCKS} for gap in _GAPS}
            for workers in ("threads", "coroutines")
        },
    }


def judge(figures: Figures) -> Verdict:
    """Weigh single operations, updates of several steps, check-then-act, and what a lock does."""
    updates, seen = figures["updates"], figures["seen"]["threads"]
    single, lost = _worst(updates["append"]["unlocked"], "lost"), _worst(updates["call"]["unlocked"], "lost")
    call, fetch = (_worst(seen[gap]["unlocked"], "double") for gap in ("call", "fetch"))
    locked = _locked(figures)
    parts = [
        Part(single == 0, f"single operations lost {number(single)} of a million"),
        Part(
            lost > 0,
            f"n = f(n) + 1 lost up to {number(lost)} of a million updates"
            f" (and n += 1 {number(_worst(updates['add']['unlocked'], 'lost'))})",
        ),
        Part(
            fetch > 0,
            f"check-then-act on the shared seen-set made up to {number(fetch)} needless fetches for a thousand URLs "
            f"where the fetch stands between check and mark, and up to {number(call)} where a mere call does",
        ),
        Part(locked == 0, f"with a lock at most {number(locked)} went wrong"),
    ]
    return weigh(parts, "what is shared and how")


def _worst(found: Any, key: str) -> float:
    return float(found[key]["high"])


def _locked(figures: Figures) -> float:
    """Return the most that was lost or fetched twice anywhere under a lock."""
    updates = (_worst(by_lock["locked"], "lost") for by_lock in figures["updates"].values())
    seen = (_worst(by_lock["locked"], "double") for gaps in figures["seen"].values() for by_lock in gaps.values())
    return max(*updates, *seen)


def exhibits(figures: Figures) -> Sequence[Exhibit]:
    """Draw lost updates, double fetches, and what the lock costs."""
    lost = [
        Bar(f"{text}, {lock}", Measured.of(figures["updates"][form][lock]["lost"]), lock)
        for form, text in _UPDATES.items()
        for lock in _LOCKS
    ]
    double = [
        Bar(f"{workers}, {text} between, {lock}", Measured.of(figures["seen"][workers][gap][lock]["double"]), workers)
        for workers in ("threads", "coroutines")
        for gap, text in _GAPS.items()
        for lock in _LOCKS
    ]
    cost = [
        Bar(f"{text}, {lock}", Measured.of(figures["updates"][form][lock]["ns"]), lock)
        for form, text in _UPDATES.items()
        for lock in _LOCKS
    ]
    return [
        Exhibit(BarChart("Updates lost", "of a million", lost), _lost_caption(figures)),
        Exhibit(BarChart("Needless fetches", "for a thousand URLs", double, palette=PALETTE), _double_caption(figures)),
        Exhibit(BarChart("What a lock costs", "ns for each update", cost), _cost_caption(figures)),
    ]


def _lost_caption(figures: Figures) -> str:
    add, call = (figures["updates"][form]["unlocked"]["lost"] for form in ("add", "call"))
    if add["high"] > 0:
        return f"n += 1 alone lost {number(add['median'])} of a million updates, without any call in it."
    return (
        f"n += 1 lost nothing in {number(figures['workers'] * figures['updates_of_each'])} updates a run: this Python "
        "lets another thread in only at calls and at the ends of loops. That is no promise of the language: with one "
        f"call between reading and writing, {number(call['median'])} of a million are lost."
    )


def _double_caption(figures: Figures) -> str:
    threads, coroutines = (figures["seen"][workers] for workers in ("threads", "coroutines"))
    rare, awaited = threads["call"]["unlocked"]["double"], coroutines["fetch"]["unlocked"]["double"]
    seldom = ": a defect that tests seldom see" if 0 < rare["high"] < 1 else ""
    return (
        f"With a mere call between check and mark, threads made {number(rare['low'])} to {number(rare['high'])} "
        f"needless fetches for a thousand URLs{seldom}. Coroutines made "
        f"{number(coroutines['call']['unlocked']['double']['high'])} there and {number(awaited['median'])} where they "
        "await between. Whoever marks before the fetch needs no lock around it."
    )


def _cost_caption(figures: Figures) -> str:
    free, locked = (figures["updates"]["append"][lock]["ns"]["median"] for lock in _LOCKS)
    return (
        f"{figures['workers']} threads that append under one lock take {number(locked)} ns for each, without it "
        f"{number(free)} ns."
    )


CLAIM = Claim(
    "shared-state",
    "Does the GIL protect what threads share?",
    "Threads share memory, so they can conflict; that the GIL protects them is half true: single operations yes, "
    "check-then-act no.",
    "Four threads update shared data at the default switch interval, with and without a lock, and what is missing at "
    "the end was lost. Then four threads, and four coroutines, meet the same URLs and fetch those that are not in a "
    "shared seen-set: every fetch beyond one for each URL is a double one.",
    measure,
    judge,
    exhibits,
)
