"""Pages that are made to hurt a parser, crawled with every analyzer: each has its record, and an honest one beside."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.hostile.pages import SEED, served
from tests.integration.crawls import crawler, impatient, records, stats
from tests.wire import WireServer, linking, response

ANALYZERS = "analyzers=[content, language, keywords, fingerprint, readability, structured]"
SETTINGS = ("cpu.workers=2", "cpu.page_timeout=3s", "cpu.page_memory=512MiB", "limits.depth=1", ANALYZERS)
PATHS = tuple(served())


@pytest.fixture(scope="module", params=["turbohtml, coroutines", "selectolax, threads"])
def job(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    print(f"seed {SEED}")
    parser, _, mode = request.param.partition(", ")
    job: Path = tmp_path_factory.mktemp("hostile") / parser
    with WireServer() as server:
        honest = response(b"<title>honest</title><p>An honest page.")
        index = linking(*PATHS, "/honest")
        nothing = response(status="404 Not Found")
        server.pages = {"/": index, "/robots.txt": nothing, "/honest": honest, **served()}
        done = crawler(
            "run", f"{server.url}/", "-j", job, *impatient(*SETTINGS, f"parse.parser={parser}", f"fetch.mode={mode}")
        )
        assert done.returncode == 0, done.stderr
    return job


@pytest.fixture(scope="module")
def found(job: Path) -> Mapping[str, dict[str, Any]]:
    return {"/" + record["url"].split("/", 3)[3]: record for record in records(job)}


@pytest.mark.parametrize("path", PATHS)
def test_every_page_has_its_record(found: Mapping[str, dict[str, Any]], path: str) -> None:
    record = found[path]
    assert (record["outcome"], record["error"]) == ("ok", None)
    assert len(record["title"] or "") < 100_000
    assert record["links"] <= 100_000
    kinds = {error["kind"] for error in (record["analysis_error"] or {}).values()}
    assert kinds <= {"timeout", "memory", "crash", "exception"}


def test_the_honest_page_is_analysed(found: Mapping[str, dict[str, Any]]) -> None:
    assert found["/honest"]["analysis_error"] is None
    assert len(found["/honest"]["analysis"]) == 6


def test_no_loop_stood_still(job: Path) -> None:
    """What takes long takes it in a worker; on the loop a page takes milliseconds (64 KiB at most are parsed there)."""
    assert stats(job)["loop_lag_ms"]["p50"] < 100
