"""Whole crawls of the synthetic web, by every executor: what was found, and what its server saw of it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from crawler.bench.site import ROUGH, AuditReport, Kind, Rules, SiteProcess, Truth
from tests.integration.crawls import covered, crawler, impatient, records, stats

PER_HOST = 3
RETRIES = 2
ANALYZERS = ("content", "language", "keywords", "fingerprint", "readability", "structured")
WEB = replace(
    ROUGH,
    pages=240,
    hosts=4,
    page_size=(5_000, 9_000),
    asset_size=300_000,
    latency="uniform:0.001,0.02",
    compress=True,
)
ENDS: dict[Kind, tuple[str, int | None, str | None]] = {
    Kind.PAGE: ("ok", 200, None),
    Kind.DUPLICATE: ("ok", 200, None),
    Kind.UNAVAILABLE: ("ok", 200, None),
    Kind.RESET_ONCE: ("ok", 200, None),
    Kind.REDIRECT_CHAIN: ("ok", 200, None),
    Kind.NOT_FOUND: ("http_error", 404, "status"),
    Kind.SERVER_ERROR: ("http_error", 500, "status"),
    Kind.RESET_ALWAYS: ("failed", None, "reset"),
    Kind.REDIRECT_LOOP: ("failed", None, "redirect_loop"),
    Kind.FORBIDDEN: ("skipped", None, "robots"),
    Kind.ASSET: ("skipped", 200, "content_type"),
}


@dataclass(frozen=True, slots=True)
class Crawled:
    """One crawl: its records, its statistics, and both sides of the truth."""

    records: list[dict[str, Any]]
    stats: dict[str, Any]
    truth: Truth
    audit: AuditReport


@pytest.fixture(scope="module")
def site() -> Iterator[SiteProcess]:
    with SiteProcess(WEB) as site:
        yield site


def crawl(site: SiteProcess, job: Path, *settings: str) -> Crawled:
    site.reset()
    analyzers = f"analyzers=[{', '.join(ANALYZERS)}]"
    polite = (f"fetch.per_host={PER_HOST}", f"fetch.retries={RETRIES}", analyzers)
    done = crawler("run", *site.seeds, "-j", job, *impatient(*polite, *settings))
    assert done.returncode == 0, done.stderr
    return Crawled(records(job), stats(job), site.truth, site.audit())


VARIANTS = ["coroutines-inline", "coroutines-threads", "coroutines-processes", "threads-processes"]


@pytest.fixture(scope="module", params=VARIANTS)
def crawled(request: pytest.FixtureRequest, site: SiteProcess, tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    mode, _, executor = request.param.partition("-")
    job = tmp_path_factory.mktemp("jobs") / request.param
    return crawl(site, job, f"fetch.mode={mode}", f"cpu.executor={executor}")


def test_every_url_has_exactly_one_record(crawled: Crawled) -> None:
    assert Counter(record["url"] for record in crawled.records).most_common(1)[0][1] == 1


def test_what_can_be_reached_is_what_was_found(crawled: Crawled) -> None:
    assert covered(crawled.records) == crawled.truth.reachable()


def test_every_record_ends_as_the_truth_says(crawled: Crawled) -> None:
    for record in crawled.records:
        kind = crawled.truth[record["url"]].kind
        error = record["error"]["kind"] if record["error"] else None
        if kind is not Kind.REDIRECT:
            status = None if kind is Kind.REDIRECT_LOOP else record["status"]
            assert (record["outcome"], status, error) == ENDS[kind], record["url"]


def test_a_redirect_to_a_page_of_its_own_is_one_record_of_that_page(crawled: Crawled) -> None:
    """Whichever was found first has the page; the other says so."""
    redirects = [record for record in crawled.records if crawled.truth[record["url"]].kind is Kind.REDIRECT]
    assert redirects
    for record in redirects:
        error = record["error"]["kind"] if record["error"] else None
        assert (record["outcome"], error) in {("ok", None), ("skipped", "duplicate")}
        assert record["final_url"] == crawled.truth[record["url"]].target


def test_every_page_is_analysed_by_every_analyzer(crawled: Crawled) -> None:
    pages = [record for record in crawled.records if record["outcome"] == "ok"]
    assert pages
    for record in pages:
        assert set(record["analysis"]) == set(ANALYZERS)
        assert record["analysis_error"] is None
        assert record["analysis"]["content"]["words"] > 50
        assert record["language"] == crawled.truth[record["final_url"]].language


def test_every_page_names_the_url_that_it_calls_its_own(crawled: Crawled) -> None:
    kinds = {Kind.PAGE: 0, Kind.DUPLICATE: 0}
    for record in crawled.records:
        kind = crawled.truth[record["url"]].kind
        if record["outcome"] == "ok" and kind in kinds:
            kinds[kind] += 1
            assert (record["canonical"] == record["final_url"]) is (kind is Kind.PAGE)
    assert all(kinds.values())


def test_the_server_saw_a_polite_crawler(crawled: Crawled) -> None:
    audit = crawled.audit
    assert (audit.violations, audit.early, audit.strays) == ({}, {}, {})
    for host in audit.hosts.values():
        assert host.robots_fetches == 1
        assert host.before_robots == 0
        assert host.peak_concurrency <= PER_HOST
    assert all(agent.startswith("tandem-crawler/") for agent in audit.user_agents)


def test_every_page_was_asked_for_once(crawled: Crawled) -> None:
    once = {Kind.PAGE, Kind.NOT_FOUND, Kind.REDIRECT, Kind.REDIRECT_CHAIN, Kind.DUPLICATE, Kind.ASSET}
    hits = Counter(dict(crawled.audit.hits))
    for url in crawled.truth.fetched():
        kind = crawled.truth[url].kind
        if kind in once:
            assert hits[url] == 1, (kind, url)
        elif kind is Kind.SERVER_ERROR:
            assert hits[url] == 1 + RETRIES
        else:
            assert hits[url] >= 1


def test_the_statistics_are_those_of_the_records(crawled: Crawled) -> None:
    outcomes = Counter(record["outcome"] for record in crawled.records)
    assert crawled.stats["pages"] == len(crawled.records)
    assert crawled.stats["outcomes"] == outcomes
    assert crawled.stats["state"] == "finished"
    assert crawled.stats["bytes"] == sum(record["bytes"] or 0 for record in crawled.records)


def test_executors_and_places_of_parsing_give_the_same_records(site: SiteProcess, tmp_path: Path) -> None:
    def essence(crawled: Crawled) -> dict[str, Any]:
        keys = ("outcome", "sha256", "links", "title", "canonical", "charset", "analysis")
        pages = (record for record in crawled.records if crawled.truth[record["url"]].kind is Kind.PAGE)
        return {record["url"]: [record[key] for key in keys] for record in pages}

    there = crawl(site, tmp_path / "there", "cpu.executor=processes", "parse.where=worker")
    here = crawl(site, tmp_path / "here", "cpu.executor=inline", "parse.where=loop")
    first, second = essence(there), essence(here)
    assert len(first) > 100
    both = first.keys() & second.keys()  # a page that a redirect found first has its record there
    assert len(both) > 0.9 * len(first)
    assert {url: first[url] for url in both} == {url: second[url] for url in both}


@pytest.mark.parametrize(
    ("settings", "rules"),
    [
        (["limits.depth=2"], Rules(depth=2, seed_hosts_only=True)),
        (["scope.follow_nofollow=true"], Rules(follow_nofollow=True, seed_hosts_only=True)),
        (["politeness.sitemaps=true"], Rules(sitemaps=True, seed_hosts_only=True)),
        (["scope.mode=any", "fetch.allow_private=[127.0.0.1]"], Rules()),
    ],
)
def test_rules_decide_what_is_reached(site: SiteProcess, tmp_path: Path, settings: list[str], rules: Rules) -> None:
    site.reset()
    seed = site.seeds[0]
    sets = [f"fetch.per_host={PER_HOST}", "fetch.retries=1", "analyzers=[]", *settings]
    done = crawler("run", seed, "-j", tmp_path / "job", *impatient(*sets))
    assert done.returncode == 0, done.stderr
    found = {url for url in covered(records(tmp_path / "job")) if not url.endswith("/sitemap.xml")}
    expected = site.truth.reachable(rules, [seed])
    outside = {
        record["final_url"] for record in records(tmp_path / "job") if (record["error"] or {}).get("kind") == "scope"
    }
    assert found - outside == expected - outside
    assert site.audit().violations == {}
