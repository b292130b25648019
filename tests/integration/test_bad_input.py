"""Bad input: one clear line, the documented exit code, and nothing created or touched."""

import fcntl
import os
import sqlite3
import sys
from pathlib import Path

import pytest

from crawler.bench.site import SiteProcess, SiteSpec
from tests.integration.crawls import crawler, impatient, records

SEED = "http://127.0.0.1:9/"  # nobody listens there, and nothing may ask


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([SEED, "-s", "fetch.per_hots=3"], "fetch.per_hots: unknown key"),
        ([SEED, "-s", "fetch.concurrency=many"], "fetch.concurrency: expected"),
        ([SEED, "-s", "fetch.max_body=8 apples"], "fetch.max_body: expected"),
        ([SEED, "-s", "analyzers=[contents]"], "contents"),
        ([SEED, "-s", "analyzers=['no.such.module:f']"], "no module 'no"),
        ([SEED, "-s", "analyzers=[{name: keywords, options: {count: 0}}]"], "count"),
        ([SEED, "-s", "scope.include=['(']"], "scope.include"),
        ([SEED, "-s", "cpu.executor=dask"], "cpu.executor: expected"),
        pytest.param(
            [SEED, "-s", "cpu.executor=interpreters"],
            "cpu.executor interpreters needs Python 3.14",
            marks=pytest.mark.skipif(sys.version_info >= (3, 14), reason="it is there from Python 3.14 on"),
        ),
        (["ftp://example.org/"], "ftp://example.org/"),
        (["not a url"], "not a url"),
        (["http://[::1/"], "http://[::1/"),
        ([], "no seeds"),
        (["--seeds", "missing.txt"], "missing.txt: cannot be read: No such file"),
        (["--seeds", "."], ".: cannot be read: Is a directory"),
        ([SEED, "-c", "missing.yaml"], "missing.yaml: cannot be read"),
        ([SEED, "-n", "0"], "--max-pages"),
    ],
)
def test_bad_usage_is_one_clear_line_and_touches_nothing(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = crawler("run", *arguments, "-j", "job", cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_a_bad_file_is_named_with_line_and_key(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("fetch:\n  per_host: 2\n  retries: lots\nlimit:\n  pages: 3\n")
    done = crawler("run", SEED, "-c", "c.yaml", "-j", "job", cwd=tmp_path)
    assert done.returncode == 2
    assert [line.split(": expected")[0].split(": unknown")[0] for line in done.stderr.splitlines()] == [
        "crawler: c.yaml:4:1: limit",
        "crawler: c.yaml:3:3: fetch.retries",
    ]
    assert not (tmp_path / "job").exists()


@pytest.mark.parametrize("content", [b"", b"\n# nothing\n\n", b"\xff\xfe\x00"])
def test_a_seeds_file_without_seeds(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "seeds").write_bytes(content)
    done = crawler("run", "--seeds", "seeds", "-j", "job", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "--seeds seeds: " in done.stderr
    assert not (tmp_path / "job").exists()


def test_a_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for job in ("file", "file/job", "/proc/job"):
        done = crawler("run", SEED, "-j", job, cwd=tmp_path)
        assert (done.returncode, done.stderr.count("\n")) == (4, 1), done.stderr
        assert job in done.stderr
    assert (tmp_path / "file").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_directory_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_text("meow")
    done = crawler("run", SEED, "-j", "photos", cwd=tmp_path)
    assert done.returncode == 4
    assert "not a job" in done.stderr
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["cat.jpg"]


def finished_job(folder: Path) -> tuple[Path, str]:
    """Make a small job; return it and the seed that it was made from."""
    with SiteProcess(SiteSpec(pages=8, hosts=1)) as site:
        done = crawler("run", *site.seeds, "-j", folder / "job", *impatient("analyzers=[]"))
        assert done.returncode == 0, done.stderr
        return folder / "job", site.seeds[0]


def snapshot(job: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in job.iterdir()}


def test_a_locked_job(tmp_path: Path) -> None:
    job, seed = finished_job(tmp_path)
    before = snapshot(job)
    with (job / "lock").open("rb+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for extra in ([], ["--fresh"]):
            done = crawler("run", seed, "-j", job, *extra)
            assert (done.returncode, done.stderr.count("\n")) == (4, 1), done.stderr
            assert f"{job}: a running crawl" in done.stderr
        assert crawler("status", job).returncode == 0, "a running job can be looked at"
    assert snapshot(job) == before


def test_a_job_of_a_newer_version(tmp_path: Path) -> None:
    job, seed = finished_job(tmp_path)
    with sqlite3.connect(job / "job.db") as db:
        db.execute("UPDATE meta SET value = 99 WHERE key = 'version'")
    db.close()
    before = snapshot(job)
    for command in (["run", seed, "-j", job], ["status", job], ["report", job]):
        done = crawler(*command)
        assert (done.returncode, done.stderr.count("\n")) == (4, 1), done.stderr
        assert "version" in done.stderr
    after = snapshot(job)
    assert {name: after[name] for name in before if name != "lock"} == {
        name: data for name, data in before.items() if name != "lock"
    }


@pytest.mark.parametrize("garbage", [b"", b"garbage" * 1000])
def test_a_damaged_ledger(tmp_path: Path, garbage: bytes) -> None:
    job, seed = finished_job(tmp_path)
    (job / "job.db").write_bytes(garbage or (job / "job.db").read_bytes()[:5000])
    done = crawler("run", seed, "-j", job)
    assert (done.returncode, done.stderr.count("\n")) == (4, 1), done.stderr
    assert "job.db" in done.stderr


def test_lost_records_are_said(tmp_path: Path) -> None:
    job, seed = finished_job(tmp_path)
    os.truncate(job / "pages.jsonl", 100)
    done = crawler("run", seed, "-j", job)
    assert (done.returncode, done.stderr.count("\n")) == (4, 1), done.stderr
    assert "records at its end were lost" in done.stderr
    assert (job / "pages.jsonl").stat().st_size == 100


@pytest.mark.parametrize("command", ["status", "report", "export"])
def test_a_command_on_no_job(tmp_path: Path, command: str) -> None:
    done = crawler(command, "nothing", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (4, "crawler: nothing: no job here (job.db is missing)\n")
    assert list(tmp_path.iterdir()) == []


def test_no_seed_that_answers(tmp_path: Path) -> None:
    done = crawler("run", SEED, "-j", "job", *impatient("fetch.retries=0", "politeness.robots_retries=1"), cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    assert "no page could be fetched" in done.stderr
    assert [record["outcome"] for record in records(tmp_path / "job")] == ["skipped"]
