"""Analysis that lags behind slows down fetching, and memory stays what it was."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from crawler.bench.site import SiteProcess, SiteSpec
from tests.integration.crawls import crawler, impatient, records, stats

PAGES = 600
ANALYZER = """
import time

def work(page, ms):
    end = time.process_time() + ms / 1000
    while time.process_time() < end:
        pass
    return {"characters": len(page.text)}
"""
ROOM_MB = 20
"""What two runs of the same crawl may differ by; the pages that would pile up take three times that."""


@pytest.fixture(scope="module")
def site() -> Iterator[SiteProcess]:
    with SiteProcess(SiteSpec(pages=PAGES, hosts=4, page_size=60_000)) as site:
        yield site


def crawl(site: SiteProcess, folder: Path, analyzer_ms: float, memory: str = "4MiB") -> float:
    """Crawl all pages; return the peak of the memory of all processes in MB."""
    (folder / "pace.py").write_text(ANALYZER)
    job = folder / f"{analyzer_ms}-{memory}"
    sets = (
        f"analyzers=[{{name: 'pace:work', options: {{ms: {analyzer_ms}}}}}]",
        "cpu.workers=2",
        f"limits.memory={memory}",
        "observe.stats_interval=50ms",
        "fetch.per_host=16",
    )
    done = crawler("run", *site.seeds, "-j", str(job), *impatient(*sets), cwd=folder)
    assert done.returncode == 0, done.stderr
    assert len(records(job)) == PAGES
    peak: float = stats(job)["peak_rss_mb"]
    return peak


def test_an_analyzer_that_is_a_hundred_times_slower_does_not_raise_memory(site: SiteProcess, tmp_path: Path) -> None:
    fast, slow = (crawl(site, tmp_path, ms) for ms in (0.2, 20.0))
    without_bound = crawl(site, tmp_path, 20.0, "1GiB")
    assert slow <= fast + ROOM_MB
    assert without_bound > slow + 2 * ROOM_MB
