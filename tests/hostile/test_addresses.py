"""Ways into the network that the crawler stands in: links, redirects, robots.txt, sitemaps, in every spelling.

The victim listens on the same machine as the seed's server. Consent to the seed is none to the victim, and nothing of
all this may as much as open a connection to it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.crawls import crawler, impatient, records
from tests.wire import WireServer, linking, response

NOTHING = response(status="404 Not Found")
HOSTS = (
    "127.0.0.1",
    "127.1",
    "127.0.0.1.",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "127.0.0.2",
    "0.0.0.0",
    "localhost",
    "localhost.",
    "LOCALHOST",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::127.0.0.1]",
    "[2002:7f00:1::]",
    "%31%32%37.0.0.1",
    "①②⑦.⓪.⓪.①",
    "user@127.0.0.1",
)
ELSEWHERE = (
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "198.18.0.1",
    "[fd00::1]",
    "[fe80::1]",
    "[ff02::1]",
    "[fec0::1]",
    "[2001:db8::1]",
)


@dataclass(frozen=True, slots=True)
class Found:
    """A crawl's records by what follows the host in their URL, and the victim."""

    records: dict[str, dict[str, Any]]
    victim: WireServer


@pytest.fixture(scope="module", params=["coroutines", "threads"])
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Found]:
    job: Path = tmp_path_factory.mktemp("addresses") / request.param
    with WireServer() as server, WireServer() as victim:
        inside = [f"http://{host}:{victim.port}/{n}" for n, host in enumerate(HOSTS)]
        inside += [f"http://{host}/{n}" for n, host in enumerate(ELSEWHERE, len(HOSTS))]
        links = [
            *inside,
            *(f"/to/{n}" for n in range(len(inside))),
            "file:///etc/passwd",
            "ftp://127.0.0.1/",
            "gopher:x",
        ]
        sitemap = "".join(f"<sitemap><loc>{url}s</loc></sitemap>" for url in inside)
        server.pages = {
            "/": linking(*links),
            "/robots.txt": response(
                f"User-agent: *\nSitemap: {server.url}/map.xml\nSitemap: {victim.url}/map.xml".encode(),
                content_type="text/plain",
            ),
            "/map.xml": response(f"<sitemapindex>{sitemap}</sitemapindex>".encode(), content_type="application/xml"),
            **{
                f"/to/{n}": response(status="302 Found", location=url.encode().decode("latin-1"))
                for n, url in enumerate(inside)
            },
        }
        settings = ("analyzers=[]", "scope.mode=any", "politeness.sitemaps=true", "politeness.robots_retries=1")
        quick = ("fetch.retries=0", "fetch.per_host=16", "fetch.timeout.connect=2s", f"fetch.mode={request.param}")
        done = crawler("run", f"{server.url}/", "-j", job, *impatient(*settings, *quick))
        assert done.returncode == 0, done.stderr
        yield Found({record["url"].split("//", 1)[1]: record for record in records(job)}, victim)


def test_nobody_knocked_at_the_victims_door(found: Found) -> None:
    assert (found.victim.connections, found.victim.requests) == (0, [])


def test_every_link_and_every_redirect_was_refused(found: Found) -> None:
    """A private host's robots.txt cannot be had, which forbids its pages: that is where most of them end."""
    ends = {
        key: (record["outcome"], record["error"]["kind"]) for key, record in found.records.items() if record["error"]
    }
    refused = {("failed", "address_refused"), ("skipped", "robots_unavailable"), ("failed", "dns")}
    duplicates = {("skipped", "duplicate")}  # a redirect to where a link has led before
    assert set(ends.values()) <= refused | duplicates | {("failed", "bad_redirect")}
    fine = {key.partition("/")[2] for key, record in found.records.items() if not record["error"]}
    assert fine <= {"", "map.xml"}
    assert sum("/to/" in key for key in ends) == len(HOSTS) + len(ELSEWHERE)
    assert len([key for key in ends if "/to/" not in key]) >= len(ELSEWHERE) + 8


def test_only_the_web_is_asked_for(found: Found) -> None:
    assert not [record for record in found.records.values() if not record["url"].startswith("http://")]
