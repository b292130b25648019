"""Verdicts of the claims about faults, hand-over, whole crawls and the event loop; see test_lab_verdicts."""

from collections.abc import Sequence
from typing import Any

import pytest

from crawler.bench.lab.claim import Outcome, Verdict
from crawler.bench.lab.claims import convoy, crawls, faults, handover
from crawler.bench.lab.isolation import Ended
from crawler.bench.lab.spread import Spread, spread


def runs(value: float) -> Spread:
    """Five runs close to a value."""
    return spread([value * factor for factor in (0.98, 1.0, 1.02, 0.99, 1.01)])


def outcome(verdict: Verdict, *words: str) -> Outcome:
    assert all(word in str(verdict) for word in words), str(verdict)
    return verdict.outcome


# Claim 7

UNHARMED = {"host_alive": spread([1, 1]), "others_done": spread([1, 1]), "exit_code": spread([0, 0])}
DEAD = {"host_alive": spread([0, 0]), "others_done": spread([0.5, 0.5]), "exit_code": spread([-11, -11])}
BROKEN = {**UNHARMED, "others_done": spread([0.5, 1])}


def faulty(thread: Any, process: Any, pool: Any, lanes: Any) -> dict[str, Any]:
    kinds = ("coroutines", "threads", "processes", "one pool of processes", "Tandem's lanes")
    found = dict(zip(kinds, (DEAD, thread, process, pool, lanes), strict=True))
    return {"faults": {"segfault": found}}


def test_a_fault_in_a_process_that_harms_nobody() -> None:
    verdict = faults.judge(faulty(DEAD, UNHARMED, UNHARMED, UNHARMED))
    assert outcome(verdict, "in a thread: the program died (signal 11)") is Outcome.HOLDS


def test_a_pool_that_breaks_makes_it_depend() -> None:
    verdict = faults.judge(faulty(DEAD, UNHARMED, BROKEN, UNHARMED))
    assert outcome(verdict, "Not borne out: in a worker of one ProcessPoolExecutor") is Outcome.DEPENDS


def test_a_thread_that_dies_alone_would_be_news() -> None:
    assert outcome(faults.judge(faulty(UNHARMED, DEAD, DEAD, DEAD))) is Outcome.FAILS


def test_the_tale_of_a_run_counts_items_once() -> None:
    lines = ["0/0", *(f"{worker}/{item}" for worker in (1, 2) for item in range(2)), "3/0", "3/0"]
    found = faults.tell(Ended(-11, "\n".join(lines), ""), items=2)
    assert found == {"survivors": 2, "others_done": 5 / 6, "again": 1, "host_alive": 0, "exit_code": -11}


# Claim 8


def test_break_even_is_where_the_model_says() -> None:
    found = {"parent_us": runs(100), "worker_us": runs(300)}
    assert handover.break_even_ms(found, 1) is None
    assert handover.break_even_ms(found, 2) == pytest.approx(0.4)
    assert handover.break_even_ms(found, 3) == pytest.approx(0.2)
    assert handover.break_even_ms(found, 100) == pytest.approx(0.1)


def test_the_fit_finds_a_fixed_cost_and_a_cost_for_each_kib() -> None:
    by_size = {str(kib): {"parent_us": runs(50 + kib), "worker_us": runs(30 + 2 * kib)} for kib in (1, 16, 256)}
    found = handover.fit(by_size)
    assert found["fixed_us"] == pytest.approx(80, rel=1e-3)
    assert found["us_per_kib"] == pytest.approx(3, rel=1e-3)


def handed(large_us: float, shared_us: float, low: float, high: float) -> dict[str, Any]:
    def sizes(small: float, large: float) -> dict[str, Any]:
        return {
            "4": {"parent_us": runs(small), "worker_us": runs(small)},
            "256": {"parent_us": runs(large), "worker_us": runs(large)},
        }

    return {
        "hand_over": {"pickle": sizes(40, large_us), "shared memory": sizes(40, shared_us)},
        "fit": {"pickle": {"us_per_kib": 2.0}},
        "checked": {"256": {"gain": {"0.1": runs(low), "8": runs(high)}}},
    }


def test_serialising_costs_by_size_and_pays_above_some_cpu_cost() -> None:
    verdict = handover.judge(handed(400, 300, 0.3, 1.8))
    assert outcome(verdict, "the 256 KiB cost 75% of that") is Outcome.HOLDS


def test_shared_memory_that_cost_nothing_would_contradict() -> None:
    verdict = handover.judge(handed(400, 10, 0.3, 1.8))
    assert outcome(verdict, "Not borne out: through shared memory") is Outcome.DEPENDS


def test_processes_that_never_gain_are_said_to() -> None:
    assert outcome(handover.judge(handed(400, 300, 0.3, 0.9)), "Not borne out: 256 KiB pages") is Outcome.DEPENDS


# Claim 9


def crawled(*gains: Sequence[float]) -> dict[str, Any]:
    """Gains of each round, at 0.1, 1 and 10 ms of CPU a page."""
    by_cost = {cost: spread(list(each)) for cost, each in zip(("0.1", "1", "10"), gains, strict=True)}
    return {"gain": {"inline": by_cost, "threads": by_cost}}


def test_processes_pay_from_the_crossing_on() -> None:
    verdict = crawls.judge(crawled([0.5, 0.5], [0.5, 0.5], [2, 2]))
    assert outcome(verdict, "they gain from 3.16 ms on") is Outcome.DEPENDS


def test_processes_that_always_or_never_pay() -> None:
    assert outcome(crawls.judge(crawled([1.2, 1.3], [1.5, 1.4], [2, 2])), "at every cost") is Outcome.HOLDS
    assert outcome(crawls.judge(crawled([0.2, 0.3], [0.5, 0.4], [0.9, 1])), "at no cost") is Outcome.FAILS


def test_rounds_that_disagree_about_the_crossing_say_so() -> None:
    verdict = crawls.judge(crawled([0.5, 0.5], [0.5, 0.5], [0.9, 2]))
    assert outcome(verdict, "a cost on that the rounds do not agree about") is Outcome.DEPENDS


# Claim 10


def beside(thread: Spread, process: Spread) -> dict[str, Any]:
    found = {"nothing": {"ms": runs(2)}, "1 thread": {"ms": thread}, "1 process": {"ms": process}}
    return {"switch_interval_ms": 5.0, "loops": {"selector": found, "uvloop": found}}


def test_a_loop_that_waits_for_the_gil_is_starved() -> None:
    verdict = convoy.judge(beside(runs(7), runs(2.1)))
    assert outcome(verdict, "beside one thread the selector loop has an answer after 7 ms") is Outcome.HOLDS


def test_a_loop_that_threads_do_not_disturb_is_not() -> None:
    assert outcome(convoy.judge(beside(runs(2.1), runs(2.1))), "Not borne out: beside one thread") is Outcome.DEPENDS
    assert outcome(convoy.judge(beside(runs(2.1), runs(9)))) is Outcome.FAILS


def test_a_loop_that_is_disturbed_now_and_then_is_not_decided() -> None:
    verdict = convoy.judge(beside(spread([2, 3, 7, 8, 9]), runs(2.1)))
    assert outcome(verdict, "Not decided by these runs: beside one thread") is Outcome.DEPENDS
