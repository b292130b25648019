"""When the next requests go out, and when what came is written: as soon as may be, whatever else is waited for."""

from pathlib import Path

from crawler.bench.site import SiteProcess, SiteSpec
from tests.integration.crawls import PATIENCE, crawler, impatient, records, running
from tests.processes import wait_until

PAGES = 30
MANY = 200

WAITS = """
import fcntl, pathlib, time

def analyze(page):
    here = pathlib.Path(__file__).parent
    with (here / "first").open("a") as first:
        try:
            fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the first page's, until it is done
        except BlockingIOError:
            return {}
        while not (here / "released").exists():
            time.sleep(0.01)
    return {}
"""


def test_links_are_fetched_when_they_are_found_and_not_with_the_next_commit(tmp_path: Path) -> None:
    sets = ("parse.where=worker", "frontier.commit_interval=1h")
    with SiteProcess(SiteSpec(pages=PAGES, hosts=1)) as site:
        done = crawler("run", *site.seeds, "-j", str(tmp_path / "job"), *impatient(*sets))
    assert done.returncode == 0, done.stderr
    assert len(records(tmp_path / "job")) == PAGES


def test_at_the_end_pages_are_written_while_others_are_still_analysed(tmp_path: Path) -> None:
    job = tmp_path / "job"
    written = job / "pages.jsonl"
    (tmp_path / "waits.py").write_text(WAITS)
    sets = ("analyzers=['waits:analyze']", "cpu.workers=2", "cpu.batch=1", "frontier.commit_interval=1h")
    with (
        SiteProcess(SiteSpec(pages=MANY, hosts=1)) as site,
        running("run", *site.seeds, "-j", job, *impatient(*sets), cwd=tmp_path) as crawl,
    ):
        wait_until(lambda: crawl.poll() is not None or (written.exists() and written.stat().st_size))
        assert crawl.poll() is None, crawl.communicate()
        (tmp_path / "released").touch()
        assert crawl.wait(PATIENCE) == 0
    assert len(records(job)) == MANY
