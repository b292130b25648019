"""Sitemaps that are made to do harm, in whole crawls: each has its record, and what they lead to is bounded."""

import gzip
from pathlib import Path

import pytest

from tests.integration.crawls import crawler, impatient, records, stats
from tests.wire import Script, WireServer, response

AFTER = 30
ENTITIES = "".join(f"<!ENTITY e{n} '{f'&e{n - 1};' * 10}'>" for n in range(1, 10))
MAPS = {
    "entities": f"<!DOCTYPE x [<!ENTITY e0 '/laugh'>{ENTITIES}]><urlset><url><loc>&e9;</loc></url></urlset>".encode(),
    "external": b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><urlset><url><loc>&e;</loc></url></urlset>",
    "nested": b"<urlset>" + b"<url>" * 500_000,
    "not-closed": b"<urlset><url><loc>",
    "encoding": b"<?xml version='1.0' encoding='punycode'?><urlset/>",
    "bomb": gzip.compress(b"<urlset>" + b" " * 20_000_000),
    "noise": bytes(range(256)) * 1000,
    "empty": b"",
}


class Chain(dict[str, "bytes | Script"]):
    """Sitemaps that name a further sitemap each, for ever."""

    def __init__(self, url: str, pages: dict[str, bytes]) -> None:
        super().__init__(pages)
        self.url = url

    def __missing__(self, path: str) -> bytes:
        number = int(path.rpartition("/")[2])
        loc = f"<sitemap><loc>{self.url}/chain/{number + 1}</loc></sitemap>"
        return response(f"<sitemapindex>{loc}</sitemapindex>".encode(), content_type="application/xml")


@pytest.mark.parametrize("mode", ["coroutines", "threads"])
def test_every_sitemap_has_its_record_and_no_chain_of_them_is_endless(tmp_path: Path, mode: str) -> None:
    with WireServer() as server:
        names = "".join(f"Sitemap: {server.url}/map/{name}\n" for name in MAPS)
        itself = f"<sitemapindex><sitemap><loc>{server.url}/itself</loc></sitemap></sitemapindex>"
        many = "".join(f"<url><loc>{server.url}/many/{n}</loc></url>" for n in range(60_000))
        robots = f"{names}Sitemap: {server.url}/chain/0\nSitemap: {server.url}/itself\nSitemap: {server.url}/many\n"
        server.pages = Chain(
            server.url,
            {
                "/": response(b"<title>seed</title>"),
                "/robots.txt": response(f"{robots}User-agent: *\nDisallow: /many/".encode(), content_type="text/plain"),
                "/itself": response(itself.encode(), content_type="application/xml"),
                "/many": response(f"<urlset>{many}</urlset>".encode(), content_type="application/xml"),
                **{f"/map/{name}": response(body, content_type="application/xml") for name, body in MAPS.items()},
            },
        )
        settings = ("analyzers=[]", "politeness.sitemaps=true", f"scope.repetitive_after={AFTER}", f"fetch.mode={mode}")
        job = tmp_path / "job"
        done = crawler("run", f"{server.url}/", "-j", job, *impatient(*settings, "fetch.per_host=8"))
        assert done.returncode == 0, done.stderr
    found = {"/" + record["url"].split("/", 3)[3]: record for record in records(job)}
    for name in MAPS:
        assert (found[f"/map/{name}"]["outcome"], found[f"/map/{name}"]["links"]) == ("ok", 0), name
    assert found["/itself"]["links"] == 1
    assert found["/many"]["links"] == 50_000
    assert sum(path.startswith("/many/") for path in found) == 50_000
    assert {record["error"]["kind"] for path, record in found.items() if path.startswith("/many/")} == {"robots"}
    assert AFTER <= sum(path.startswith("/chain/") for path in found) <= 3 * AFTER
    assert f"127.0.0.1:{server.port}/chain" in stats(job)["cut"]
