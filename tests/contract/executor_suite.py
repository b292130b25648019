"""What every executor of the CPU stage promises, for pages that fail as well as for those that do not.

A binding names the executor. What only worker processes contain (crashes, hangs, memory) is no part of this.
"""

import asyncio
import hashlib
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from cpu_stage.loading import AnalyzerSpec
from cpu_stage.stage import CpuStage, StageSettings
from cpu_stage.types import Needs, Page, ParseOptions, StageError
from cpu_stage.worker import Plan, Processed, RawPage

SAMPLES = "tests.sample_analyzers"


def spec(name: str, **options: str | float) -> AnalyzerSpec:
    return AnalyzerSpec(name, f"{SAMPLES}:{name}", options)


def page(title: str, text: str = "some text") -> Page:
    return Page(f"http://example.test/{title}", "text/html", "utf-8", title, text)


def pages(count: int) -> list[Page]:
    return [page(f"p{n}") for n in range(count)]


PLAN = Plan((spec("length"), spec("misbehave")))

COSTS_ITS_VALUES = {
    "raises": "ValueError: bad page",
    "unpicklable exception": "CannotBeUnpickledError: one and two",
    "mute exception": "MuteError:",
    "exit": "SystemExit: 1",
    "recursion": "RecursionError",
    "unpicklable": "function is not a JSON type",
    "no json": "set is not a JSON type",
    "not a number": "nan is not a JSON number",
    "no dict": "returned str; a dict is expected",
    "nested": "nested deeper",
}
"""What an analyzer may do → what its entry in ``analysis_error`` says."""


class ExecutorSuite:
    executor: ClassVar[str]
    width: ClassVar[int] = 2
    raw: ClassVar[bool] = True

    def stage(self, plan: Plan = PLAN, **limits: int) -> CpuStage:
        return CpuStage(replace(plan, raw=self.raw), StageSettings(self.executor, self.width, **limits))

    async def process(self, items: Sequence[Page | RawPage], plan: Plan = PLAN) -> list[Processed]:
        async with self.stage(plan) as stage:
            return list(await asyncio.gather(*(stage.submit(item) for item in items)))

    async def test_every_result_comes_back_in_its_own_place(self) -> None:
        results = await self.process(pages(200))
        assert [r.analysis.url for r in results] == [p.url for p in pages(200)]
        assert all(r.analysis.values == {"length": {"characters": 9}, "misbehave": {"ok": True}} for r in results)
        assert all(not r.analysis.errors and r.page is None for r in results)

    @pytest.mark.parametrize("size", [1, 2_000_000])
    async def test_pages_of_any_size_get_through(self, size: int) -> None:
        results = await self.process([page("p", "x" * size), page("q", "y")])
        assert [r.analysis.values["length"]["characters"] for r in results] == [size, 1]

    @pytest.mark.parametrize("title", COSTS_ITS_VALUES)
    async def test_an_analyzer_that_fails_costs_its_own_values_on_that_page_alone(self, title: str) -> None:
        before, bad, after = await self.process([page("before"), page(title), page("after")])
        assert bad.analysis.errors["misbehave"].kind == "exception"
        assert COSTS_ITS_VALUES[title] in bad.analysis.errors["misbehave"].message
        assert bad.analysis.values == {"length": {"characters": 9}}
        assert before.analysis.values["misbehave"] == after.analysis.values["misbehave"] == {"ok": True}

    async def test_a_page_that_fails_in_every_analyzer_is_answered_all_the_same(self) -> None:
        [result] = await self.process([page("raises")], Plan((spec("misbehave"),)))
        assert (result.analysis.values, list(result.analysis.errors)) == ({}, ["misbehave"])

    @pytest.mark.parametrize(
        ("needs", "kept"),
        [
            (Needs.NOTHING, set()),
            (Needs.TEXT, {"text"}),
            (Needs.HTML | Needs.LINKS, {"html", "links", "nofollow"}),
            (Needs.META, {"meta"}),
            (Needs.ALL, {"text", "html", "links", "nofollow", "meta"}),
        ],
    )
    async def test_a_worker_gets_of_a_page_what_is_needed_and_nothing_else(self, needs: Needs, kept: set[str]) -> None:
        link = "http://example.test/x"
        full = Page(link, "text/html", "utf-8", "T", "text", (link,), frozenset({link}), {"description": "d"}, "<p>")
        [result] = await self.process([full], Plan((spec("shape"),), ParseOptions(needs=needs)))
        assert {part for part, size in result.analysis.values["shape"].items() if size} == kept

    async def test_a_page_that_asks_not_to_be_indexed_says_so_whatever_is_needed(self) -> None:
        shy = Page("http://example.test/", "text/html", "utf-8", "T", meta={"robots": "noindex"})
        [result] = await self.process([shy], Plan((spec("shape"),), ParseOptions(needs=Needs.TEXT)))
        assert result.analysis.values == {}

    async def test_the_order_of_the_pages_changes_nothing(self) -> None:
        mixed = [page(f"{title} {n}") for n in range(5) for title in ("p", *COSTS_ITS_VALUES)]
        outcomes = []
        for seed in range(2):
            random.Random(seed).shuffle(mixed)
            results = await self.process(mixed)
            outcomes.append({r.analysis.url: (r.analysis.values, r.analysis.errors) for r in results})
        assert outcomes[0] == outcomes[1]
        assert len(outcomes[0]) == len(mixed)

    async def test_pages_may_come_one_after_the_other(self) -> None:
        async with self.stage() as stage:
            results = [await stage.submit(each) for each in pages(10)]
        assert [r.analysis.url for r in results] == [p.url for p in pages(10)]

    @pytest.mark.parametrize(
        ("plan", "message"),
        [
            (Plan((AnalyzerSpec("mine", "no_such_module:x"),)), "mine: there is no module 'no_such_module'"),
            (
                Plan((AnalyzerSpec("mine", f"{SAMPLES}:no_such"),)),
                "mine: module tests.sample_analyzers has no 'no_such'",
            ),
        ],
    )
    async def test_a_plan_that_cannot_work_is_one_error_in_the_workers_own_words(
        self, plan: Plan, message: str
    ) -> None:
        async with self.stage(plan) as stage:
            with pytest.raises(StageError, match=message):
                await stage.warm()
            with pytest.raises(StageError, match=message):
                stage.submit(page("p"))

    async def test_pages_that_were_submitted_to_a_plan_that_cannot_work_are_told(self) -> None:
        async with self.stage(Plan((AnalyzerSpec("mine", "no_such_module:x"),))) as stage:
            with pytest.raises(StageError, match="no_such_module"):
                await stage.submit(page("p"))

    async def test_two_stages_at_once_keep_their_plans_apart(self) -> None:
        async with self.stage(Plan((spec("length"),))) as one, self.stage(Plan((spec("misbehave"),))) as other:
            futures = [stage.submit(each) for each in pages(20) for stage in (one, other)]
            results = await asyncio.gather(*futures)
        assert [list(r.analysis.values) for r in results] == [["length"], ["misbehave"]] * 20

    async def test_a_stage_holds_no_more_in_its_workers_than_some_batches(self) -> None:
        async with self.stage(batch=4) as stage:
            await stage.warm()
            futures = [stage.submit(each) for each in pages(300)]
            held = 0
            for future in futures:
                await future
                held = max(held, stage.counts().running)
        assert 0 < held <= self.width * 2 * 4

    async def test_pages_that_take_long_are_sent_one_by_one(self) -> None:
        async with self.stage(Plan((spec("takes", seconds=0.02),))) as stage:
            await stage.warm()
            held = []
            for future in [stage.submit(each) for each in pages(20)]:
                await future
                held.append(stage.counts().running)
        assert max(held) <= self.width * 2

    async def test_a_page_that_nobody_waits_for_any_more_is_not_sent(self, tmp_path: Path) -> None:
        log = tmp_path / "log"
        async with self.stage(Plan((spec("logs_to", path=str(log)),))) as stage:
            kept, dropped = stage.submit(page("kept")), stage.submit(page("dropped"))
            dropped.cancel()
            assert (await kept).analysis.values == {"logs_to": {"ok": True}}
            await stage.submit(page("last"))
        assert log.read_text("utf-8").split() == ["kept", "last"]

    async def test_a_page_that_is_given_up_while_a_worker_has_it_harms_nobody(self) -> None:
        async with self.stage() as stage:
            futures = [stage.submit(each) for each in pages(100)]
            await futures[0]
            for future in futures[1::2]:
                future.cancel()
            results = await asyncio.gather(*futures[0::2])
        assert [r.analysis.url for r in results] == [p.url for p in pages(100)[0::2]]

    async def test_closing_gives_up_what_is_in_flight(self) -> None:
        async with self.stage() as stage:
            futures = [stage.submit(each) for each in pages(500)]
            await futures[0]
        done = [future for future in futures if not future.cancelled()]
        assert all(future.done() for future in futures)
        assert all(future.result().analysis.values["length"] == {"characters": 9} for future in done)
        assert stage.counts().waiting == stage.counts().running == stage.counts().workers == 0

    async def test_a_stage_that_is_closed_before_it_is_warm_is_closed(self) -> None:
        async with self.stage() as stage:
            future = stage.submit(page("p"))
        assert future.done()

    async def test_a_closed_stage_takes_no_pages(self) -> None:
        async with self.stage() as stage:
            await stage.submit(page("p"))
        with pytest.raises(StageError, match="closed"):
            stage.submit(page("p"))

    async def test_warm_waits_for_every_worker(self) -> None:
        async with self.stage() as stage:
            await stage.warm()
            assert stage.counts().workers == self.width


