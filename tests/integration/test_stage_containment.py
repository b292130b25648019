"""What worker processes contain: crashes, kills, hangs and hunger cost one page its values, never the stage."""

import asyncio
import gc
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cpu_stage.stage import CpuStage, StageSettings
from cpu_stage.types import Page, StageError
from cpu_stage.worker import Plan, Processed
from tests.contract.executor_suite import PLAN, page, pages, spec
from tests.processes import alive, descendants, fork_servers, has_loaded, until

MIB = 2**20
WIDTH = 2


def stage(plan: Plan = PLAN, **limits: Any) -> CpuStage:
    return CpuStage(plan, StageSettings("processes", WIDTH, **{"page_timeout": None, **limits}))


async def process(items: Sequence[Page], **limits: Any) -> list[Processed]:
    async with stage(**limits) as running:
        results = await asyncio.gather(*(running.submit(item) for item in items))
        await running.warm()
        assert running.counts().workers == WIDTH
    return list(results)


def errors(results: Sequence[Processed]) -> dict[str, dict[str, str]]:
    """Return url → analyzer → kind for the pages with errors."""
    return {
        r.analysis.url.rpartition("/")[2]: {name: str(error.kind) for name, error in r.analysis.errors.items()}
        for r in results
        if r.analysis.errors
    }


@pytest.mark.parametrize("title", ["_exit", "segfault", "killed", "stops"])
async def test_a_page_that_ends_its_worker_is_a_crash_and_its_neighbours_are_not_lost(title: str) -> None:
    results = await process([page(title) if n == 20 else page(f"p{n}") for n in range(60)])
    assert errors(results) == {title: {"misbehave": "crash"}}
    assert [r.analysis.url for r in results if "misbehave" in r.analysis.values] == [
        page(f"p{n}").url for n in range(60) if n != 20
    ]
    assert all(r.analysis.values["length"] == {"characters": 9} for r in results)


@pytest.mark.parametrize("title", ["segfault", "hang"])
async def test_what_a_worker_had_found_out_before_it_died_is_not_made_again(tmp_path: Path, title: str) -> None:
    log = tmp_path / "log"
    plan = Plan((spec("takes", seconds=0.01), spec("logs_to", path=str(log)), spec("misbehave"), spec("length")))
    async with stage(plan, page_timeout=1.0) as running:
        result = await running.submit(page(title))
    assert {name: str(error.kind) for name, error in result.analysis.errors.items()} == {
        "misbehave": "crash" if title == "segfault" else "timeout"
    }
    assert list(result.analysis.values) == ["takes", "logs_to", "length"]
    assert (await asyncio.to_thread(log.read_text, "utf-8")).splitlines() == [title]


async def test_a_page_that_cuts_its_worker_off_is_a_crash() -> None:
    results = await process([page("closes files") if n == 20 else page(f"p{n}") for n in range(40)])
    assert list(errors(results)) == ["closes files"]
    assert set(errors(results)["closes files"].values()) == {"crash"}
    assert sum("misbehave" in r.analysis.values for r in results) == 39


@pytest.mark.parametrize("title", ["hang", "hang in C"])
async def test_a_page_over_its_time_is_stopped_and_its_neighbours_are_not_lost(title: str) -> None:
    results = await process([page(title) if n == 20 else page(f"p{n}") for n in range(40)], page_timeout=1.0)
    assert errors(results) == {title: {"misbehave": "timeout"}}
    assert results[20].analysis.values == {"length": {"characters": 9}}
    assert sum("misbehave" in r.analysis.values for r in results) == 39


async def test_other_workers_step_in_where_all_are_at_pages_without_end() -> None:
    async with stage(page_timeout=5.0) as running:
        await running.warm()
        endless = [running.submit(page("hang")) for _ in range(WIDTH)]
        await asyncio.sleep(0)  # each goes out in a batch of its own
        assert running.counts().waiting == 0
        results = await asyncio.gather(*(running.submit(page(f"p{n}")) for n in range(20)))
        await running.warm()
        assert not any(future.done() for future in endless)
        assert running.counts().workers == 2 * WIDTH
        assert not errors(results)
        assert [errors([await future]) for future in endless] == [{"hang": {"misbehave": "timeout"}}] * WIDTH
        assert running.counts().workers == WIDTH


async def test_a_page_over_its_memory_is_stopped_and_its_neighbours_are_not_lost() -> None:
    items = [page("allocate") if n == 20 else page(f"p{n}") for n in range(40)]
    results = await process(items, page_memory=16 * MIB)
    assert errors(results) == {"allocate": {"misbehave": "memory"}}
    assert results[20].analysis.errors["misbehave"].message == "took more than 16 MiB; its worker was replaced"
    assert sum("misbehave" in r.analysis.values for r in results) == 39


async def test_what_a_worker_took_for_earlier_pages_is_not_charged_to_a_page() -> None:
    plan = Plan((spec("leaks", size=4 * MIB),))
    async with stage(plan, page_memory=32 * MIB) as running:
        results = await asyncio.gather(*(running.submit(each) for each in pages(60)))
    assert errors(results) == {}


