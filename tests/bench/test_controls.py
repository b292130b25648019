"""The controls of the benchmark, held against the truth of a web and what its server saw."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from cpu_stage.loading import AnalyzerSpec
from cpu_stage.types import Json
from crawler.bench.controls import sequential, threaded
from crawler.bench.site import Kind, Rules, SiteProcess, SiteSpec
from crawler.bench.textbook import textbook
from crawler.bench.work import Task, Work, digest

SPEC = SiteSpec(
    pages=150,
    hosts=3,
    page_size=6_000,
    asset_size=200_000,
    compress=True,
    not_found=0.03,
    server_error=0.03,
    redirect=0.05,
    redirect_chain=0.03,
    redirect_loop=0.03,
    duplicate=0.05,
    asset=0.03,
    nofollow=0.03,
    orphan=0.03,
)
ANALYZERS = (
    AnalyzerSpec("length", "tests.sample_analyzers:length"),
    AnalyzerSpec("fingerprint", "cpu_stage.analyzers.fingerprint:Fingerprint"),
)
CONTROLS: dict[str, Callable[[Task], Work]] = {
    "sequential": sequential,
    "threaded": lambda task: threaded(task, 8),
    "textbook": lambda task: asyncio.run(textbook(task, 8, 2)),
}

all_ = pytest.mark.parametrize("crawl", CONTROLS.values(), ids=CONTROLS)


@pytest.mark.parametrize("name", CONTROLS)
def test_it_finds_what_the_truth_says_and_asks_once_for_each(name: str) -> None:
    resets = 0.0 if name == "textbook" else 0.03  # aiohttp itself asks again where a connection was reset
    crawl = CONTROLS[name]
    with SiteProcess(replace(SPEC, reset_always=resets)) as site:
        work = crawl(Task(site.seeds, 10_000, ANALYZERS))
        audit = site.audit()
    expected = site.truth.fetched(Rules(obey_robots=False))
    assert sorted(each.url for each in work.visited) == sorted(expected)
    assert audit.hits == dict.fromkeys(expected, 1)
    assert not audit.strays
    for each in work.visited:
        known = site.truth[each.url]
        is_page = known.target is None and known.content_type == "text/html"
        assert (each.body is not None, each.analysis is not None) == (is_page, is_page)
        if known.target is None:
            assert each.status == known.status
        else:
            assert each.status is not None
            assert 300 <= each.status < 400
    assert work.pages == sum(each.body is not None for each in work.visited)
    assert work.seconds > 0


def test_all_did_the_same_work() -> None:
    with SiteProcess(SPEC) as site:
        one, *others = (crawl(Task(site.seeds, 10_000, ANALYZERS)) for crawl in CONTROLS.values())
        twins = [(r.url, r.original) for r in site.truth.resources() if r.kind is Kind.DUPLICATE]
    for other in others:
        assert set(one.visited) == set(other.visited)
        assert one.size == other.size
    bodies = {each.url: each.body for each in one.visited}
    assert twins
    assert all(bodies[url] == bodies[original] for url, original in twins if original)
    assert len(set(bodies.values())) > len(bodies) / 2


@all_
def test_it_stays_on_the_hosts_of_its_seeds(crawl: Callable[[Task], Work]) -> None:
    with SiteProcess(SPEC) as site:
        work = crawl(Task(site.seeds[:1], 10_000))
        audit = site.audit()
    rules = Rules(obey_robots=False, seed_hosts_only=True)
    assert {each.url for each in work.visited} == site.truth.fetched(rules, site.seeds[:1])
    assert [host.requests > 0 for host in audit.hosts.values()] == [True, False, False]


@all_
@pytest.mark.parametrize("limit", [1, 20])
def test_it_asks_for_no_more_than_its_limit(crawl: Callable[[Task], Work], limit: int) -> None:
    with SiteProcess(SPEC) as site:
        work = crawl(Task(site.seeds, limit))
        assert site.audit().requests == limit
    assert len(work.visited) == limit


def test_threads_and_coroutines_ask_at_the_same_time_and_the_first_never_does() -> None:
    spec = replace(SPEC, hosts=1, latency="constant:0.02")
    with SiteProcess(spec) as site:
        sequential(Task(site.seeds, 10))
        assert [host.peak_concurrency for host in site.audit().hosts.values()] == [1]
        site.reset()
        threaded(Task(site.seeds, 100), 4)
        assert [1 < host.peak_concurrency <= 4 for host in site.audit().hosts.values()] == [True]
        site.reset()
        asyncio.run(textbook(Task(site.seeds, 100), 4, 1))
        assert [1 < host.peak_concurrency <= 4 for host in site.audit().hosts.values()] == [True]


@all_
def test_a_defect_is_raised_and_leaves_nothing_waiting(crawl: Callable[[Task], Work]) -> None:
    with SiteProcess(SPEC) as site, pytest.raises(ValueError, match="nonesuch"):
        crawl(Task(site.seeds, 50, parser="nonesuch"))


def test_a_digest_does_not_see_the_order_of_keys() -> None:
    one: dict[str, dict[str, Json]] = {"a": {"x": 1, "y": [1, 2]}, "b": {}}
    other: dict[str, dict[str, Json]] = {"b": {}, "a": {"y": [1, 2], "x": 1}}
    assert digest(one) == digest(other)
    assert digest(one) != digest({"a": {"x": 1, "y": [2, 1]}, "b": {}})
