"""Verdicts follow from figures: the same claim holds, fails or depends as the figures say, whatever textbooks say."""

from typing import Any

import pytest

from crawler.bench.lab.claim import Outcome, Verdict
from crawler.bench.lab.claims import CLAIMS, creation, kernel, kitchen, races, scaling, waits
from crawler.bench.lab.spread import Spread, spread


def runs(value: float) -> Spread:
    """Five runs close to a value."""
    return spread([value * factor for factor in (0.98, 1.0, 1.02, 0.99, 1.01)])


def unsure(value: float) -> Spread:
    """Five runs far from one another, on both sides of a value."""
    return spread([value * factor for factor in (0.2, 1.0, 5.0, 0.5, 2.0)])


def outcome(verdict: Verdict, *words: str) -> Outcome:
    assert all(word in str(verdict) for word in words), str(verdict)
    assert str(verdict).startswith(verdict.outcome)
    return verdict.outcome


def test_the_claims_are_the_ten_of_the_contract_in_order() -> None:
    ids = (
        "processes-threads-coroutines kernel-threads concurrency-parallelism gil io-bound shared-state fault-isolation "
        "serialisation worth-it convoy"
    )
    assert [claim.id for claim in CLAIMS] == ids.split()
    for claim in CLAIMS:
        assert claim.question.endswith("?")
        assert claim.method.rstrip(".").count(". ") == 1, f"{claim.id}: two sentences of method"


# Claim 1

APART = dict.fromkeys(("sees_memory", "sees_files", "same_process", "same_thread"), False)
INSIDE = dict.fromkeys(("sees_memory", "sees_files", "same_process"), True) | {"same_thread": False}
WITHIN = INSIDE | {"same_thread": True}


def made(fork: float, thread: float, coroutine: float, owns: dict[str, Any] | None = None) -> dict[str, Any]:
    costs = {"spawn": 10 * fork, "forkserver": 5 * fork, "fork": fork, "thread": thread, "coroutine": coroutine}
    return {
        "owns": {**dict.fromkeys(creation.PROCESSES, APART), "thread": INSIDE, "coroutine": WITHIN, **(owns or {})},
        "cost": {
            kind: {"10": {"us": unsure(1), "kib": unsure(1)}, "100": {"us": runs(cost), "kib": runs(cost)}}
            for kind, cost in costs.items()
        },
    }


def test_processes_own_and_cost_most() -> None:
    verdict = creation.judge(made(1_000, 100, 5))
    assert (
        outcome(verdict, "making one takes 1,000 µs for a forked process, 100 for a thread and 5 for a coroutine")
        is Outcome.HOLDS
    )


def test_a_thread_that_is_cheaper_than_a_coroutine_is_said_to_be() -> None:
    verdict = creation.judge(made(1_000, 4, 5))
    assert outcome(verdict, "Not borne out: making one takes") is Outcome.DEPENDS


def test_a_process_whose_memory_its_maker_sees_is_not_one_of_its_own() -> None:
    verdict = creation.judge(made(1_000, 100, 5, {"fork": APART | {"sees_memory": True}}))
    assert outcome(verdict, "Not borne out: what a process writes or opens, its maker sees.") is Outcome.DEPENDS


# Claim 2


def kernel_figures(tasks: int, ids: int, calls: float, cores: float) -> dict[str, Any]:
    thread = {"blocked_calls": runs(calls), "used": runs(cores), "wanted": runs(cores)}
    return {
        "blocking_together": 10,
        "ids": {
            "thread": {"100": {"kernel_tasks": tasks, "distinct_ids": ids}},
            "coroutine": {"100": {"kernel_tasks": 0, "distinct_ids": 1}},
        },
        "thread": thread,
        "coroutine": {"blocked_calls": runs(10), "used": runs(1), "wanted": runs(1)},
    }


def test_threads_with_tasks_of_their_own_are_the_kernels() -> None:
    verdict = kernel.judge(kernel_figures(100, 100, 1.1, 1.9))
    assert outcome(verdict, "notes that call Python's threads user-level are wrong") is Outcome.HOLDS


def test_threads_that_python_made_up_would_be_found_out() -> None:
    verdict = kernel.judge(kernel_figures(0, 1, 10, 1))
    assert outcome(verdict, "100 threads made 0 kernel tasks with 1 ids") is Outcome.FAILS


# Claim 3


def kitchen_figures(coroutines: float, threads: float, processes: Spread, *, gil: bool = True) -> dict[str, Any]:
    def cooks(seconds: float, in_progress: int, overlap: Spread) -> dict[str, Any]:
        shares = {"ran_at_once": overlap, "ready_at_once": overlap}
        return {"seconds": runs(seconds), "in_progress": spread([in_progress] * 5), **shares}

    return {
        "gil": gil,
        "planned_overlap": 0.5,
        "cooks": {
            "one by one": cooks(0.9, 1, runs(0)),
            "coroutines": cooks(0.5, 3, runs(coroutines)),
            "threads": cooks(0.5, 3, runs(threads)),
            "processes": cooks(0.3, 3, processes),
        },
    }