class ParsingSuite(ExecutorSuite):
    """For the executors whose workers can parse."""

    async def test_a_raw_page_is_parsed_in_the_worker_and_comes_back_without_its_body(self) -> None:
        raw = RawPage("http://example.test/", "text/html", b"<title>T</title><a href=/x>x</a><p>Some text")
        [result] = await self.process([raw])
        assert result.page is not None
        assert (result.page.title, result.page.links) == ("T", ("http://example.test/x",))
        assert (result.page.html, result.page.text) == ("", "")
        assert result.sha256 == hashlib.sha256(raw.body).hexdigest()
        assert result.analysis.values["length"] == {"characters": len("x\nSome text")}

    async def test_a_page_that_asks_not_to_be_indexed_is_parsed_and_not_analysed(self) -> None:
        raw = RawPage("http://example.test/", "text/html", b"<title>T</title>", robots="noindex")
        [result] = await self.process([raw])
        assert result.page is not None
        assert (result.page.title, result.analysis.values, result.analysis.errors) == ("T", {}, {})

    @pytest.mark.parametrize("size", [1, 2_000_000])
    async def test_raw_pages_of_any_size_get_through(self, size: int) -> None:
        [result] = await self.process([RawPage("http://example.test/", "text/plain", b"x" * size)])
        assert result.analysis.values["length"] == {"characters": size}

    async def test_a_parser_that_does_not_exist_is_one_error(self) -> None:
        async with self.stage(Plan(parse=ParseOptions(parser="no_such"))) as stage:
            with pytest.raises(StageError, match="parser 'no_such' is unknown"):
                await stage.warm()