async def test_many_bad_pages_in_a_row_are_all_told_apart() -> None:
    bad = ["_exit", "segfault", "raises", "killed", "exit", "hang", "unpicklable"] * 2
    results = await process([page(f"{title} {n}") for n, title in enumerate(bad)], page_timeout=1.0)
    kinds = {"_exit": "crash", "segfault": "crash", "killed": "crash", "hang": "timeout"}
    assert [r.analysis.errors["misbehave"].kind for r in results] == [kinds.get(title, "exception") for title in bad]


async def test_a_worker_that_is_killed_from_outside_costs_its_page_another_try(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    async with stage(Plan((spec("waits_for", path=str(gate)),))) as running:
        futures = [running.submit(each) for each in pages(12)]
        started = tmp_path / "gate.started"
        await until(lambda: started.exists() and started.read_text("utf-8").endswith("\n"))
        title, pid = started.read_text("utf-8").splitlines()[0].split()
        os.kill(int(pid), signal.SIGKILL)
        gate.touch()
        results = await asyncio.gather(*futures)
    assert all(r.analysis.values == {"waits_for": {"ok": True}} for r in results)
    assert started.read_text("utf-8").split()[::2].count(title) == 2


async def test_workers_that_are_killed_while_they_are_idle_are_replaced_and_no_page_is_charged() -> None:
    async with stage(Plan((spec("worker_process"),))) as running:
        await running.warm()
        first = await asyncio.gather(*(running.submit(each) for each in pages(20)))
        for pid in {int(str(r.analysis.values["worker_process"]["pid"])) for r in first}:
            os.kill(pid, signal.SIGKILL)
        results = await asyncio.gather(*(running.submit(each) for each in pages(50)))
        assert errors(results) == {}
        await until(lambda: running.counts().replaced == WIDTH and running.counts().workers == WIDTH)


async def test_the_stage_goes_on_when_the_fork_server_is_killed() -> None:
    async with stage() as running:
        await running.warm()
        servers = fork_servers()
        assert len(servers) == 1
        futures = [running.submit(each) for each in pages(300)]
        await futures[0]
        os.kill(servers.pop(), signal.SIGKILL)
        results = await asyncio.gather(*futures, running.submit(page("_exit")), *map(running.submit, pages(50)))
    assert errors(results) == {"_exit": {"misbehave": "crash"}}


async def test_the_fork_server_has_loaded_what_workers_share() -> None:
    async with stage() as running:
        await running.warm()
        assert [has_loaded(server, "turbohtml") for server in fork_servers()] == [True]


async def test_an_analyzer_that_kills_every_worker_that_loads_it_is_one_error() -> None:
    async with stage(Plan((spec("DiesWhenLoaded"),))) as running:
        with pytest.raises(StageError, match=r"^no worker can be started: it died before it was ready$"):
            await running.submit(page("p"))


async def test_an_analyzer_that_never_loads_is_one_error() -> None:
    async with stage(Plan((spec("NeverReady"),)), start_timeout=0.5) as running:
        with pytest.raises(StageError, match=r"no worker has loaded the analyzers in 0\.5 s"):
            await running.submit(page("p"))


async def test_closing_ends_workers_that_work_hang_or_are_stopped() -> None:
    for plan, title in ((PLAN, "hang"), (PLAN, "hang in C"), (PLAN, "stops"), (Plan((spec("NeverReady"),)), "p")):
        async with stage(plan) as running:
            future = running.submit(page(title))
            await asyncio.wait([future], timeout=0.5)
        assert future.cancelled()
        assert running.counts().workers == 0
        assert [pid for server in fork_servers() for pid in descendants(server)] == []


async def test_a_stage_may_be_closed_at_any_moment(caplog: pytest.LogCaptureFixture) -> None:
    for moment in range(40):
        async with stage() as running:
            future = running.submit(page("p"))
            await asyncio.wait([future], timeout=moment / 500)
        assert future.done()
    gc.collect()  # asyncio complains about what nobody retrieved once it is collected
    assert caplog.records == []
    assert [pid for server in fork_servers() for pid in descendants(server)] == []


async def test_an_idle_worker_that_is_stopped_does_not_keep_the_stage_from_closing() -> None:
    async with stage(Plan((spec("worker_process"),))) as running:
        result = await running.submit(page("p"))
        pid = int(str(result.analysis.values["worker_process"]["pid"]))
        os.kill(pid, signal.SIGSTOP)
    assert alive({pid}) == set()


async def test_lost_workers_leave_no_files_open() -> None:
    async with stage() as running:
        await asyncio.gather(*(running.submit(page("_exit")) for _ in range(3)))
        await running.warm()
        before = open_files()
        await asyncio.gather(*(running.submit(page("_exit")) for _ in range(20)))
        await running.warm()
        # Twenty pages cost forty workers, so a leak shows as forty files; a few come and go with the workers at hand.
        await until(lambda: open_files() <= before + 10)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_a_library_that_breaks_when_it_is_imported_breaks_nothing_else() -> None:
    for server in fork_servers():  # the next one will try to load the library ahead
        os.kill(server, signal.SIGKILL)
    async with stage(Plan((spec("needs_broken_library"),))) as running:
        with pytest.raises(StageError, match=r"importing tests\.broken_library failed: RuntimeError: no such device"):
            await running.submit(page("p"))
    assert errors(await process(pages(10))) == {}
