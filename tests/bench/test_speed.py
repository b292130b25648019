"""``crawler bench speed``: the crawler's own figures, peers by turns with it, and what is said where they fail."""

import json
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from crawler.bench.site import SiteProcess, SiteSpec
from tests.integration.crawls import crawler

PEER = """#!{python}
import json, sys
print(json.dumps({{"rate": {rate}, "asked": sys.argv[1:]}}))
"""


@pytest.fixture(scope="module")
def site() -> Iterator[SiteProcess]:
    with SiteProcess(SiteSpec(pages=20, hosts=1, page_size=5_000)) as site:
        yield site


@pytest.fixture
def peers(tmp_path: Path) -> Path:
    """A folder with programs in the place of the peers, which say how fast they are without crawling."""
    for name, rate in {"obvious.py": 10, "scrapy_peer.py": 2, "limit.py": 100_000}.items():
        program = tmp_path / name
        program.write_text(PEER.format(python=sys.executable, rate=rate))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return tmp_path


def test_it_measures_itself_and_the_peers_by_turns(site: SiteProcess, peers: Path, tmp_path: Path) -> None:
    arguments = ("--peers", peers, "--python", sys.executable, "--docroot", tmp_path, "-o", tmp_path)
    quick = ("--repeats", "1", "--slow-pages", "1000")
    done = crawler("bench", "speed", *site.seeds, *arguments, *quick)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    links, content = found["sites"]
    assert (links["work"], content["work"]) == ("links only", "content")
    assert set(links["times"]) == {"obvious", "scrapy"}
    assert set(content["times"]) == {"obvious", "limit"}
    rate = links["pages_per_second"]["tandem"]["median"]
    assert links["times"]["obvious"]["median"] == pytest.approx(rate / 10, rel=1e-4)
    assert content["times"]["limit"]["median"] < 1
    assert [entry["connections"] for entry in found["slow_servers"]] == [250, 500, 1_000]
    for entry in found["slow_servers"]:
        assert 0 < entry["share_of_bound"]["median"] <= 1
        assert entry["loop_ms_per_page"]["median"] > 0
    assert found["start"]["help_ms"]["median"] > 0
    assert found["start"]["first_page_s"]["median"] > 0
    assert "crawler --help:" in done.stdout


def test_a_peer_that_fails_is_named_with_its_last_words(site: SiteProcess, peers: Path) -> None:
    (peers / "obvious.py").write_text("raise SystemExit('no such library')")
    done = crawler("bench", "speed", *site.seeds, "--peers", peers, "--python", sys.executable, "--repeats", "1")
    assert done.returncode == 2
    assert done.stderr.endswith(f"crawler: {peers / 'obvious.py'}: no such library\n")


def test_peers_need_their_python_and_docroots_their_seeds(tmp_path: Path) -> None:
    done = crawler("bench", "speed", "--peers", tmp_path)
    assert (done.returncode, done.stderr.startswith("crawler: --peers and --python go together")) == (2, True)
    done = crawler("bench", "speed", "--docroot", tmp_path)
    assert done.stderr == "crawler: --docroot: there are 1, for 0 seeds; one a seed at most\n"
    assert done.returncode == 2
