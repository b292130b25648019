import asyncio
from collections.abc import Sequence

import pytest

from cpu_stage.loading import AnalyzerSpec
from cpu_stage.parse import ParseOptions, parse
from cpu_stage.stage import CpuStage, StageSettings
from cpu_stage.types import Page
from cpu_stage.worker import Plan, Processed, RawPage

SAMPLES = "tests.unit.sample_analyzers"
PLAN = Plan((AnalyzerSpec("length", f"{SAMPLES}:length"), AnalyzerSpec("misbehave", f"{SAMPLES}:misbehave")))


def page(title: str) -> Page:
    return Page(f"http://example.test/{title}", "text/html", "utf-8", title, text="some text")


async def process(settings: StageSettings, items: Sequence[Page | RawPage]) -> list[Processed]:
    async with CpuStage(PLAN, settings) as stage:
        return list(await asyncio.gather(*(stage.submit(item) for item in items)))


@pytest.mark.parametrize("executor", ["inline", "threads", "processes"])
async def test_every_page_comes_back_analysed_in_its_own_place(executor: str) -> None:
    pages = [page(f"p{n}") for n in range(50)]
    results = await process(StageSettings(executor, workers=2), pages)
    assert [r.analysis.url for r in results] == [p.url for p in pages]
    assert all(r.analysis.values == {"length": {"characters": 9}, "misbehave": {"ok": True}} for r in results)


@pytest.mark.parametrize("executor", ["inline", "threads", "processes"])
async def test_a_raw_page_is_parsed_in_the_worker_and_comes_back_without_its_body(executor: str) -> None:
    raw = RawPage("http://example.test/", "text/html", b"<title>T</title><a href=/x>x</a>")
    [result] = await process(StageSettings(executor, workers=1), [raw])
    assert result.page is not None
    assert (result.page.title, result.page.links) == ("T", ("http://example.test/x",))
    assert (result.page.html, result.page.text) == ("", "")


@pytest.mark.parametrize("executor", ["inline", "threads", "processes"])
@pytest.mark.parametrize("title", ["exit", "unpicklable"])
async def test_an_analyzer_that_raises_or_returns_nonsense_costs_its_own_value(executor: str, title: str) -> None:
    bad, good = await process(StageSettings(executor, workers=1), [page(title), page("good")])
    assert bad.analysis.errors["misbehave"].kind == "exception"
    assert bad.analysis.values == {"length": {"characters": 9}}
    assert good.analysis.errors == {}


@pytest.mark.parametrize("title", ["crash", "segfault"])
async def test_a_page_that_kills_its_worker_is_isolated_and_its_neighbours_are_not_lost(title: str) -> None:
    pages = [page(title if n == 20 else f"p{n}") for n in range(40)]
    results = await process(StageSettings("processes", workers=2), pages)
    assert [r.analysis.errors["misbehave"].kind for r in results if r.analysis.errors] == ["crash"]
    assert results[20].analysis.values == {"length": {"characters": 9}}
    assert sum("misbehave" in r.analysis.values for r in results) == 39


async def test_a_page_over_its_time_is_stopped() -> None:
    pages = [page("hang" if n == 3 else f"p{n}") for n in range(10)]
    results = await process(StageSettings("processes", workers=1, page_timeout=0.5), pages)
    assert results[3].analysis.errors["misbehave"].kind == "timeout"
    assert sum("misbehave" in r.analysis.values for r in results) == 9


def test_links_are_absolute_distinct_and_know_nofollow() -> None:
    html = b"""<base href="/docs/"><a href="a.html#x">1</a><a href=a.html>2</a><a href="b.html" rel=nofollow>3</a>
    <a href="mailto:x@example.test">4</a><link rel=canonical href=/c><link rel=stylesheet href=/s.css>"""
    parsed = parse("http://example.test/", "text/html", html, ParseOptions())
    root = "http://example.test"
    assert parsed.links == (f"{root}/docs/a.html", f"{root}/docs/b.html", f"{root}/c")
    assert parsed.nofollow == {f"{root}/docs/b.html"}


def test_robots_of_page_and_header_are_joined() -> None:
    parsed = parse(
        "http://e.test/",
        "text/html",
        b"<meta name=robots content=NOINDEX>",
        ParseOptions(),
        robots="nofollow",
    )
    assert parsed.meta["robots"] == "noindex, nofollow"


@pytest.mark.parametrize("label", ["punycode", "zip", "no-such-charset", ""])
def test_a_charset_that_is_no_whatwg_label_is_ignored(label: str) -> None:
    parsed = parse("http://e.test/", f"text/html; charset={label}", "<title>é</title>".encode(), ParseOptions())
    assert (parsed.title, parsed.charset) == ("é", "utf-8")
