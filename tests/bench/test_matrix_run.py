"""Real runs of small plans: every variant does the same work, and one that does not is found out."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crawler.bench.matrix.blocks import blocks
from crawler.bench.matrix.plan import Plan
from crawler.bench.matrix.rounds import measure
from crawler.bench.matrix.runner import run
from crawler.bench.matrix.variants import CPUS, FETCHES, variant

SITE = {"pages": 30, "hosts": 2, "page_size": 5_000, "not_found": 0.1, "latency": "constant:0.005"}
CONTROLS = ("sequential", "threaded", "textbook")
ENGINE = tuple(f"{fetch}+{cpu}" for fetch in FETCHES for cpu in CPUS if cpu != "interpreters")


def plan(*variants: str, settings: Mapping[str, Any] | None = None, **changed: Any) -> Plan:
    """Make a plan of one workload; ``changed`` are fields of the plan, and ``site`` of the web."""
    work = {
        "about": "A small web.",
        "site": {**SITE, **changed.pop("site", {})},
        "settings": settings or {"analyzers": ["fingerprint"]},
        "concurrency": 4,
        "workers": 2,
    }
    return Plan.model_validate(
        {"repeats": 2, "warm_up": 5, "variants": variants, "workloads": {"small": work}, **changed}
    )


def cells(results: Mapping[str, Any]) -> dict[str, Any]:
    return {cell["variant"]["name"]: cell for cell in results["cells"]}


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    """One run of every variant there is."""
    said: list[str] = []
    names = (*CONTROLS, *ENGINE, "coroutines+processes@asyncio")
    found = run(plan(*names), said.append)
    assert said == [f"1/1 small: {len(names)} cells"]
    return found


def test_every_variant_did_the_same_work(results: dict[str, Any]) -> None:
    assert {name: cell["why"] for name, cell in cells(results).items() if not cell["valid"]} == {}
    assert len(results["cells"]) == len(CONTROLS) + len(ENGINE) + 1
    assert {cell["pages"] for cell in results["cells"]} == {27}
    assert results["left_out"] == []


def test_every_quantity_was_measured_in_every_run(results: dict[str, Any]) -> None:
    for name, cell in cells(results).items():
        for key in ("pages_per_second", "seconds", "cpu_ms_per_page", "peak_rss_mb", "threads", "switches_per_page"):
            assert len(cell[key]["runs"]) == 2, (name, key)
            assert 0 < cell[key]["low"] <= cell[key]["median"] <= cell[key]["high"], (name, key)
        lag = cell["loop_lag_ms"]
        assert (lag["p99"]["median"] is None) is (name in {"sequential", "threaded"})
        if lag["p99"]["median"] is not None:
            assert lag["p50"]["low"] <= lag["p99"]["high"] <= lag["max"]["high"]
        assert (cell["timeline"] is None) is (name in CONTROLS)
        assert (cell["hand_off_ms_per_page"]["median"] is None) is (name in CONTROLS)


def test_what_is_measured_is_what_the_variant_is(results: dict[str, Any]) -> None:
    found = cells(results)
    threads = {name: cell["threads"]["median"] for name, cell in found.items()}
    assert threads["sequential"] == 1
    assert threads["threaded"] == 1 + 4
    memory = {name: cell["memory_mb"]["median"] for name, cell in found.items()}
    assert memory["sequential"] < memory["coroutines+inline"] < memory["coroutines+processes"]
    assert found["coroutines+processes@asyncio"]["variant"] == {
        "name": "coroutines+processes@asyncio",
        "fetch": "coroutines",
        "cpu": "processes",
        "loop": "asyncio",
        "control": False,
    }
    for cell in results["cells"]:
        for rate, seconds in zip(cell["pages_per_second"]["runs"], cell["seconds"]["runs"], strict=True):
            assert rate * seconds == pytest.approx(27, rel=1e-3)


def test_a_timeline_holds_every_page(results: dict[str, Any]) -> None:
    for cell in results["cells"]:
        if line := cell["timeline"]:
            width = 2 * line["seconds"][0]
            pages = sum(rate * width for rate in line["pages_per_second"])
            assert pages == pytest.approx(30, rel=0.05)  # 404s are finished too


# A variant that does not do its work: always the crawler by a setting that a control does not have


def only_why(found: Mapping[str, Any], name: str) -> str:
    cell = cells(found)[name]
    assert cell["valid"] is False
    return str(cell["why"])


def test_a_variant_that_misses_pages_is_invalid_and_the_control_beside_it_is_not() -> None:
    found = run(plan("sequential", "coroutines+inline", settings={"limits.depth": 0, "analyzers": []}), lambda _: None)
    assert only_why(found, "coroutines+inline").startswith("28 of 30 URLs were never asked for: http://127.0.0.1:")
    assert cells(found)["sequential"]["valid"] is True


def test_a_variant_that_asks_and_does_not_keep_is_invalid() -> None:
    settings = {"fetch.max_body": 8_500, "analyzers": []}
    found = run(plan("threads+inline", settings=settings, site={"page_size": [5_000, 9_000]}), lambda _: None)
    assert re.match(r"[1-9] of 30 URLs have another status: ", only_why(found, "threads+inline"))


def test_a_variant_that_asks_for_more_is_invalid() -> None:
    found = run(plan("coroutines+inline", settings={"politeness.obey_robots": True, "analyzers": []}), lambda _: None)
    assert "2 of 30 URLs were asked for though nothing leads there" in only_why(found, "coroutines+inline")
    assert "/robots.txt" in only_why(found, "coroutines+inline")


def test_a_variant_whose_analysis_differs_is_invalid() -> None:
    """The analyzer says which process it runs in: no two variants can agree with the reference."""
    settings = {"analyzers": [{"name": "tests.sample_analyzers:worker_process", "as": "who"}]}
    found = run(plan("threaded", "coroutines+processes", settings=settings), lambda _: None)
    for name in ("threaded", "coroutines+processes"):
        assert only_why(found, name).startswith("27 of 30 URLs have another analysis: ")
        assert len(cells(found)[name]["pages_per_second"]["runs"]) == 1


def test_a_variant_that_dies_is_invalid_and_the_others_go_on(tmp_path: Path) -> None:
    """The analyzer ends the process of the first page that comes: a worker's, or the whole crawler's."""
    analyzer = {"name": "tests.sample_analyzers:crashes_once", "options": {"path": str(tmp_path / "crashed")}}
    (tmp_path / "crashed").touch()  # so that the reference survives
    block = plan("coroutines+threads", "coroutines+processes", settings={"analyzers": [analyzer]}, warm_up=0)
    assert all(cell["valid"] for cell in run(block, lambda _: None)["cells"])
    dies = plan("coroutines+threads", "sequential", settings={"analyzers": ["tests.sample_analyzers:DiesInAChild"]})
    found = run(dies, lambda _: None)
    assert only_why(found, "coroutines+threads") == "exit code 3: no message"
    assert cells(found)["sequential"]["pages_per_second"] == {"median": None, "low": None, "high": None, "runs": []}


def test_a_variant_that_hangs_is_ended(tmp_path: Path) -> None:
    analyzer = {"name": "tests.sample_analyzers:waits_in_a_child", "options": {"path": str(tmp_path / "never")}}
    found = run(plan("coroutines+inline", settings={"analyzers": [analyzer]}, patience=3), lambda _: None)
    assert only_why(found, "coroutines+inline") == "not done after 3 s"


def test_an_executor_that_refuses_the_analyzers_is_left_out_with_its_words() -> None:
    """Before Python 3.14 there are no subinterpreters; later lxml refuses them. The plan's check is passed by."""
    chosen = plan("sequential", settings={"analyzers": ["content"]})
    block = next(blocks(chosen, mock=False))
    cell = replace(block.cells[0], variant=variant("coroutines+interpreters"))
    found = measure(chosen, replace(block, cells=(*block.cells, cell)))
    assert [each.cell.variant.name for each in found.cells] == ["sequential"]
    assert [each.variant for each in found.left_out] == ["coroutines+interpreters"]
    assert found.left_out[0].why.endswith(("choose processes", "choose cpu.executor: processes"))


# Without sockets


def test_without_sockets_every_variant_of_aiohttp_does_the_same_work() -> None:
    found = run(
        plan("textbook", "threads+inline", "coroutines+inline", "coroutines+processes"), lambda _: None, mock=True
    )
    assert found["mock"] is True
    assert {name: cell["why"] for name, cell in cells(found).items()} == dict.fromkeys(
        ("textbook", "coroutines+inline", "coroutines+processes")
    )
    assert found["left_out"] == [
        {"workload": "small", "variant": "threads+inline", "why": "aioresponses answers aiohttp alone"}
    ]
