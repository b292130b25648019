"""The index of SimHashes against a search through all, and the file that carries it from run to run."""

import random
from pathlib import Path

import pytest

from cpu_stage.types import Analysis
from crawler.errors import JobError
from crawler.near_duplicates import NEAR, SimhashIndex
from crawler.sinks.originals import OriginalsSink
from crawler.types import CrawlRequest, Outcome, Record

SEED = 5
KEY = "fingerprint"


def near(simhash: int, bits: int, draw: random.Random) -> int:
    for bit in draw.sample(range(64), bits):
        simhash ^= 1 << bit
    return simhash


def test_the_index_finds_what_a_search_through_all_finds() -> None:
    print(f"seed {SEED}")
    draw, index, all_of_them = random.Random(SEED), SimhashIndex(), list[int]()
    for n in range(3000):
        chosen = near(draw.choice(all_of_them), draw.randrange(7), draw) if n % 3 else draw.getrandbits(64)
        distance = min(((known ^ chosen).bit_count() for known in all_of_them), default=64)
        found = index.find(chosen)
        if distance <= NEAR:
            assert found is not None
            assert (all_of_them[found] ^ chosen).bit_count() == distance
        else:
            assert found is None
            assert index.add(chosen) == len(all_of_them)
            all_of_them.append(chosen)
    assert len(index) == len(all_of_them) > 1000


def test_texts_with_a_piece_in_common_cost_no_more_than_others() -> None:
    index = SimhashIndex()
    for n in range(100_000):
        index.add(0xABCD << 48 | n << 8)
    assert index.find(0xABCD << 48 | 99_999 << 8) == 99_999
    assert index.find(0xABCD << 48 | 0x00FF_FFFF_FFFF) is None


def analysis(simhash: int | None, shingles: int = 100) -> Analysis:
    values = {"simhash": None if simhash is None else f"{simhash:016x}", "shingles": shingles, "exact": "0"}
    return Analysis("", {KEY: values}, {}, 0.0, "")


def record(url: str) -> Record:
    return Record(CrawlRequest(url, "e.test"), Outcome.OK, at=0.0)


async def opened(path: Path | None, position: int | None = None) -> tuple[OriginalsSink, int]:
    sink = OriginalsSink(path, KEY)
    return sink, await sink.open(position)


@pytest.mark.parametrize("kept", [True, False])
async def test_a_page_is_marked_before_and_after_its_original_is_written(tmp_path: Path, kept: bool) -> None:
    sink, _ = await opened(tmp_path / "originals.txt" if kept else None)
    first, second = "http://e.test/1", "http://e.test/2?ö=%20"
    assert sink.original_of(first, analysis(0)) is None
    assert sink.original_of(second, analysis(2**40 - 1)) is None
    assert sink.original_of("http://e.test/3", analysis(0b111)) == first
    await sink.write([record(second), record("http://e.test/3"), record(first)])
    assert sink.original_of("http://e.test/4", analysis(0b1)) == first
    assert sink.original_of("http://e.test/5", analysis(2**40 - 2)) == second
    assert sink.original_of("http://e.test/6", analysis(0b1111)) is None
    await sink.aclose()


async def test_short_texts_are_duplicates_where_they_are_equal(tmp_path: Path) -> None:
    sink, _ = await opened(None)
    assert sink.original_of("http://e.test/1", analysis(0, shingles=3)) is None
    assert sink.original_of("http://e.test/2", analysis(0b1, shingles=3)) is None
    assert sink.original_of("http://e.test/3", analysis(0b1, shingles=3)) == "http://e.test/2"
    assert sink.original_of("http://e.test/4", analysis(None, shingles=0)) is None
    assert sink.original_of("http://e.test/5", Analysis("", {}, {}, 0.0, "")) is None
    await sink.aclose()


async def test_the_next_run_knows_what_was_committed_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "originals.txt"
    sink, start = await opened(path)
    urls = [f"http://e.test/{n}" for n in range(3)]
    for n, url in enumerate(urls):
        assert sink.original_of(url, analysis(0xFF << 8 * n)) is None
    committed = await sink.write([record(urls[0]), record(urls[1])])
    assert await sink.write([record(urls[2])]) > committed > start == 0
    await sink.aclose()
    sink, position = await opened(path, committed)
    assert position == committed == path.stat().st_size
    assert sink.original_of("http://e.test/8", analysis(0xFF << 8)) == urls[1]
    assert sink.original_of("http://e.test/9", analysis(0xFF << 16)) is None
    await sink.aclose()


@pytest.mark.parametrize(
    "damage", [None, b"00", b"no simhash\n" * 5, b"-00000000000000f http://e.test/\n", b"0_1_2_3_4_5_6_7_ x\n"]
)
async def test_a_lost_file_costs_marks_alone(tmp_path: Path, damage: bytes | None) -> None:
    path = tmp_path / "originals.txt"
    sink, _ = await opened(path)
    assert sink.original_of("http://e.test/1", analysis(0)) is None
    committed = 100 + await sink.write([record("http://e.test/1")])
    await sink.aclose()
    path.unlink()
    if damage is not None:
        path.write_bytes(damage)
    sink, position = await opened(path, committed)
    assert position == 0
    assert sink.original_of("http://e.test/2", analysis(0)) is None
    await sink.aclose()


async def test_a_file_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="Is a directory"):
        await opened(tmp_path)
