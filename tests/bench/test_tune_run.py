"""``crawler tune`` from end to end: what it writes, that its advice can be run, and what it says of bad input."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from crawler.bench.site import SiteProcess, SiteSpec
from tests.bench.conftest import once
from tests.integration.crawls import crawler, records

DOCUMENT = (Path(__file__).parents[2] / "docs" / "tune.md").read_text(encoding="utf-8")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SETTINGS = ("politeness.delay=0", "fetch.per_host=16", "analyzers=[fingerprint]", "fetch.headers={X-Key: secret}")


@pytest.fixture(scope="module")
def site() -> Iterator[SiteProcess]:
    with SiteProcess(SiteSpec(pages=40, hosts=1, page_size=6_000, latency="constant:0.02")) as site:
        yield site


@pytest.fixture(scope="module")
def tuned(site: SiteProcess, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory that a small run wrote, with what it printed."""

    def make(folder: Path) -> None:
        sets = [part for each in SETTINGS for part in ("-s", each)]
        done = crawler("tune", *site.seeds, *sets, "--pages", "20", "--rounds", "2", "-o", folder / "out")
        assert done.returncode == 0, done.stderr
        (folder / "out" / "stdout").write_text(done.stdout, encoding="utf-8")
        assert done.stderr.splitlines()[0].startswith("sampled 20 pages of 1 hosts")

    return once(tmp_path_factory, "tune", make)


@pytest.fixture(scope="module")
def results(tuned: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((tuned / "results.json").read_text(encoding="utf-8"))
    return found


def documented(part: str) -> set[str]:
    table = DOCUMENT.partition(f"<!-- keys: {part} -->")[2].split("\n\n")[0]
    rows = [line.split("|")[1] for line in table.splitlines()[3:]]
    return {key for row in rows for key in re.findall(r"`(\w+)`", row)}


def test_every_key_is_documented(results: dict[str, Any]) -> None:
    assert set(results) == documented("top")
    assert all(set(each) == documented("variant") for each in results["variants"])


def test_all_variants_are_predicted_and_the_best_are_checked(results: dict[str, Any]) -> None:
    names = {each["variant"] for each in results["variants"]}
    assert names >= {
        f"{fetch}+{cpu}" for fetch in ("coroutines", "threads") for cpu in ("inline", "threads", "processes")
    }
    checked = [each for each in results["variants"] if each["measured"]]
    assert len(checked) >= 1
    assert all(each["why"] is None for each in results["variants"])
    assert all(len(each["measured"]["runs"]) == 2 for each in checked)
    best = max(results["variants"], key=lambda each: each["predicted"])
    assert best["measured"]
    assert results["configured"] in {each["variant"] for each in checked}


def test_the_sample_is_what_the_site_is(results: dict[str, Any]) -> None:
    sample = results["sample"]
    assert (sample["pages"], sample["hosts"], sample["asked"]) == (20, 1, 20)
    assert sample["latency_ms"]["p10"] > 19  # of 20: the site's timers, in whole milliseconds, may be early by one
    assert sample["bytes"]["p50"] == 6_000


def test_the_advice_can_be_run(site: SiteProcess, tuned: Path, results: dict[str, Any], tmp_path: Path) -> None:
    text = (tuned / "tuned.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(text) == results["recommended"]
    assert text in (tuned / "stdout").read_text(encoding="utf-8")
    done = crawler("run", "-c", tuned / "tuned.yaml", "-j", tmp_path / "job", "--progress", "none")
    assert done.returncode == 0, done.stderr
    assert len(records(tmp_path / "job")) == 40


def test_secrets_are_not_repeated(tuned: Path) -> None:
    assert all(b"secret" not in file.read_bytes() for file in tuned.iterdir())


def test_where_politeness_decides_nothing_is_checked(site: SiteProcess, tmp_path: Path) -> None:
    sets = ("-s", "politeness.delay=0.2", "-s", "analyzers=[]", "--pages", "4", "-o", str(tmp_path / "out"))
    done = crawler("tune", *site.seeds, *sets)
    assert done.returncode == 0, done.stderr
    assert "checking nothing: politeness decides" in done.stderr
    assert "Too close to call: politeness.delay allows 5 pages/s" in " ".join(done.stdout.split())
    found = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    assert found["measured"] is None
    assert found["recommended"]["cpu"]["executor"] == "processes"


def test_a_site_without_a_page_is_said(site: SiteProcess, tmp_path: Path) -> None:
    done = crawler("tune", f"{site.base_urls[0]}/nowhere", "-o", tmp_path / "out")
    assert done.returncode == 3
    assert done.stderr == f"crawler: no page among 1 URLs from {site.base_urls[0]}/nowhere: final status 404\n"


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the path (Debian: apt-get install chromium)")
@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 1200), ("light", 360)])
def test_the_report_opens_from_a_file_and_shows_the_results(
    tuned: Path, results: dict[str, Any], scheme: Any, width: int
) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
    said: list[str] = []
    asked: list[str] = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.on("console", lambda message: said.append(message.text))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"file://{tuned / 'report.html'}")
        page.locator("summary").focus()
        page.keyboard.press("Enter")
        shown = {float(value) for value in page.locator("data").evaluate_all("all => all.map(each => each.value)")}
        assert page.locator("table tbody").first.is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("figure svg").count() == 3
        browser.close()
    assert (said, asked) == ([], [f"file://{tuned / 'report.html'}"])
    expected = {each["predicted"] for each in results["variants"]}
    expected |= {each["measured"]["median"] for each in results["variants"] if each["measured"]}
    assert expected <= shown
