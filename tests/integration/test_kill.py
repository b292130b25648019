"""A crawl that is killed at any instant: after a re-run nothing is missing and nothing is there twice."""

import contextlib
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crawler.bench.site import SiteProcess, SiteSpec
from tests.integration.crawls import PATIENCE, breathe, crawler, impatient, records, running

SEED = 20_261_124
KILLS = 20
ORPHANS_GONE = 5.0  # seconds: what is promised

# Which of two redirects to one page comes first may differ from crawl to crawl; so these lead to pages of their own.
WEB = SiteSpec(
    pages=200,
    hosts=4,
    page_size=(5_000, 8_000),
    latency="uniform:0.001,0.02",
    not_found=0.03,
    unavailable=0.01,
    retry_after=0,
    redirect_chain=0.02,
    duplicate=0.03,
    forbidden=0.03,
    asset_size=100_000,
    asset=0.02,
)


@pytest.fixture(scope="module")
def site() -> Iterator[SiteProcess]:
    with SiteProcess(WEB) as site:
        yield site


def arguments(site: SiteProcess, job: Path, executor: str) -> list[object]:
    analyzers = "analyzers=[]" if executor == "inline" else "analyzers=[fingerprint]"
    return ["run", *site.seeds, "-j", job, *impatient("fetch.per_host=4", f"cpu.executor={executor}", analyzers)]


def essence(job: Path) -> dict[str, Any]:
    """Return what must not depend on kills: which URLs, how they ended, and what was found there."""
    keys = ("final_url", "outcome", "status", "redirects", "sha256", "links", "analysis")
    found = records(job)
    assert Counter(record["url"] for record in found).most_common(1)[0][1] == 1
    return {record["url"]: {key: record[key] for key in keys} for record in found}


def descendants(pid: int) -> set[int]:
    """Return all processes below one (Linux)."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found |= {child} | descendants(child)
    return found


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in {"Z", "X"}


def kill_after(hits: int, site: SiteProcess, command: list[object]) -> tuple[bool, set[int]]:
    """Start a crawl and kill it once the server saw so many requests; return whether it was still running.

    Also returns the processes that it had.
    """
    with running(*command) as process:
        deadline = time.monotonic() + PATIENCE
        while site.audit().requests < hits and process.poll() is None:
            assert time.monotonic() < deadline, "the crawl hangs"
            breathe(process)
        return process.poll() is None, descendants(process.pid)


@pytest.mark.parametrize("executor", ["inline", "processes"])
def test_a_kill_at_any_instant_loses_and_repeats_nothing(site: SiteProcess, tmp_path: Path, executor: str) -> None:
    print(f"seed {SEED}")
    site.reset()
    done = crawler(*arguments(site, tmp_path / "whole", executor))
    assert done.returncode == 0, done.stderr
    whole, requests = essence(tmp_path / "whole"), site.audit().requests
    chance, kills, rounds = random.Random(f"{SEED}{executor}"), 0, KILLS // 2
    for number in range(rounds):
        job = tmp_path / str(number)
        site.reset()
        killed, children = kill_after(chance.randint(1, requests - 5), site, arguments(site, job, executor))
        kills += killed
        done = crawler(*arguments(site, job, executor))
        assert done.returncode == 0, done.stderr
        assert essence(job) == whole
        assert not any(map(is_alive, children)), "a worker outlived the crawler and a whole re-run"
    assert kills == rounds, "the crawl was over before the kill"


def test_no_process_outlives_a_killed_crawler(site: SiteProcess, tmp_path: Path) -> None:
    site.reset()
    killed, children = kill_after(60, site, arguments(site, tmp_path / "job", "processes"))
    deadline = time.monotonic() + ORPHANS_GONE
    assert killed
    assert children
    while any(map(is_alive, children)):
        assert time.monotonic() < deadline, "a worker is still there"


def test_many_kills_of_one_job_add_up_to_the_whole(site: SiteProcess, tmp_path: Path) -> None:
    site.reset()
    job = tmp_path / "job"
    command = arguments(site, job, "inline")
    for _ in range(4):
        site.reset()
        kill_after(40, site, command)
    done = crawler(*command)
    assert done.returncode == 0, done.stderr
    assert set(essence(job)) == {url for url in site.truth.reachable() if not is_hop(site, url)}


def is_hop(site: SiteProcess, url: str) -> bool:
    return site.truth[url].hop > 0


def test_a_killed_worker_costs_nothing(site: SiteProcess, tmp_path: Path) -> None:
    site.reset()
    whole = tmp_path / "whole"
    assert crawler(*arguments(site, whole, "processes")).returncode == 0
    site.reset()
    killed = 0
    with running(*arguments(site, tmp_path / "job", "processes")) as process:
        while process.poll() is None and killed < 2:
            workers = [pid for pid in descendants(process.pid) if is_worker(pid)]
            if workers and site.audit().requests > 40 * (killed + 1):
                with contextlib.suppress(ProcessLookupError):  # it made way for another just now
                    os.kill(workers[0], signal.SIGKILL)
                    killed += 1
            breathe(process)
        _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    assert killed
    assert essence(tmp_path / "job") == essence(whole)


def is_worker(pid: int) -> bool:
    """Whether it is a process that the fork server forked: its parent is no crawler."""
    try:
        parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        return b"forkserver" in Path(f"/proc/{parent}/cmdline").read_bytes()
    except OSError:
        return False
