"""What the user's configuration keeps secret is told to the seeds alone, whatever their pages lead to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.crawls import crawler, impatient, records
from tests.wire import WireServer, linking, response

SECRET = "s3cr3t"
PASSWORD = "p4ssw0rd"


@pytest.fixture
def servers() -> Iterator[tuple[WireServer, WireServer]]:
    with WireServer() as own, WireServer() as foreign:
        yield own, foreign


@pytest.mark.parametrize("mode", ["coroutines", "threads"])
def test_no_link_and_no_redirect_takes_a_secret_along(
    servers: tuple[WireServer, WireServer], tmp_path: Path, mode: str
) -> None:
    own, foreign = servers
    nothing = response(status="404 Not Found")
    own.pages = {
        "/": linking(f"{foreign.url}/linked", "/moved", "/page"),
        "/page": response(b"page"),
        "/moved": response(status="307 Moved", location=f"{foreign.url}/target"),
        "/robots.txt": nothing,
    }
    foreign.pages = {"/linked": response(b"linked"), "/target": response(b"target"), "/robots.txt": nothing}
    secrets = f"fetch.headers={{Authorization: 'Bearer {SECRET}', X-Key: {SECRET}, Accept-Language: sv}}"
    anywhere = ("scope.mode=any", "fetch.allow_private=[127.0.0.1]", f"fetch.mode={mode}", secrets, "analyzers=[]")
    job = tmp_path / "job"
    seed = own.url.replace("//", f"//user:{PASSWORD}@")
    done = crawler("run", f"{seed}/", "-j", job, "-vv", *impatient(*anywhere))
    assert done.returncode == 0, done.stderr
    assert len(records(job)) == 4
    assert set(foreign.requests) == {"/robots.txt", "/linked", "/target"}
    assert all(SECRET.encode() in head for path, head in zip(own.requests, own.heads, strict=True) if path == "/page")
    assert [head for head in foreign.heads if SECRET.encode() in head] == []
    assert all(b"sv" in head for head in foreign.heads)
    assert [head for head in (*own.heads, *foreign.heads) if PASSWORD.encode() in head or b"dXNlcj" in head] == []
    for file in ("pages.jsonl", "crawl.log", "stats.json", "report.html", "job.db"):
        text = (job / file).read_bytes()
        assert SECRET.encode() not in text, file
        assert PASSWORD.encode() not in text, file
    assert SECRET not in done.stdout + done.stderr
    assert PASSWORD not in done.stdout + done.stderr