def test_coroutines_deal_and_processes_do() -> None:
    verdict = kitchen.judge(kitchen_figures(0, 0, runs(0.5)))
    assert outcome(verdict, "threads (GIL enabled) had 3 dishes in progress at once") is Outcome.HOLDS


def test_processes_that_never_worked_at_once_were_not_parallel() -> None:
    assert outcome(kitchen.judge(kitchen_figures(0, 0, runs(0.01))), "Not borne out: processes") is Outcome.DEPENDS
    assert (
        outcome(kitchen.judge(kitchen_figures(0, 0, unsure(0.25))), "Not decided by these runs: processes")
        is Outcome.DEPENDS
    )


# Claim 4


def scaling_figures(threads: Spread, processes: Spread, released: float, *, gil: bool = True) -> dict[str, Any]:
    def two(cores: Spread) -> dict[str, Any]:
        return {"2": {"used": cores, "wanted": cores, "speedup": cores}}

    return {
        "gil": gil,
        "variants": {
            "threads": {"python": two(threads), "sha256": two(runs(released)), "zlib": two(runs(released))},
            "processes": {"python": two(processes)},
        },
    }


def test_under_the_gil_threads_keep_one_core_busy() -> None:
    verdict = scaling.judge(scaling_figures(runs(1), runs(1.95), 1.9))
    assert outcome(verdict, "with the GIL enabled, two threads used 1 cores at once") is Outcome.HOLDS


def test_without_a_gil_the_claim_is_not_borne_out() -> None:
    verdict = scaling.judge(scaling_figures(runs(1.95), runs(1.95), 1.9, gil=False))
    assert outcome(verdict, "Not borne out: with the GIL disabled, two threads used 1.95") is Outcome.DEPENDS


def test_everything_the_other_way_round_fails() -> None:
    assert outcome(scaling.judge(scaling_figures(runs(1.95), runs(1), 1))) is Outcome.FAILS


def test_runs_that_do_not_agree_decide_nothing() -> None:
    assert outcome(scaling.judge(scaling_figures(unsure(1.5), runs(1.9), 1.9)), "Not decided") is Outcome.DEPENDS


def test_workers_that_were_ready_for_more_than_they_got_decide_nothing() -> None:
    figures = scaling_figures(runs(0.9), runs(1.2), 1.9)
    for kind in ("threads", "processes"):
        figures["variants"][kind]["python"]["2"]["wanted"] = runs(1.9)
    words = (
        "Not decided by these runs: with the GIL enabled, two threads used 0.9 cores",
        "two processes used 1.2 cores",
    )
    assert outcome(scaling.judge(figures), *words) is Outcome.DEPENDS


# Claim 5


def waiting(threads: float, coroutines: float, few: float = 0.1) -> dict[str, Any]:
    def waits_of(factor: float) -> dict[str, Any]:
        many = {"seconds": runs(factor), "mib": runs(10 * factor), "cpu_ms": runs(100 * factor)}
        return {"10": {**many, "seconds": runs(few)}, "5000": many}

    return {
        "one_by_one": {"10": {"seconds": runs(1)}},
        "at_once": {"threads": waits_of(threads), "coroutines": waits_of(coroutines)},
    }


def test_threads_help_and_coroutines_do_it_with_less() -> None:
    verdict = waits.judge(waiting(4, 2))
    assert outcome(verdict, "5,000 waits at once take 40 MiB in threads and 20 in coroutines") is Outcome.HOLDS


def test_coroutines_that_cost_more_are_said_to() -> None:
    assert outcome(waits.judge(waiting(2, 4)), "Not borne out: 5,000 waits") is Outcome.DEPENDS
    assert outcome(waits.judge(waiting(2, 4, few=3))) is Outcome.FAILS


# Claim 6


def racing(single: float = 0, lost: float = 3e5, fetch: float = 3_000, locked: float = 0) -> dict[str, Any]:
    def update(value: float) -> dict[str, Any]:
        return {"unlocked": {"lost": spread([value, 0])}, "locked": {"lost": spread([0, 0])}}

    def see(value: float) -> dict[str, Any]:
        return {"unlocked": {"double": spread([value, 0])}, "locked": {"double": spread([locked, 0])}}

    gaps = {"nothing": see(0), "call": see(0), "fetch": see(fetch)}
    return {
        "updates": {"append": update(single), "add": update(0), "call": update(lost)},
        "seen": {"threads": gaps, "coroutines": gaps},
    }


def test_one_run_with_a_loss_is_enough() -> None:
    verdict = races.judge(racing())
    assert outcome(verdict, "lost up to 300,000 of a million", "up to 3,000 needless fetches") is Outcome.HOLDS


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        (racing(single=12), "Not borne out: single operations lost 12 of a million"),
        (racing(lost=0), "Not borne out: n = f(n) + 1 lost up to 0"),
        (racing(fetch=0), "Not borne out: check-then-act"),
        (racing(locked=1), "Not borne out: with a lock at most 1 went wrong"),
    ],
)
def test_each_half_of_the_half_truth_can_fall(figures: dict[str, Any], words: str) -> None:
    assert outcome(races.judge(figures), words) is Outcome.DEPENDS
