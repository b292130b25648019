"""A disk that is full: the crawl ends with one line and its state saved, and goes on when there is room."""

import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crawler.bench.site import SiteProcess, SiteSpec
from tests.integration.crawls import PATIENCE, breathe, crawler, impatient, records, running, stats

PAGES = 2_000
Disk = Callable[[str], Path]


@pytest.fixture(scope="module")
def site() -> Iterator[SiteProcess]:
    with SiteProcess(SiteSpec(pages=PAGES, hosts=4, page_size=4_000)) as site:
        yield site


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Return what makes a disk of a size, which stands in ``mount``'s words, and later another size of it."""
    mounted = False

    def make(size: str) -> Path:
        nonlocal mounted
        option = f"remount,size={size}" if mounted else f"size={size}"
        done = subprocess.run(
            ["/bin/mount", "-t", "tmpfs", "-o", option, "tmpfs", str(tmp_path)], capture_output=True, check=False
        )
        if done.returncode and not mounted:
            pytest.skip("this user may not mount a disk")
        mounted = True
        return tmp_path

    yield make
    if mounted:
        subprocess.run(["/bin/umount", str(tmp_path)], check=True)


@pytest.mark.parametrize("size", ["700k", "800k", "900k", "1200k"])
def test_a_full_disk_ends_the_crawl_and_loses_nothing(site: SiteProcess, disk: Disk, size: str) -> None:
    job = disk(size) / "job"
    order = ("run", *site.seeds, "-j", job, *impatient("analyzers=[fingerprint]", "fetch.per_host=50"))
    done = crawler(*order)
    assert done.returncode == 4
    assert done.stderr.startswith("crawler: ")
    assert done.stderr.count("\n") == 1
    assert any(words in done.stderr for words in ("No space left on device", "the disk is full", "the disk failed"))
    disk("64m")
    again = crawler(*order)
    assert again.returncode == 0, again.stderr
    found = [record["url"] for record in records(job)]
    assert len(found) == len(set(found)) == PAGES == stats(job)["pages"]


@pytest.mark.parametrize("change", ["deleted", "cut", "replaced", "appended"])
def test_records_that_another_program_takes_away_are_not_lost_in_silence(
    site: SiteProcess, tmp_path: Path, change: str
) -> None:
    job, kept = tmp_path / "job", tmp_path / "kept.jsonl"
    file, site_settings = job / "pages.jsonl", impatient("analyzers=[]", "fetch.per_host=2")
    site.reset()
    with running("run", *site.seeds, "-j", job, *site_settings) as process:
        while not file.exists() or file.stat().st_size < 50_000:
            assert process.poll() is None
            breathe(process)
        if change in {"deleted", "replaced"}:
            file.rename(kept)
        if change == "replaced":
            file.write_bytes(b"")
        elif change == "cut":
            os.truncate(file, 1000)
        elif change == "appended":
            with file.open("ab") as end:
                end.write(b"not ours\n")
        _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 4
    assert said.startswith(f"crawler: {file}: ")
    assert said.count("\n") == 1
    assert ("is gone" if change in {"deleted", "replaced"} else "bytes where the job wrote") in said
    again = crawler("run", "-j", job, *site_settings)
    if change == "appended":  # it is cut back to what the job wrote
        assert again.returncode == 0, again.stderr
    else:
        assert again.returncode == 4
        assert "records at its end were lost" in again.stderr
    if change == "deleted":
        kept.rename(file)
        assert crawler("run", "-j", job, *site_settings).returncode == 0
    if change in {"deleted", "appended"}:
        found = [record["url"] for record in records(job)]
        assert len(found) == len(set(found)) == PAGES


def test_nobody_else_reads_what_a_job_holds(site: SiteProcess, tmp_path: Path) -> None:
    job = tmp_path / "job"
    assert crawler("run", *site.seeds, "-j", job, "-n", "10", *impatient("analyzers=[]")).returncode == 0
    readable = stat.S_IRWXG | stat.S_IRWXO
    assert {file.name: oct(file.stat().st_mode) for file in job.iterdir() if file.stat().st_mode & readable} == {}
