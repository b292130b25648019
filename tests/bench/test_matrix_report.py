"""The report of a comparison as a browser shows it: from a file, without network, with every chart and every number."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.bench.test_lab_report import CHROMIUM, Opened, browser

__all__ = ["browser"]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the path (Debian: apt-get install chromium)")
SECTIONS = {"w-light": 7, "w-light-by-concurrency": 3}
"""Charts of each section: rate, CPU, memory, lag, and three over time; rate, memory and CPU of a sweep."""


@pytest.fixture(params=["light", "dark", "phone"])
def opened(request: pytest.FixtureRequest, browser: Any, matrix: Path) -> Iterator[Opened]:
    width = 360 if request.param == "phone" else 1200
    scheme = "dark" if request.param == "dark" else "light"
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    opened = Opened(page)
    page.on("console", lambda message: opened.console.append(message.text))
    page.on("pageerror", lambda error: opened.console.append(str(error)))
    page.on("request", lambda asked: opened.requests.append(asked.url))
    page.goto((matrix / "report.html").as_uri())
    yield opened
    page.close()


def test_it_opens_from_a_file_without_network_or_complaint(opened: Opened, matrix: Path) -> None:
    assert opened.requests == [(matrix / "report.html").as_uri()]
    assert opened.console == []
    assert opened.page.title() == "Crawler benchmark"
    assert opened.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_every_section_has_its_charts_each_with_a_sentence(opened: Opened) -> None:
    for name, count in SECTIONS.items():
        charts = opened.page.locator(f"section#{name} figure svg.chart")
        assert charts.count() == count
        for chart in charts.all():
            box = chart.bounding_box()
            assert box["width"] > 200
            assert box["height"] > 50
            assert chart.locator("desc").text_content().startswith("In ")
            assert chart.locator("rect, polyline, circle").count() > 0
        captions = opened.page.locator(f"section#{name} figcaption").all_text_contents()
        assert len(captions) == count
        assert all(caption.rstrip().endswith(".") for caption in captions)


def spreads(cell: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for value in [*cell.values(), *cell["loop_lag_ms"].values()]:
        if isinstance(value, dict) and value.get("median") is not None:
            yield value


def test_the_numbers_are_those_of_the_results(opened: Opened, matrix: Path) -> None:
    results = json.loads((matrix / "results.json").read_bytes())
    shown = set(opened.page.evaluate("() => [...document.querySelectorAll('td data')].map(each => Number(each.value))"))
    expected = {found[key] for cell in results["cells"] for found in spreads(cell) for key in ("median", "low", "high")}
    assert len(expected) > 100
    assert expected <= shown
    rows = opened.page.locator("section table tbody tr").count()
    assert rows == len(results["cells"])


def test_the_keyboard_reaches_everything(opened: Opened) -> None:
    page = opened.page
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#w-light"
    table = page.locator("section#w-light table")
    page.locator("section#w-light summary").focus()
    assert not table.is_visible()
    page.keyboard.press("Enter")
    assert table.is_visible()


def test_print_shows_the_figures_that_the_screen_folds_away(opened: Opened) -> None:
    opened.page.emulate_media(media="print")
    assert opened.page.locator("section table").first.is_visible()
    assert not opened.page.locator("nav").is_visible()
