"""``crawler lab --small``: what it writes, and that the shape of its figures is that of the machine."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from crawler.bench.lab.claim import Claim, Outcome, Setting, Verdict
from crawler.bench.lab.claims import CLAIMS
from crawler.bench.lab.isolation import LabError
from crawler.bench.lab.runner import run, write

pytestmark = pytest.mark.quiet

QUIET = 0.2
"""Cores that others may take where a test looks at how many of them were used."""

MORE_THAN_ONE_CORE = 1.2
"""CPU seconds per second of the clock. How fast a second core is depends on the machine, that it is used does not."""


@pytest.fixture(scope="module")
def results(lab: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((lab / "results.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def figures(results: dict[str, Any]) -> dict[str, Any]:
    return {claim["id"]: claim["figures"] for claim in results["claims"]}


def test_the_results_say_what_they_are_of(results: dict[str, Any]) -> None:
    assert results["small"] is True
    assert results["seed"] == 1
    assert results["machine"]["cores"] >= 1
    assert results["python"]["version"] == ".".join(map(str, sys.version_info[:3]))
    assert results["python"]["gil"] in {"enabled", "disabled"}


def test_every_claim_was_measured_and_has_a_verdict_of_its_figures(results: dict[str, Any]) -> None:
    assert [entry["id"] for entry in results["claims"]] == [claim.id for claim in CLAIMS]
    for entry, claim in zip(results["claims"], CLAIMS, strict=True):
        assert entry["outcome"] in {Outcome.HOLDS, Outcome.FAILS, Outcome.DEPENDS}, entry["verdict"]
        assert entry["question"] == claim.question
        assert entry["verdict"] == str(claim.judge(entry["figures"]))
        assert entry["seconds"] > 0


def spreads(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, dict) and "median" in value:
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from spreads(each)


def test_every_measured_quantity_has_its_runs_and_their_range(results: dict[str, Any]) -> None:
    found = list(spreads({claim["id"]: claim["figures"] for claim in results["claims"]}))
    assert len(found) > 100
    for each in found:
        assert len(each["runs"]) == results["rounds"]
        assert each["low"] == min(each["runs"]) <= each["median"] <= max(each["runs"]) == each["high"]


def test_threads_are_the_kernels_and_processes_own_their_memory(figures: dict[str, Any]) -> None:
    ids = figures["kernel-threads"]["ids"]
    assert all(seen["kernel_tasks"] == int(n) for n, seen in ids["thread"].items())
    assert all(seen["kernel_tasks"] == 0 for seen in ids["coroutine"].values())
    owns = figures["processes-threads-coroutines"]["owns"]
    assert (owns["thread"]["sees_memory"], owns["spawn"]["sees_memory"]) == (True, False)


def test_memory_grows_from_coroutine_to_thread_to_process(figures: dict[str, Any]) -> None:
    cost = figures["processes-threads-coroutines"]["cost"]
    coroutine, thread, fork = (
        list(cost[kind].values())[-1]["kib"]["median"] for kind in ("coroutine", "thread", "fork")
    )
    assert coroutine < thread < fork


def test_one_cook_deals_with_three_dishes_and_works_on_one(figures: dict[str, Any]) -> None:
    cooks = figures["concurrency-parallelism"]["cooks"]
    assert cooks["coroutines"]["in_progress"]["low"] == 3
    assert cooks["coroutines"]["ran_at_once"]["high"] == 0
    assert cooks["one by one"]["in_progress"]["high"] == 1


@pytest.fixture
def quiet(results: dict[str, Any]) -> Callable[[str], Any]:
    """Return the figures of a claim, if nobody else was busy while it was measured: else speed says nothing."""

    def figures_of(claim: str) -> Any:
        entry = next(entry for entry in results["claims"] if entry["id"] == claim)
        if results["machine"]["cores"] < 2 or entry["others_cores"] > QUIET:
            pytest.skip(f"{entry['others_cores']} of {results['machine']['cores']} cores were not ours during {claim}")
        return entry["figures"]

    return figures_of


def test_processes_run_bytecode_in_parallel_and_threads_do_not(quiet: Callable[[str], Any]) -> None:
    variants = quiet("gil")["variants"]
    threads, processes = (variants[kind]["python"]["2"] for kind in ("threads", "processes"))
    assert processes["used"]["median"] > MORE_THAN_ONE_CORE
    assert (threads["used"]["median"] > MORE_THAN_ONE_CORE) is not quiet("gil")["gil"]
    assert variants["threads"]["sha256"]["2"]["used"]["median"] > MORE_THAN_ONE_CORE


def test_processes_knead_two_doughs_at_once(quiet: Callable[[str], Any]) -> None:
    found = quiet("concurrency-parallelism")
    assert found["cooks"]["processes"]["ran_at_once"]["median"] > found["planned_overlap"] / 2
    if found["gil"]:
        assert found["cooks"]["threads"]["ran_at_once"]["median"] < found["planned_overlap"] / 2


def test_an_expensive_page_is_worth_a_process(quiet: Callable[[str], Any]) -> None:
    for gain in quiet("worth-it")["gain"].values():
        assert gain["8"]["median"] > gain["0.1"]["median"]


def test_a_thread_starves_the_loop_and_a_process_does_not(quiet: Callable[[str], Any]) -> None:
    found = quiet("convoy")
    for loop in found["loops"].values():
        late = {name: loop[name]["ms"]["median"] - loop["nothing"]["ms"]["median"] for name in loop}
        assert (late["1 thread"] > late["1 process"] + found["switch_interval_ms"] / 2) is found["gil"]


def test_coroutines_wait_with_less_memory(figures: dict[str, Any]) -> None:
    threads, coroutines = (
        list(figures["io-bound"]["at_once"][kind].values())[-1] for kind in ("threads", "coroutines")
    )
    assert coroutines["mib"]["median"] < threads["mib"]["median"]
    assert coroutines["switches"]["median"] < threads["switches"]["median"]


def test_a_lock_and_nothing_else_saves_check_then_act(figures: dict[str, Any]) -> None:
    seen = figures["shared-state"]["seen"]["threads"]["fetch"]
    assert seen["unlocked"]["double"]["low"] > 0
    assert seen["locked"]["double"]["high"] == 0


def test_who_survives_a_segmentation_fault(figures: dict[str, Any]) -> None:
    faults = figures["fault-isolation"]["faults"]["segfault"]
    alive = {kind: found["host_alive"]["median"] for kind, found in faults.items()}
    assert (alive["coroutines"], alive["threads"], alive["processes"], alive["Tandem's lanes"]) == (0, 0, 1, 1)
    assert faults["threads"]["exit_code"]["median"] == -11
    assert faults["processes"]["survivors"]["low"] == 3
    assert faults["Tandem's lanes"]["others_done"]["low"] == 1
    assert faults["one pool of processes"]["others_done"]["high"] < 1


def test_larger_pages_cost_more_to_hand_over(figures: dict[str, Any]) -> None:
    for by_size in figures["serialisation"]["hand_over"].values():
        least, *_, most = by_size.values()
        assert most["parent_us"]["median"] > least["parent_us"]["median"]


def test_a_claim_that_cannot_be_measured_says_why_and_the_others_go_on(tmp_path: Path) -> None:
    def refuse(setting: Setting) -> dict[str, Any]:
        raise LabError("no such kernel")

    refused = Claim("gil", "Q?", "C.", "M. M.", refuse, lambda _: Verdict(Outcome.HOLDS, ""), lambda _: ())
    said: list[str] = []
    results = run(Setting(small=True), said.append, [refused, refused])
    assert [entry["verdict"] for entry in results["claims"]] == ["not measured: no such kernel"] * 2
    assert len(said) == 2
    assert "no such kernel" in write(results, tmp_path).read_text(encoding="utf-8")


def test_one_claim_can_be_run_alone_and_an_unknown_one_is_an_error(tmp_path: Path) -> None:
    def lab(only: str, output: Path = tmp_path) -> "subprocess.CompletedProcess[str]":
        options = ["--small", "--only", only, "--seed", "7", "-o", str(output)]
        command = [sys.executable, "-m", "crawler", "lab", *options]
        return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)

    (tmp_path / "file").touch()
    wrong = lab("nonsense")
    assert wrong.returncode == 2
    assert "--only nonsense: unknown; accepted: processes-threads-coroutines," in wrong.stderr
    wrong = lab("gil", tmp_path / "file" / "below")
    assert wrong.returncode == 2
    assert "cannot be written" in wrong.stderr
    assert lab("kernel-threads").returncode == 0
    found = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert [entry["id"] for entry in found["claims"]] == ["kernel-threads"]
    assert found["seed"] == 7
