"""The crawler connects to what it crawls and to nothing else, and listens to nobody.

An audit hook (PEP 578) in the crawler and in all of its workers writes down what Python's sockets do; so the loop is
asyncio's own here, as uvloop's sockets pass no hook.
"""

import json
from pathlib import Path

import pytest

from tests.integration.crawls import ROOT, crawler, impatient, records
from tests.wire import WireServer, response

HOOK = """
import json, os, sys

SEEN = ("socket.connect", "socket.bind", "socket.getaddrinfo")

def audit(event, arguments, file=os.environ["AUDIT_FILE"]):
    if event in SEEN:
        address = arguments[:2] if event == "socket.getaddrinfo" else arguments[1]
        with open(file, "a") as log:
            log.write(json.dumps([event, repr(address)]) + chr(10))

sys.addaudithook(audit)
"""
ANALYZERS = "analyzers=[content, language, keywords, fingerprint, readability, structured]"


@pytest.mark.parametrize("mode", ["coroutines", "threads"])
def test_no_connection_but_to_what_is_crawled(tmp_path: Path, mode: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(HOOK)
    log = tmp_path / "audit"
    page = (
        b"<title>A page</title><img src=http://198.51.100.1/x.png><link rel=stylesheet href=http://198.51.100.2/x.css>"
    )
    with WireServer() as server:
        server.pages = {
            "/robots.txt": response(status="404 Not Found"),
            "/": response(page + b"<a href=/page>x</a><a href=http://198.51.100.3/>x</a>"),
            "/page": response(page + b"<p>" + b"Some words of a page. " * 200),
        }
        environment = {
            "PYTHONPATH": f"{tmp_path}:{ROOT}",
            "AUDIT_FILE": str(log),
            "http_proxy": "http://198.51.100.4:1",
        }
        settings = impatient(ANALYZERS, f"fetch.mode={mode}", "fetch.uvloop=false", "scope.mode=seed_domains")
        done = crawler("run", f"{server.url}/", "-j", tmp_path / "job", *settings, env=environment)
        assert done.returncode == 0, done.stderr
        assert len(records(tmp_path / "job")) == 2
        seen = [tuple(json.loads(line)) for line in log.read_text().splitlines()]
    network = {(event, address) for event, address in seen if address.startswith("(")}
    assert ("socket.connect", f"('127.0.0.1', {server.port})") in network
    allowed = {
        ("socket.connect", f"('127.0.0.1', {server.port})"),
        ("socket.getaddrinfo", f"('127.0.0.1', {server.port})"),
        ("socket.bind", "('::1', 0)"),  # so urllib3, when it is imported, finds out whether there is IPv6
    }
    assert network <= allowed
    assert len(seen) > len(network), "workers are spoken to by sockets of the file system: the hook was there"
