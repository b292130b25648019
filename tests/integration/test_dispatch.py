"""When the next requests go out: as soon as there are any, whatever else the crawl is waiting for."""

from pathlib import Path

from crawler.bench.site import SiteProcess, SiteSpec
from tests.integration.crawls import crawler, impatient, records

PAGES = 30


def test_links_are_fetched_when_they_are_found_and_not_with_the_next_commit(tmp_path: Path) -> None:
    sets = ("parse.where=worker", "frontier.commit_interval=1h")
    with SiteProcess(SiteSpec(pages=PAGES, hosts=1)) as site:
        done = crawler("run", *site.seeds, "-j", str(tmp_path / "job"), *impatient(*sets))
    assert done.returncode == 0, done.stderr
    assert len(records(tmp_path / "job")) == PAGES
