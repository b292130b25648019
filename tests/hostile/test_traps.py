"""Hosts without end, crawled until nothing is left: it ends, and says which place was left and why."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile.endless import Endless
from tests.integration.crawls import crawler, impatient, records, stats
from tests.wire import WireServer

AFTER = 40
SETTINGS = ("analyzers=[]", f"scope.repetitive_after={AFTER}", "fetch.per_host=8")


@pytest.fixture
def server() -> Iterator[WireServer]:
    with WireServer() as running:
        yield running


@pytest.mark.parametrize("mode", ["coroutines", "threads"])
@pytest.mark.parametrize("kind", ["calendar", "sessions", "mirror", "queries", "refresh"])
def test_a_trap_is_left_and_the_honest_pages_are_all_there(
    server: WireServer, tmp_path: Path, kind: str, mode: str
) -> None:
    server.pages = Endless(kind)
    done = crawler("run", f"{server.url}/", "-j", tmp_path / "job", *impatient(*SETTINGS, f"fetch.mode={mode}"))
    assert done.returncode == 0, done.stderr
    found = records(tmp_path / "job")
    place = f"127.0.0.1:{server.port}/{kind}"
    assert stats(tmp_path / "job")["cut"] == {place: f"its last {AFTER} pages look like those before them"}
    assert f"cut        {place}: " in done.stdout
    honest = [record for record in found if "/honest/" in record["url"]]
    assert len(honest) == Endless.HONEST
    assert {record["outcome"] for record in honest} == {"ok"}
    assert len(found) <= Endless.HONEST + 20 * AFTER


def test_relative_links_that_grow_are_left_by_their_repetition(server: WireServer, tmp_path: Path) -> None:
    server.pages = Endless("growing")
    done = crawler("run", f"{server.url}/", "-j", tmp_path / "job", *impatient(*SETTINGS))
    assert done.returncode == 0, done.stderr
    assert len(records(tmp_path / "job")) <= Endless.HONEST + 10


def test_a_host_has_no_more_than_its_budget_over_all_runs(server: WireServer, tmp_path: Path) -> None:
    server.pages = Endless("calendar")
    order = ("run", f"{server.url}/", "-j", tmp_path / "job", *impatient("analyzers=[]", "limits.host_pages=50"))
    assert crawler(*order, "-n", "20").returncode == 0
    done = crawler(*order)
    assert done.returncode == 0, done.stderr
    asked = [path for path in server.requests if path != "/robots.txt"]
    assert len(asked) == len(set(asked)) == 50
    skipped = [record["error"]["kind"] for record in records(tmp_path / "job") if record["outcome"] == "skipped"]
    assert skipped
    assert set(skipped) == {"budget"}
    assert stats(tmp_path / "job")["cut"] == {f"127.0.0.1:{server.port}": "50 pages were asked for, its budget"}
