"""``crawler bench handoff``: every way brings every page, the command end to end, and the arithmetic."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from cpu_stage.types import Page
from crawler.bench.handoff.measure import (
    Cost,
    Effort,
    HandoffError,
    Used,
    make_pages,
    measure_alone,
    measure_row,
    measure_work,
    summary,
)
from crawler.bench.handoff.table import verdicts
from crawler.bench.handoff.ways import WAYS, OneByOne, Way, batches
from crawler.bench.handoff.work import words

PATIENCE_S = 300


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
@pytest.mark.parametrize(("size", "count"), [(2_000, 200), (300_000, 20), (2_000_000, 3)])
async def test_every_way_brings_every_page_and_its_result_back(way: type[Way], size: int, count: int) -> None:
    pages = make_pages(size, count)
    expected = [words(page.text) for page in pages]
    async with way() as opened:
        used = await measure_row(opened, pages, expected)
        alone = await measure_alone(opened, pages[:3])
    assert min(used.wall_s, used.parent_s, used.worker_s) > 0
    assert min(alone.wall_s, alone.parent_s, alone.worker_s) > 0


async def test_a_way_that_alters_pages_is_found_out() -> None:
    pages = make_pages(100, 5)
    async with OneByOne() as way:
        with pytest.raises(HandoffError, match="run_in_executor lost or altered pages"):
            await measure_row(way, pages, [0] * 5)


def test_pages_have_the_size_that_is_asked_for_and_are_not_all_the_same() -> None:
    pages = make_pages(20_000, 50)
    assert {len(page.text.encode()) for page in pages} == {20_000}
    assert len({page.text for page in pages}) == 50
    assert make_pages(20_000, 50) == pages
    assert len({id(page) for page in make_pages(2_000_000, 30)}) == 10, "20 MB of texts are enough"
    assert words("three short words") == 3
    assert measure_work(pages) > 0


@pytest.mark.parametrize(("size", "most"), [(2_000, 64), (20_000, 64), (200_000, 10), (2_000_000, 1), (2**21, 1)])
def test_batches_are_bounded_in_pages_and_in_bytes(size: int, most: int) -> None:
    pages = [Page(str(n), "", "", None, "x" * size) for n in range(70)]
    cut = list(batches(pages))
    assert [page for batch in cut for page in batch] == pages
    assert max(map(len, cut)) == most


def test_a_cost_is_what_was_used_without_the_work_which_the_worker_does() -> None:
    cost = Used(wall_s=0.010, parent_s=0.002, worker_s=0.007).over(work_s=20e-6, pages=200)
    assert (cost.wall_us, cost.parent_us, cost.worker_us, cost.cpu_us) == pytest.approx((30, 10, 15, 25))


def test_an_effort_sends_fewer_pages_where_they_are_large() -> None:
    effort = Effort(pages=3_000, volume=30_000_000)
    assert [effort.row(size) for size in (2_000, 20_000, 200_000, 20_000_000)] == [3_000, 1_500, 150, 10]


def costs(*cpu: float) -> list[Cost]:
    return [Cost(wall_us=2 * each, parent_us=each / 4, worker_us=each * 3 / 4, cpu_us=each) for each in cpu]


def test_rounds_become_medians_and_what_is_compared_was_measured_in_the_same_round() -> None:
    row = {way.name: costs(100, 400, 200) for way in WAYS} | {WAYS[-1].name: costs(10, 20, 40)}
    found = summary(20_000, 100, [1e-6, 3e-6, 2e-6], row, row)
    assert found["work_us"]["median"] == 2
    first, last = found["ways"][0], found["ways"][-1]
    assert (first["row"]["cpu_us"]["median"], first["row"]["cpu_us"]["low"], first["row"]["wall_us"]["high"]) == (
        200,
        100,
        800,
    )
    assert first["times_cheaper"]["cpu_us"]["runs"] == [1, 1, 1]
    assert last["times_cheaper"]["cpu_us"]["runs"] == [10, 20, 5]
    assert last["alone"]["parent_us"]["median"] == 5


@pytest.mark.parametrize(("wall", "word"), [(24.9, "met"), (25.1, "missed")])
def test_the_verdict_follows_from_the_figures(wall: float, word: str) -> None:
    cost = Cost(wall, 5.0, 10.0, 15.0)
    row = {way.name: costs(180) for way in WAYS} | {WAYS[-1].name: [cost]}
    [verdict] = verdicts({"sizes": [summary(size, 10, [1e-6], row, row) for size in (2_000, 20_000)]})
    assert verdict.endswith(f"is {word}.")
    assert "run_in_executor 360 and 180" in verdict


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "crawler", "bench", "handoff", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def test_the_command_measures_prints_and_writes(tmp_path: Path) -> None:
    output = tmp_path / "new" / "out"
    ended = run("--small", "--size", "3000", "--size", "20000", "-o", str(output))
    assert ended.returncode == 0, ended.stderr
    assert len(ended.stderr.splitlines()) == 2, "one line a size, and no warning of anything left behind"
    results: dict[str, Any] = orjson.loads((output / "results.json").read_bytes())
    assert [size["bytes"] for size in results["sizes"]] == [3_000, 20_000]
    assert results["machine"]["cores"] >= 1
    assert results["python"]["version"] in sys.version
    for size in results["sizes"]:
        assert [way["way"] for way in size["ways"]] == [way.name for way in WAYS]
        for way in size["ways"]:
            assert way["way"] in ended.stdout
            assert len(way["row"]["cpu_us"]["runs"]) == results["effort"]["rounds"]
            assert way["row"]["parent_us"]["low"] > 0
    assert "The target, 25 us by the wall, is" in ended.stdout
    assert ended.stdout.rstrip().endswith(str(output / "results.json"))


def test_an_output_that_cannot_be_written_is_found_before_anything_is_measured(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = run("-o", str(tmp_path / "file" / "out"))
    assert ended.returncode == 2
    assert ended.stderr.startswith("crawler: --output")
    assert len(ended.stderr.splitlines()) == 1
