"""The experiments themselves: what does not depend on how fast or how busy the machine is."""

import os
import time
from pathlib import Path

import pytest

from crawler.bench.lab.experiments import (
    convoy,
    crawls,
    creation,
    faults,
    handover,
    kernel,
    kitchen,
    probe,
    races,
    scaling,
    waits,
)
from crawler.bench.lab.experiments.delay_server import REQUEST
from crawler.bench.lab.isolation import LabError, isolated, launch
from crawler.bench.lab.peers import Peer
from crawler.bench.lab.server import delay_server
from crawler.bench.site import SiteProcess, SiteSpec

SPEED = 100_000.0
"""Units of work in a second, near enough for tests that look at no time."""


def test_a_child_that_fails_says_why() -> None:
    with pytest.raises(LabError, match="KeyError: 'no such kind'"):
        isolated(scaling.run, kind="no such kind", work="python", workers=1, calls=1)


def test_an_interpreter_that_is_none_is_an_error_too(tmp_path: Path) -> None:
    shim = tmp_path / "python"
    shim.write_text("#!/bin/sh\necho not here >&2\nexit 127\n", encoding="ascii")
    shim.chmod(0o755)
    with pytest.raises(LabError, match="exit code 127: not here"):
        isolated(scaling.build, python=str(shim))


def test_nothing_that_a_child_started_outlives_it() -> None:
    ended = launch(faults.work, kind="processes", fault="segfault", items=4)
    assert ended.code == 0
    assert not [pid for pid in Path("/proc").glob("[0-9]*") if _runs(pid, "crawler.bench.lab.child")]


def _runs(process: Path, name: str) -> bool:
    try:
        return name.encode() in (process / "cmdline").read_bytes() and (process / "stat").read_text().split()[3] == str(
            os.getpid()
        )
    except OSError:
        return False


@pytest.mark.parametrize("kind", ["coroutine", "thread", "fork", "forkserver", "spawn"])
def test_making_some_costs_something(kind: str) -> None:
    cost = isolated(creation.create, kind=kind, count=3)
    assert cost["us"] > 0
    assert (cost["reserved_kib"] > 1_000) is (kind == "thread")


@pytest.mark.parametrize(
    ("kind", "shares", "same_thread"), [("coroutine", True, True), ("thread", True, False), ("spawn", False, False)]
)
def test_who_shares_what(kind: str, shares: bool, same_thread: bool) -> None:
    owns = isolated(creation.ownership, kind=kind)
    assert owns == {
        "sees_memory": shares,
        "sees_files": shares,
        "same_process": shares,
        "same_thread": same_thread,
    }


def test_the_kernel_knows_threads_and_not_coroutines() -> None:
    assert isolated(kernel.ids, kind="thread", count=20) == {"kernel_tasks": 20, "distinct_ids": 20}
    assert isolated(kernel.ids, kind="coroutine", count=20) == {"kernel_tasks": 0, "distinct_ids": 1}


def test_a_thread_switch_is_one_for_the_kernel_and_a_coroutine_switch_is_not() -> None:
    assert isolated(kernel.switch, kind="thread", count=2_000)["kernel_switches"] > 0.5
    assert isolated(kernel.switch, kind="coroutine", count=2_000)["kernel_switches"] < 0.5


def test_the_core_clock_tells_work_from_sleep() -> None:
    with probe.CoreClock() as clock:
        asleep = clock.measure(lambda: time.sleep(0.05))
        awake = clock.measure(lambda: sum(range(2_000_000)))
    assert asleep.wanted < 0.05 <= asleep.wall
    assert 0 < awake.core <= awake.wanted
    assert awake.core <= awake.wall


def test_cores_at_once_are_the_sums_of_all_stretches() -> None:
    found = probe.at_once([probe.Stretch(2, 1, 0.5), probe.Stretch(2, 2, 0)], 2)
    assert found == {"seconds": 2, "used": 1.5, "wanted": 1.75}


