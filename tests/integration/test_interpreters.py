"""A whole crawl whose analyzers run in subinterpreters."""

from concurrent import futures
from pathlib import Path

import pytest

from crawler.bench.site import SiteProcess, SiteSpec
from tests.integration.crawls import crawler, impatient, records

pytestmark = pytest.mark.skipif(
    not hasattr(futures, "InterpreterPoolExecutor"), reason="Python 3.14 is the first with interpreters to work in"
)

SIZES = "analyzers=[tests.sample_analyzers:length]"
IN_INTERPRETERS = "cpu.executor=interpreters"


def test_pages_of_any_size_are_analysed_as_inline(tmp_path: Path) -> None:
    with SiteProcess(SiteSpec(pages=60, hosts=2, page_size=(5_000, 100_000))) as site:
        found = {}
        for executor in ("inline", "interpreters"):
            job = tmp_path / executor
            done = crawler("run", *site.seeds, "-j", job, *impatient(SIZES, f"cpu.executor={executor}"))
            assert (done.returncode, done.stderr) == (0, "")
            found[executor] = {record["url"]: record["analysis"] for record in records(job)}
    assert len(found["interpreters"]) == 60
    assert all(analysis["tests.sample_analyzers:length"] for analysis in found["interpreters"].values())
    assert found["interpreters"] == found["inline"]


@pytest.mark.parametrize(
    ("settings", "module"),
    [(["parse.where=worker", SIZES], "can_ada"), (["analyzers=[content]"], "lxml")],
    ids=["parser", "analyzer"],
)
def test_a_module_that_refuses_subinterpreters_is_named(settings: list[str], module: str, tmp_path: Path) -> None:
    with SiteProcess(SiteSpec(pages=5, hosts=1)) as site:
        done = crawler("run", *site.seeds, "-j", tmp_path / "job", *impatient(IN_INTERPRETERS, *settings))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert module in done.stderr
    assert "does not support loading in subinterpreters" in done.stderr
    assert done.stderr.endswith("choose cpu.executor: processes\n")
