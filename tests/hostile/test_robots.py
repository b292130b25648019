"""Hosts and their robots.txt, by the letter of RFC 9309, in whole crawls: what is asked, and what is not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.fetcher_suite import script
from tests.integration.crawls import crawler, impatient, records
from tests.wire import Script, WireServer, linking, response

MODES = ["coroutines", "threads"]
NOTHING = response(status="404 Not Found")
Servers = tuple[WireServer, WireServer]


@pytest.fixture
def servers() -> Iterator[Servers]:
    with WireServer() as own, WireServer() as other:
        yield own, other


def text(rules: str) -> bytes:
    return response(rules.encode(), content_type="text/plain")


def crawl(job: Path, seed: str, mode: str, *settings: str) -> dict[str, tuple[str, str | None]]:
    """Return each record's outcome and kind of error, by path."""
    usual = ("analyzers=[]", "scope.mode=any", "fetch.allow_private=[127.0.0.1]", f"fetch.mode={mode}")
    done = crawler("run", seed, "-j", job, *impatient(*usual, *settings))
    assert done.returncode in {0, 3}, done.stderr
    return {
        "/" + record["url"].split("/", 3)[3]: (record["outcome"], (record["error"] or {}).get("kind"))
        for record in records(job)
    }


@pytest.mark.parametrize("mode", MODES)
def test_it_is_asked_first_of_every_host_that_a_link_or_a_redirect_leads_to(
    servers: Servers, tmp_path: Path, mode: str
) -> None:
    own, other = servers
    moved = response(status="302 Found", location=f"{other.url}/forbidden")
    own.pages = {"/": linking("/moved", f"{other.url}/linked"), "/moved": moved, "/robots.txt": NOTHING}
    other.pages = {"/robots.txt": text("User-agent: *\nDisallow: /forbidden"), "/linked": response(b"linked")}
    found = crawl(tmp_path / "job", f"{own.url}/", mode)
    assert found == {"/": ("ok", None), "/moved": ("skipped", "robots"), "/linked": ("ok", None)}
    assert own.requests[0] == "/robots.txt"
    assert other.requests == ["/robots.txt", "/linked"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "answer",
    [response(status="503 Service Unavailable"), script("hang"), script("reset"), response(status="500 Oh")[:20]],
    ids=["503", "silent", "reset", "broken"],
)
def test_a_host_that_cannot_say_is_left_alone_and_no_other(
    servers: Servers, tmp_path: Path, mode: str, answer: bytes | Script
) -> None:
    own, other = servers
    own.pages = {"/": linking(f"{other.url}/there", "/page"), "/page": response(b"page"), "/robots.txt": NOTHING}
    other.pages = {"/robots.txt": answer, "/there": response(b"page")}
    quick = ("politeness.robots_retries=1", "fetch.timeout.total=3s", "fetch.timeout.connect=3s")
    found = crawl(tmp_path / "job", f"{own.url}/", mode, *quick, "fetch.timeout.first_byte=2s")
    assert found == {"/": ("ok", None), "/page": ("ok", None), "/there": ("skipped", "robots_unavailable")}
    assert set(other.requests) == {"/robots.txt"}


@pytest.mark.parametrize("mode", MODES)
def test_redirects_of_it_are_followed_and_bind_the_first_host(servers: Servers, tmp_path: Path, mode: str) -> None:
    own, other = servers
    hops = {f"/r{n}": response(status="301 Moved", location=f"/r{n + 1}") for n in range(1, 4)}
    own.pages = {
        "/robots.txt": response(status="301 Moved", location="/r1"),
        **hops,
        "/r4": response(status="301 Moved", location=f"{other.url}/rules"),
        "/": linking("/forbidden"),
    }
    other.pages = {"/rules": text("User-agent: *\nDisallow: /forbidden"), "/robots.txt": NOTHING}
    found = crawl(tmp_path / "job", f"{own.url}/", mode)
    assert found == {"/": ("ok", None), "/forbidden": ("skipped", "robots")}
    assert "/forbidden" not in own.requests


@pytest.mark.parametrize("mode", MODES)
def test_a_rule_at_its_end_counts_and_what_is_beyond_does_not(servers: Servers, tmp_path: Path, mode: str) -> None:
    own, _ = servers
    rules = "User-agent: *\n" + "# padding\n" * 49_000 + "Disallow: /late\n"
    rules += "# padding\n" * 3_000 + "Disallow: /beyond\n"
    assert 490_000 < rules.index("/late") < 500 * 1024 < rules.index("/beyond")
    own.pages = {"/robots.txt": text(rules), "/": linking("/late", "/beyond"), "/beyond": response(b"page")}
    found = crawl(tmp_path / "job", f"{own.url}/", mode)
    assert found == {"/": ("ok", None), "/late": ("skipped", "robots"), "/beyond": ("ok", None)}


@pytest.mark.parametrize("mode", MODES)
def test_the_longest_rule_decides_and_allow_wins_a_tie(servers: Servers, tmp_path: Path, mode: str) -> None:
    own, _ = servers
    rules = (
        "User-agent: tandem-crawler\nDisallow: /a\nAllow: /a/b\n\nUser-agent: *\nDisallow: /\n\n"
        "User-agent: Tandem-Crawler\nDisallow: /*.pdf$\nDisallow: /tie\nAllow: /tie\n"
    )
    pages = ("/a/x", "/a/b", "/x.pdf", "/x.pdf?y", "/tie", "/other")
    own.pages = {"/robots.txt": text(rules), "/": linking(*pages), **{page: response(b"page") for page in pages}}
    found = crawl(tmp_path / "job", f"{own.url}/", mode)
    assert {page for page in pages if found[page][1] == "robots"} == {"/a/x", "/x.pdf"}
    assert not {"/a/x", "/x.pdf"} & set(own.requests)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("field", ["99999999", "Wed, 21 Oct 2099 07:28:00 GMT"])
def test_no_host_stalls_the_crawl_by_the_pause_that_it_asks_for(
    servers: Servers, tmp_path: Path, mode: str, field: str
) -> None:
    own, _ = servers
    rules = text("User-agent: *\nCrawl-delay: 99999999")
    busy = response(status="429 Too Many Requests", retry_after=field)
    own.pages = {"/robots.txt": rules, "/": linking("/busy", "/page"), "/busy": busy, "/page": response(b"page")}
    bounds = ("politeness.max_crawl_delay=50ms", "politeness.retry_after_max=100ms", "fetch.retries=1")
    found = crawl(tmp_path / "job", f"{own.url}/", mode, *bounds)
    assert found == {"/": ("ok", None), "/busy": ("http_error", "status"), "/page": ("ok", None)}
    assert own.requests.count("/busy") == 2
