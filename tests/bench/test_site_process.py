"""A web in a process of its own: its truth, its audit, and that it never outlives its parent."""

import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest

from crawler.bench.children import ServerError
from crawler.bench.site import Kind, SiteProcess, SiteSpec, Truth

SPEC = SiteSpec(pages=40, hosts=2, page_size=6_000, not_found=0.1, forbidden=0.1)
ROOT = Path(__file__).parents[2]
PATIENCE = 60


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url) as answer:
            return int(answer.status)
    except HTTPError as error:
        error.close()
        return error.code


def refused(url: str) -> bool:
    parts = urlsplit(url)
    with socket.socket() as sock:
        return sock.connect_ex((parts.hostname, parts.port)) != 0


def test_the_parent_knows_truth_and_audit() -> None:
    with SiteProcess(SPEC) as site:
        for resource in site.truth.resources():
            assert status(resource.url) == resource.status
        audit = site.audit()
        site.reset()
        assert site.audit().requests == 0
    assert audit.hits == dict.fromkeys(site.truth.urls(), 1)
    assert set(audit.violations) == {r.url for r in site.truth.resources() if r.kind is Kind.FORBIDDEN}
    assert all(map(refused, site.base_urls))


def test_a_port_can_be_asked_for_and_a_taken_one_is_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with SiteProcess(SiteSpec(pages=5, hosts=1)) as site:
        port = urlsplit(site.base_urls[0]).port
        assert port is not None
        with pytest.raises(ServerError, match="exit code 1"), SiteProcess(SPEC, port=port):
            pass
    assert "Address already in use" in capfd.readouterr().err


@pytest.mark.parametrize("end", ["os._exit(1)", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_it_is_gone_when_its_parent_is_however_that_ended(end: str) -> None:
    code = (
        "import os, signal, sys\n"
        "from crawler.bench.site import SiteProcess, SiteSpec\n"
        "with SiteProcess(SiteSpec(pages=5, hosts=1)) as site:\n"
        f"    print(site.base_urls[0], flush=True)\n    sys.stdin.read()\n    {end}\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        url = parent.stdout.readline().strip()
        assert status(f"{url}/") == 200
        # stderr is the site's too: communicate() returns when both have closed it
        _, errors = parent.communicate(timeout=PATIENCE)
    assert parent.returncode != 0
    assert errors == ""
    assert refused(url)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_run_forever_says_where_it_is_and_ends_cleanly(ending: signal.Signals) -> None:
    code = (
        "from crawler.bench.site import *; run_forever(SiteSpec(pages=6, hosts=2), say=lambda x: print(x, flush=True))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        first, second, audit = (server.stdout.readline().strip() for _ in range(3))
        truth = Truth(SiteSpec(pages=6, hosts=2), [first.rstrip("/"), second.rstrip("/")])
        assert [status(url) for url in truth.urls()] == [200] * 6
        assert audit == f"audit: {first}__audit__"
        assert status(audit.removeprefix("audit: ")) == 200
        server.send_signal(ending)
        _, errors = server.communicate(timeout=PATIENCE)
    assert (server.returncode, errors) == (0, "")
    assert refused(first)
