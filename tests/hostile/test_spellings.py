"""One page under many names: it is asked for once where the names mean the same, and marked where they do not."""

from pathlib import Path

import pytest

from tests.integration.crawls import crawler, impatient, records, stats
from tests.wire import WireServer, linking, response

TEXT = " ".join(f"word{n} says something of its own" for n in range(600))


@pytest.mark.parametrize("mode", ["coroutines", "threads"])
def test_many_spellings_of_one_page_are_asked_for_once(tmp_path: Path, mode: str) -> None:
    with WireServer() as server:
        same = [
            f"http://127.0.0.1:{server.port}/dir/page",
            f"HTTP://127.1:{server.port}/dir/page",
            f"http://0x7f.1:{server.port}/dir/page",
            f"http://user:secret@127.0.0.1:{server.port}/dir/page#part",
            f"http://127.0.0.1:0{server.port}/dir/page",
            "/dir/page",
            "/dir/./page",
            "/x/../dir/page",
            "/x/%2e%2E/dir/page",
            "\\dir\\page",
            "/dir/\tpage",
            " /dir/page\n",
            "/dir/page#",
            "dir/page",
            "./dir/page",
        ]
        server.pages = {
            "/robots.txt": response(status="404 Not Found"),
            "/": linking(*same),
            "/dir/page": response(b"<title>page</title>"),
        }
        done = crawler(
            "run", f"{server.url}/", "-j", tmp_path / "job", *impatient("analyzers=[]", f"fetch.mode={mode}")
        )
        assert done.returncode == 0, done.stderr
        assert sorted(server.requests) == ["/", "/dir/page", "/robots.txt"]
        assert len(records(tmp_path / "job")) == 2


def test_copies_are_marked_also_by_a_later_run(tmp_path: Path) -> None:
    job = tmp_path / "job"
    with WireServer() as server:
        canonical = "<link rel=canonical href='/original'>"
        copies = {f"/copy/{n}": response(f"{canonical}<p>{TEXT} and number {n}".encode()) for n in range(6)}
        server.pages = {
            "/robots.txt": response(status="404 Not Found"),
            "/": linking("/original", *copies, before=f"<p>{TEXT[::-1]}"),
            "/original": response(f"<p>{TEXT}".encode()),
            **copies,
        }
        order = ("run", f"{server.url}/", "-j", job, *impatient("analyzers=[fingerprint]", "fetch.per_host=1"))
        assert crawler(*order, "-n", "4").returncode == 0
        assert crawler(*order).returncode == 0
        found = {"/" + record["url"].split("/", 3)[3]: record for record in records(job)}
    assert found.pop("/")["near_duplicate_of"] is None
    first = next(path for path, record in found.items() if record["near_duplicate_of"] is None)
    of = {path: record["near_duplicate_of"] for path, record in found.items() if path != first}
    assert of == dict.fromkeys(found.keys() - {first}, found[first]["url"])
    assert {found[path]["canonical"] for path in copies} == {found["/original"]["url"]}
    assert stats(job)["near_duplicates"] == len(copies)
