import asyncio

import pytest

from cpu_stage.parse import ParseOptions, parse
from cpu_stage.stage import CpuStage, StageSettings
from cpu_stage.worker import Plan, RawPage


def test_an_unknown_executor_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match=r"unknown executor 'fibers'; accepted: inline, threads, processes"):
        CpuStage(Plan(), StageSettings("fibers"))


@pytest.mark.parametrize("settings", [{"workers": 0}, {"batch": 0}])
def test_a_stage_has_at_least_one_worker_and_batches_of_at_least_one_page(settings: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1 is expected"):
        StageSettings(**settings)  # type: ignore[arg-type]  # mypy cannot tell which keys there are


async def test_without_analyzers_workers_start_with_the_first_page_that_needs_one() -> None:
    async with CpuStage(Plan(), StageSettings("threads", workers=1)) as stage:
        await stage.submit(RawPage("http://example.test/", "text/html", b"<title>T</title>"))
        assert stage.counts().workers == 1
    async with CpuStage(Plan(), StageSettings("threads", workers=1)) as stage:
        await asyncio.sleep(0)
        assert stage.counts().workers == 0
    async with CpuStage(Plan(), StageSettings("threads", workers=1)) as stage:
        await stage.warm()
        assert stage.counts().workers == 1


async def test_a_stage_has_room_until_enough_work_waits() -> None:
    page = RawPage("http://example.test/", "text/html", b"<p>x</p>" * 8_000)
    async with CpuStage(Plan(), StageSettings("threads", workers=1)) as stage:
        assert stage.room() == 0, "no worker is there yet"
        while not (room := stage.room()):  # a machine may be so busy that the first pages take more than there is room
            await stage.submit(page)
        held = [stage.submit(page) for _ in range(room - 1)]
        assert stage.room() == 1
        held += [stage.submit(page) for _ in range(5_000)]
        assert stage.room() == 0
        for future in held:
            future.cancel()


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