@pytest.mark.parametrize("cooks", ["one by one", "coroutines", "threads", "processes"])
def test_every_cook_prepares_every_dish(cooks: str) -> None:
    run = isolated(kitchen.cook, cooks=cooks, speed=SPEED, scale=0.1)
    assert list(run["dishes"]) == list(kitchen.RECIPES)
    for dish in run["dishes"].values():
        edges = [moment for span in dish["ready"] for moment in span]
        assert edges == sorted(edges)
        assert dish["began"] <= edges[0]
        assert edges[-1] <= dish["ended"] <= run["seconds"]


@pytest.mark.parametrize("kind", ["threads", "processes"])
@pytest.mark.parametrize("work", ["python", "sha256"])
def test_workers_want_some_cores(kind: str, work: str) -> None:
    run = isolated(scaling.run, kind=kind, work=work, workers=2, calls=3)
    assert run["seconds"] > 0
    assert 0 < run["used"] <= run["wanted"]


def test_subinterpreters_run_bytecode_where_there_are_any() -> None:
    me = Peer("", "", isolated(scaling.build))
    if not me.build["interpreters"]:
        pytest.skip("this Python has no subinterpreters with a GIL of their own (3.13 is the first that does)")
    assert isolated(scaling.run, kind="interpreters", work="python", workers=2, calls=3)["used"] > 0


@pytest.mark.parametrize("kind", ["one by one", "threads", "coroutines", "coroutines (uvloop)"])
def test_every_wait_gets_its_answer(kind: str) -> None:
    with delay_server(0.0) as ports:
        waited = isolated(waits.wait, kind=kind, count=30, ports=ports)
    assert waited["seconds"] > 0


def test_the_server_answers_nobody_before_all_are_there() -> None:
    with delay_server(0.0) as ports, pytest.raises(LabError, match=r"TimeoutError|timed out"):
        isolated(_wait_for_more, ports=ports)


def _wait_for_more(ports: list[int]) -> None:
    import socket

    with socket.create_connection(("127.0.0.1", ports[0])) as sock:
        sock.settimeout(0.3)
        sock.sendall(REQUEST.pack(2))
        sock.recv(1)


def test_a_lock_loses_nothing_and_single_operations_neither() -> None:
    for form in ("append", "add", "call"):
        locked = isolated(races.count_up, form=form, threads=4, rounds=5_000, interval=1e-5, locked=True)
        assert locked["lost"] == 0
    assert isolated(races.count_up, form="append", threads=4, rounds=5_000, interval=1e-5, locked=False)["lost"] == 0


def test_check_fetch_mark_fetches_needlessly_without_a_lock() -> None:
    for workers in ("threads", "coroutines"):
        assert isolated(races.see, workers=workers, form="fetch", count=4, urls=20, locked=False)["double"] > 0
        assert isolated(races.see, workers=workers, form="fetch", count=4, urls=20, locked=True)["double"] == 0
    assert isolated(races.see, workers="coroutines", form="call", count=4, urls=500, locked=False)["double"] == 0


@pytest.mark.parametrize("codec", handover.CODECS)
def test_pages_arrive_by_every_means(codec: str) -> None:
    costs = isolated(handover.hand_over, codec=codec, kib=8, pages=5)
    assert all(value > 0 for value in costs.values())
    assert isolated(handover.throughput, codec=codec, kib=8, units=1, pages=9, workers=2)["pages_per_second"] > 0


def test_every_crawl_of_the_lab_finds_every_page() -> None:
    executors = ["inline", "processes", "threads"]
    with SiteProcess(SiteSpec(pages=12, hosts=1)) as site:
        found = isolated(crawls.compare, executors=executors, units=10, seeds=site.seeds)
        assert set(site.truth.fetched()) <= set(site.audit().hits)
    assert list(found) == executors
    assert all(run["pages"] == 12 and run["analysis_ms"] > 0 for run in found.values())


@pytest.mark.parametrize("loop", ["selector", "uvloop"])
@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_a_loop_gets_answers_while_others_work(loop: str, kind: str) -> None:
    with delay_server(0.001) as ports:
        found = isolated(convoy.serve, loop=loop, beside=[kind, 1], seconds=0.1, interval=0.005, port=ports[0])
    assert found["p95_ms"] >= found["ms"] >= 1
    assert found["work"] > 0
