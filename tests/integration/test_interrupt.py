"""Ctrl-C: once finishes what is in flight and says how to go on, twice ends at once."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from crawler.bench.site import SiteProcess, SiteSpec
from tests.integration.crawls import PATIENCE, breathe, crawler, environment, impatient, records, running, stats

WEB = SiteSpec(pages=150, hosts=2, page_size=6_000, latency="constant:0.02")


@pytest.fixture(scope="module")
def site() -> Iterator[SiteProcess]:
    with SiteProcess(WEB) as site:
        yield site


@contextmanager
def under_way(site: SiteProcess, *command: object, cwd: Path | None = None) -> "Iterator[subprocess.Popen[str]]":
    """Run a crawl that is in the middle of its work when the block begins."""
    site.reset()
    with running(*command, cwd=cwd) as process:
        deadline = time.monotonic() + PATIENCE
        while site.audit().requests < 20:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            breathe(process)
        yield process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_crawl_says_how_to_go_on_and_does(
    site: SiteProcess, tmp_path: Path, number: signal.Signals
) -> None:
    job = tmp_path / "job"
    command = ["run", *site.seeds, "-j", job, *impatient("analyzers=[fingerprint]")]
    with under_way(site, *command) as process:
        process.send_signal(number)
        _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert f"go on with: crawler run -j {job}" in said
    assert stats(job)["state"] == "interrupted"
    before = [record["url"] for record in records(job)]
    assert 0 < len(before) < WEB.pages
    hits = site.audit().hits
    assert set(before) <= hits.keys(), "what is recorded was fetched"
    done = crawler("run", "-j", job, "--progress", "none")
    assert done.returncode == 0, done.stderr
    after = Counter(record["url"] for record in records(job))
    assert set(after) == site.truth.reachable()
    assert set(after.values()) == {1}
    assert [record["url"] for record in records(job)][: len(before)] == before
    again = site.audit().hits
    assert all(again[url] == 1 for url in before), "what was recorded is not fetched again"


def test_a_second_ctrl_c_ends_at_once_and_loses_nothing(site: SiteProcess, tmp_path: Path) -> None:
    job = tmp_path / "job"
    slow = tmp_path / "slow.py"
    slow.write_text("import time\n\n\ndef analyze(page):\n    time.sleep(30)\n    return {}\n")
    sets = impatient("analyzers=['slow:analyze']", "cpu.page_timeout=null")
    with under_way(site, "run", *site.seeds, "-j", job, *sets, cwd=tmp_path) as process:
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, said
    assert stats(job)["queued"] > 0
    done = crawler("run", "-j", job, "--progress", "none", "-s", "analyzers=[]")
    assert done.returncode == 0, done.stderr
    assert {record["url"] for record in records(job)} == site.truth.reachable()


def test_on_a_terminal_the_live_view_makes_room_for_what_ctrl_c_says(site: SiteProcess, tmp_path: Path) -> None:
    site.reset()
    options = [part for part in impatient("analyzers=[fingerprint]", "observe.stats_interval=50ms") if part != "none"]
    options.insert(options.index("--progress") + 1, "auto")
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "crawler", "run", *site.seeds, "-j", str(tmp_path / "job"), *options]
    process = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, env=environment({"TERM": "xterm"}), start_new_session=True
    )
    os.close(slave)
    try:
        seen = _read_until(master, b"fetching")
        process.send_signal(signal.SIGINT)
        seen += _read_until(master, b"go on with")
        assert process.wait(PATIENCE) == 130
    finally:
        process.kill()
        os.close(master)
    erased = rb"\x1b\[2K(\x1b\[1A\x1b\[2K)+"
    assert re.search(erased + rb"stopping: finishing \d+ pages in flight", seen)


def _read_until(terminal: int, text: bytes) -> bytes:
    """Read what appears on a terminal, up to a text and what came with it."""
    seen = b""
    while text not in seen:
        readable, _, _ = select.select([terminal], [], [], PATIENCE)
        assert readable, seen
        seen += os.read(terminal, 65_536)
    return seen
