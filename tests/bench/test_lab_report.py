"""The lab's report as a browser shows it: from a file, without network, with every chart and every number."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from crawler.bench.lab.claims import CLAIMS
from tests.bench.test_lab_run import spreads

playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.quiet,  # with the run of the lab that it shows
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the path (Debian: apt-get install chromium)"),
]


@dataclass
class Opened:
    """A page, what it logged, and what it asked for."""

    page: Any
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(params=["light", "dark", "phone"])
def opened(request: pytest.FixtureRequest, browser: Any, lab: Path) -> Iterator[Opened]:
    width = 360 if request.param == "phone" else 1200
    scheme = "dark" if request.param == "dark" else "light"
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    opened = Opened(page)
    page.on("console", lambda message: opened.console.append(message.text))
    page.on("pageerror", lambda error: opened.console.append(str(error)))
    page.on("request", lambda asked: opened.requests.append(asked.url))
    page.goto((lab / "report.html").as_uri())
    yield opened
    page.close()


def test_it_opens_from_a_file_without_network_or_complaint(opened: Opened, lab: Path) -> None:
    assert opened.requests == [(lab / "report.html").as_uri()]
    assert opened.console == []
    assert opened.page.title() == "Concurrency lab"
    assert opened.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_every_claim_has_charts_that_are_seen_and_described(opened: Opened) -> None:
    for claim in CLAIMS:
        charts = opened.page.locator(f"section#{claim.id} figure svg.chart")
        assert charts.count() >= 2, claim.id
        for chart in charts.all():
            box = chart.bounding_box()
            assert box["width"] > 200
            assert box["height"] > 50
            assert chart.locator("title").text_content()
            assert chart.locator("desc").text_content().startswith("In ")
            assert chart.locator("rect, polyline, circle").count() > 0
        captions = opened.page.locator(f"section#{claim.id} figcaption").all_text_contents()
        assert len(captions) == charts.count()
        assert all(caption.rstrip().endswith(".") for caption in captions)


def test_the_numbers_are_those_of_the_results(opened: Opened, lab: Path) -> None:
    results = json.loads((lab / "results.json").read_text(encoding="utf-8"))
    for entry in results["claims"]:
        section = opened.page.locator(f"section#{entry['id']}")
        assert entry["verdict"] in section.locator(".verdict").text_content()
        shown = set(section.evaluate("part => [...part.querySelectorAll('data')].map(each => Number(each.value))"))
        expected = {
            number for found in spreads(entry["figures"]) for number in (found["median"], found["low"], found["high"])
        }
        assert expected
        assert expected <= shown, entry["id"]


def test_colours_follow_the_reader_and_stand_out(opened: Opened, request: pytest.FixtureRequest) -> None:
    dark = "dark" in request.node.callspec.id
    ink, back = opened.page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
        ".map(colour => colour.match(/\\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 3)"
    )
    assert (ink > back) is dark
    assert abs(ink - back) > 150


def test_the_keyboard_reaches_everything(opened: Opened) -> None:
    page = opened.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == f"#{CLAIMS[0].id}"
    page.keyboard.press("Enter")
    page.wait_for_url(f"**#{CLAIMS[0].id}")
    page.locator(f"section#{CLAIMS[0].id} summary").focus()
    assert not page.locator(f"section#{CLAIMS[0].id} table").is_visible()
    page.keyboard.press("Enter")
    assert page.locator(f"section#{CLAIMS[0].id} table").is_visible()


def test_print_shows_the_figures_that_the_screen_folds_away(opened: Opened) -> None:
    opened.page.emulate_media(media="print")
    assert opened.page.locator("section table").first.is_visible()
    assert not opened.page.locator("nav").is_visible()
