"""Hostile servers beside an honest one, crawled by the command in both fetch modes: every path has its record."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.hostile.servers import CASES, HOPS
from tests.integration.crawls import crawler, impatient, records
from tests.wire import WireServer, linking, response

HONEST = {f"/honest/{n}": f"<title>{n}</title><p>An honest page.</p>".encode() for n in range(60)}
SETTINGS = (
    "analyzers=[]",
    "fetch.retries=0",
    "fetch.max_body=1MiB",
    "fetch.per_host=16",
    "fetch.timeout.total=4s",
    "fetch.timeout.connect=4s",
    "fetch.timeout.first_byte=3s",
)


@dataclass(frozen=True, slots=True)
class Found:
    """A crawl by ``mode``: its records by path, and how often the hostile server was asked for each."""

    mode: str
    records: Mapping[str, dict[str, Any]]
    asked: Mapping[str, int]


@pytest.fixture(scope="module", params=["coroutines", "threads"])
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Found]:
    """Crawl all of them."""
    job = tmp_path_factory.mktemp("hostile") / request.param
    with WireServer() as hostile, WireServer() as honest:
        nothing = response(status="404 Not Found")
        hostile.pages = {
            "/": linking(*CASES),
            "/robots.txt": nothing,
            **HOPS,
            **{path: case.page for path, case in CASES.items()},
        }
        honest.pages = {
            "/honest": linking(*HONEST),
            "/robots.txt": nothing,
            **{path: response(page) for path, page in HONEST.items()},
        }
        seeds = f"{hostile.url}/", f"{honest.url}/honest"
        done = crawler("run", *seeds, "-j", job, *impatient(*SETTINGS, f"fetch.mode={request.param}"))
        assert done.returncode == 0, done.stderr
        by_path = {"/" + record["url"].split("/", 3)[3]: record for record in records(job)}
        yield Found(request.param, by_path, Counter(hostile.requests))


@pytest.mark.parametrize("path", CASES)
def test_the_record_says_what_the_server_did(found: Found, path: str) -> None:
    record = found.records[path]
    assert (record["outcome"], (record["error"] or {}).get("kind")) == CASES[path].expects(found.mode)
    assert record["elapsed_ms"] is None or record["elapsed_ms"] < 10_000
    assert "\n" not in (record["error"] or {}).get("message", "")


def test_what_was_forged_is_nobodys_page(found: Found) -> None:
    forged = {6, len("evil")}
    assert not [record["url"] for record in found.records.values() if record["bytes"] in forged]


def test_nothing_is_asked_for_twice(found: Found) -> None:
    """Only where a used connection ends without a byte: its server may not have seen the request (RFC 9110, 9.2.2)."""
    again = {path: times for path, times in found.asked.items() if times > 1}
    assert again.keys() <= {"/broken/0", "/broken/1"}
    assert set(again.values()) <= {2}


def test_the_honest_host_has_all_its_pages(found: Found) -> None:
    honest = {path: record for path, record in found.records.items() if path.startswith("/honest/")}
    assert len(honest) == len(HONEST)
    assert {record["outcome"] for record in honest.values()} == {"ok"}
    assert {record["title"] for record in honest.values()} == {str(n) for n in range(len(HONEST))}
