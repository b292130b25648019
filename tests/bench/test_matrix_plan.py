"""Plans: what is wrong with one is said with its place; what is right becomes blocks of cells."""

from pathlib import Path

import pytest

from crawler.bench.matrix.blocks import blocks
from crawler.bench.matrix.plan import Plan, read_plan
from crawler.bench.matrix.variants import VARIANTS, obstacle, variant
from crawler.config import load
from crawler.errors import ConfigError

GOOD = """\
repeats: 2
variants: [sequential, threads+inline, coroutines+processes@asyncio]
workloads:
  light:
    about: Light pages.
    site: {pages: 20, hosts: 2}
    settings: {analyzers: [fingerprint], parse.where: worker}
    concurrency: 8
    workers: 3
  few:
    about: Two variants only.
    site: {pages: 20}
    variants: [textbook, coroutines+inline]
sweeps:
  - workload: light
    over: concurrency
    values: [1, 4]
    variants: [threaded, coroutines+threads]
"""


def plan(text: str, folder: Path) -> Plan:
    file = folder / "plan.yaml"
    file.write_text(text, encoding="utf-8")
    return read_plan(file)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("repeats: 2", "repeat: 2", 1, "repeat: unknown key (accepted: repeats, warm_up, "),
        ("repeats: 2", "repeats: none", 1, "repeats: "),
        ("[sequential,", "[sequentail,", 2, "variants[0]: variant 'sequentail' is unknown; accepted: sequential, "),
        ("hosts: 2", "host: 2", 6, "workloads.light.site: synthetic web: 'host' is unknown; names: seed, "),
        ("hosts: 2", "hosts: 0", 6, "workloads.light.site: synthetic web: hosts must be at least 1"),
        ("hosts: 2", "redirect: 0.1", 6, "workloads.light.site: redirect is not for benchmarks"),
        ("{pages: 20, hosts: 2}", "20", 6, "workloads.light.site: expected a mapping"),
        ("workers: 3", "worker: 3", 9, "workloads.light.worker: unknown key (accepted: about, site, "),
        ("parse.where", "parse.were", 7, "unknown key; did you mean parse.where?"),
        ("workload: light", "workload: heavy", 14, "sweeps: workload 'heavy' is unknown; there are light, few"),
        ("over: concurrency", "over: hosts", 16, "sweeps[0].over: "),
        ("repeats: 2", "repeats: [", 3, "is not YAML"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(old: str, new: str, line: int, words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        plan(GOOD.replace(old, new, 1), tmp_path)
    message = str(caught.value)
    assert words in message
    assert f"plan.yaml:{line}:" in message


def test_a_plan_becomes_blocks_of_cells(tmp_path: Path) -> None:
    light, few, sweep = blocks(plan(GOOD, tmp_path), mock=False)
    assert [cell.variant.name for cell in light.cells] == [
        "sequential",
        "threads+inline",
        "coroutines+processes@asyncio",
    ]
    assert {(cell.concurrency, cell.workers) for cell in light.cells} == {(8, 3)}
    assert [cell.variant.name for cell in few.cells] == ["textbook", "coroutines+inline"]
    assert all(cell.workers >= 1 for cell in few.cells)
    assert [(cell.variant.name, cell.concurrency) for cell in sweep.cells] == [
        ("threaded", 1),
        ("threaded", 4),
        ("coroutines+threads", 1),
        ("coroutines+threads", 4),
    ]
    assert (light.title, sweep.title) == ("light", "light by concurrency")


def test_an_order_says_the_same_to_the_crawler_and_to_controls(tmp_path: Path) -> None:
    block = next(blocks(plan(GOOD, tmp_path), mock=False))
    seeds = ("http://127.0.0.1:8000/",)
    control, threads, processes = (block.order(cell, seeds, 5, None) for cell in block.cells)
    assert control.analyzers == threads.analyzers == processes.analyzers
    assert [spec.name for spec in control.analyzers] == ["fingerprint"]
    config = load([], {}, [], processes.settings).config
    assert (config.fetch.mode, config.cpu.executor, config.fetch.uvloop) == ("coroutines", "processes", False)
    assert (config.fetch.concurrency, config.fetch.per_host, config.cpu.resolved_workers) == (8, 8, 3)
    assert (config.parse.where, config.politeness.obey_robots, config.fetch.retries) == ("worker", False, 0)
    config = load([], {}, [], threads.settings).config
    assert (config.fetch.mode, config.cpu.executor, config.fetch.uvloop) == ("threads", "inline", True)


def test_some_workloads_can_be_chosen_with_their_sweeps(tmp_path: Path) -> None:
    whole = plan(GOOD, tmp_path)
    assert whole.only(()) == whole
    assert [block.title for block in blocks(whole.only(("few",)), mock=False)] == ["few"]
    assert [block.title for block in blocks(whole.only(("light",)), mock=False)] == ["light", "light by concurrency"]
    with pytest.raises(ConfigError, match="workload 'heavy' is unknown; the plan has light, few"):
        whole.only(("heavy",))


def test_what_cannot_run_is_left_out_with_a_reason(tmp_path: Path) -> None:
    light, *_ = blocks(plan(GOOD, tmp_path), mock=True)
    assert [cell.variant.name for cell in light.cells] == ["coroutines+processes@asyncio"]
    assert [(left.variant, left.why) for left in light.left_out] == [
        ("sequential", "aioresponses answers aiohttp alone"),
        ("threads+inline", "aioresponses answers aiohttp alone"),
    ]


def test_variants_have_names_that_say_what_they_are() -> None:
    assert variant("threads+processes").fetch == "threads"
    assert variant("coroutines+inline@asyncio").loop == "asyncio"
    assert variant("sequential").loop is None
    assert "sequential@asyncio" not in VARIANTS
    assert [name for name, each in VARIANTS.items() if each.control and each.loop != "asyncio"] == [
        "sequential",
        "threaded",
        "textbook",
    ]
    for each in VARIANTS.values():
        assert each.cpu == "interpreters" or obstacle(each, mock=False) is None
