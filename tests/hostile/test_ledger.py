"""A ledger that somebody else made, or damaged: it opens, or one line says that it does not; nothing of it runs."""

import asyncio
import random
import sqlite3
from pathlib import Path

import pytest

from crawler.errors import JobError
from crawler.frontier.schema import read_counts
from crawler.frontier.sqlite import FrontierSettings, SqliteFrontier
from crawler.types import CrawlRequest, Done, Outcome

SEED = 11
SETTINGS = FrontierSettings(per_host=50, delay=0.0)
REQUESTS = [CrawlRequest(f"http://h{n % 5}.example/{'p' * (n % 90)}/{n}", f"h{n % 5}.example") for n in range(400)]


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the bytes of a ledger with queued and done URLs."""
    path = tmp_path_factory.mktemp("ledger") / "job.db"

    async def fill() -> None:
        frontier = SqliteFrontier(path, SETTINGS)
        await frontier.open()
        await frontier.add(REQUESTS)
        done = await frontier.lease(30)
        for request in done:
            frontier.fetched(request)
        await frontier.commit([Done(request, Outcome.OK) for request in done], {"jsonl": 100})
        await frontier.aclose()

    asyncio.run(fill())
    return path.read_bytes()


def damaged(ledger: bytes, draw: random.Random) -> bytes:
    """Return it with some bytes changed, a piece of it moved, or its end cut off."""
    data = bytearray(ledger)
    match draw.randrange(4):
        case 0:
            del data[draw.randrange(len(data)) :]
        case 1:
            for _ in range(draw.randrange(1, 20)):
                data[draw.randrange(len(data))] = draw.randrange(256)
        case 2:
            start, size = draw.randrange(len(data)), draw.randrange(1, 4096)
            data[start : start + size] = draw.randbytes(size)
        case _:
            start, other = draw.randrange(len(data)), draw.randrange(len(data))
            data[start : start + 512] = data[other : other + 512]
    return bytes(data)


@pytest.mark.parametrize("part", range(8))
async def test_a_damaged_ledger_is_used_or_refused_in_one_line(ledger: bytes, tmp_path: Path, part: int) -> None:
    print(f"seed {SEED}")
    draw, refusals = random.Random(SEED * 100 + part), list[str]()
    for n in range(25):
        path = tmp_path / f"{n}.db"
        await asyncio.to_thread(path.write_bytes, damaged(ledger, draw))
        refusals += await use(path)
    assert refusals
    assert [words for words in refusals if "\n" in words or not words.startswith(f"{tmp_path}/")] == []


async def use(path: Path) -> list[str]:
    """Work with a ledger; return the words with which it was refused."""
    frontier = SqliteFrontier(path, SETTINGS)
    try:
        await frontier.open()
        try:
            for request in await frontier.lease(20):
                frontier.fetched(request)
            await frontier.commit([], {"jsonl": 1})
        finally:
            await frontier.aclose()
    except JobError as error:
        return [str(error)]
    return []


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM hosts WHERE id = 3",
        "UPDATE hosts SET name = x'6831' WHERE id = 3",
        "UPDATE hosts SET delay = 'soon' WHERE id = 3",
        "UPDATE hosts SET paused_until = 1e9 WHERE id = 3",
        "UPDATE urls SET url = x'687474703a2f2f' WHERE id = 200",
        "UPDATE urls SET url = 'file:///etc/passwd' WHERE id = 200",
        "UPDATE urls SET host = 'h1.example' WHERE id = 200",
        "UPDATE urls SET depth = 'deep' WHERE id = 200",
        "UPDATE urls SET priority = 0.5 WHERE id = 200",
        "UPDATE urls SET parent = 0.5 WHERE id = 200",
        "UPDATE positions SET position = 'end'",
        "UPDATE positions SET position = -1",
    ],
)
async def test_a_value_that_no_crawl_writes_is_refused_before_anything_is_touched(
    ledger: bytes, tmp_path: Path, change: str
) -> None:
    path = tmp_path / "job.db"
    await asyncio.to_thread(path.write_bytes, ledger)
    db = sqlite3.connect(path, isolation_level=None)
    assert db.execute(change).rowcount
    db.close()
    before = await asyncio.to_thread(path.read_bytes)
    (words,) = await use(path)
    assert "is damaged" in words
    assert await asyncio.to_thread(path.read_bytes) == before


def test_a_ledger_with_code_in_it_runs_none(ledger: bytes, tmp_path: Path) -> None:
    """SQLite's own kind of code: a view or a trigger in place of a table."""
    path = tmp_path / "job.db"
    path.write_bytes(ledger)
    with sqlite3.connect(path) as db:
        db.execute("CREATE TRIGGER t AFTER UPDATE ON urls BEGIN UPDATE urls SET url = 'http://evil.example/'; END")
    db.close()
    with pytest.raises(JobError, match="trigger"):
        read_counts(path)


async def test_a_crawler_that_was_killed_before_the_first_table_left_an_empty_ledger(tmp_path: Path) -> None:
    path = tmp_path / "job.db"
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = WAL")  # this alone is on the disk by then
    db.close()
    assert path.stat().st_size
    assert read_counts(path).known == 0
    frontier = SqliteFrontier(path, SETTINGS)
    await frontier.open()
    assert await frontier.add(REQUESTS[:3]) == 3
    await frontier.aclose()
    assert read_counts(path).queued == 3
