"""The ground truth against a crawl of the real thing, and the properties that the plan promises."""

import math
from collections import Counter
from dataclasses import replace

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.bench.site import POLITE, ROUGH, Kind, Rules, Site, SiteSpec, Truth, serve
from crawler.bench.site.spec import SPECIAL_KINDS
from tests.bench.walk import TRIES, Walk

SMALL = replace(ROUGH, pages=240, hosts=3, page_size=6_000, asset_size=100_000, retry_after=0)


async def walk(site: Site, rules: Rules, *seeds: str) -> Walk:
    async with aiohttp.ClientSession() as session:
        return await Walk(rules, session).run(*(seeds or site.seeds))


@pytest.mark.parametrize(
    "rules",
    [
        POLITE,
        Rules(obey_robots=False),
        Rules(follow_nofollow=True),
        Rules(seed_hosts_only=True),
        Rules(depth=1),
        Rules(sitemaps=True),
        Rules(obey_robots=False, follow_nofollow=True, sitemaps=True),
    ],
    ids=str,
)
async def test_a_crawl_finds_what_the_truth_says(rules: Rules) -> None:
    async with serve(SMALL) as site:
        found = await walk(site, rules)
        audit = site.audit()
    assert found.depths == site.truth.depths(rules)
    assert set(found.statuses) == site.truth.fetched(rules)
    assert {url for url in audit.hits if url in site.truth} == site.truth.fetched(rules)
    assert not audit.strays
    assert not audit.early
    assert bool(audit.violations) is not rules.obey_robots


@pytest.mark.parametrize("seed_hosts_only", [False, True])
async def test_the_first_seed_alone_leads_everywhere_or_stays_at_home(seed_hosts_only: bool) -> None:
    rules = Rules(seed_hosts_only=seed_hosts_only)
    async with serve(SMALL) as site:
        found = await walk(site, rules, site.seeds[0])
    assert found.depths == site.truth.depths(rules, site.seeds[:1])
    hosts = {site.truth[url].host for url in found.depths}
    assert hosts == ({0} if seed_hosts_only else {0, 1, 2})


async def test_the_truth_knows_statuses_redirects_duplicates_and_links() -> None:
    async with serve(SMALL) as site:
        found = await walk(site, Rules(obey_robots=False, follow_nofollow=True, sitemaps=True))
    truth = site.truth
    for url, status in found.statuses.items():
        resource = truth[url]
        if resource.target is None:
            retried = resource.kind in {Kind.SERVER_ERROR, Kind.RESET_ALWAYS}
            assert status == (500 if resource.kind is Kind.SERVER_ERROR else None if retried else resource.status)
        else:
            assert resource.target in found.depths
        if resource.original is not None:
            assert found.bodies[url] == found.bodies[resource.original]
    kinds = {url: truth[url].kind for url in found.bodies}
    originals = Counter(found.bodies[url] for url, kind in kinds.items() if kind is not Kind.DUPLICATE)
    assert set(originals.values()) == {1}, "only planned duplicates are equal"


async def test_hits_per_url_of_each_kind() -> None:
    spec = replace(SMALL, unavailable_hits=2)
    async with serve(spec) as site:
        await walk(site, POLITE)
        hits = site.audit().hits
    resets = TRIES * 2  # aiohttp sends a GET once more by itself when its connection breaks
    expected = {Kind.SERVER_ERROR: TRIES, Kind.UNAVAILABLE: 3, Kind.RESET_ONCE: 2, Kind.RESET_ALWAYS: resets}
    for url in site.truth.fetched():
        assert hits[url] == expected.get(site.truth[url].kind, 1), url


@pytest.mark.parametrize(("status", "fetched"), [(404, True), (503, False)])
async def test_a_missing_robots_file_allows_all_and_a_broken_one_nothing(status: int, fetched: bool) -> None:
    async with serve(replace(SMALL, robots_status=status)) as site:
        found = await walk(site, POLITE)
    assert found.depths == site.truth.depths()
    assert set(found.statuses) == site.truth.fetched()
    assert bool(found.statuses) is fetched


specs = st.builds(
    SiteSpec,
    seed=st.integers(0, 2**64),
    hosts=st.integers(1, 9),
    pages=st.integers(60, 300),
    links=st.integers(4, 20),
    cross_links=st.floats(0, 0.9),
    chain_length=st.integers(2, 5),
    **{kind.value: st.sampled_from([0.0, 0.001, 0.05]) for kind in SPECIAL_KINDS},
)


def truth_of(spec: SiteSpec) -> Truth:
    return Truth(spec, [f"http://127.0.0.1:{9000 + i}" for i in range(spec.hosts)])


@settings(derandomize=True, deadline=None, max_examples=40)
@given(specs)
def test_every_url_is_found_again_and_the_counts_are_as_asked(spec: SiteSpec) -> None:
    truth = truth_of(spec)
    resources = {resource.url: resource for resource in truth.resources()}
    assert all(truth[url] == resource for url, resource in resources.items())
    assert Counter(r.kind for r in resources.values() if r.hop == 0) == {
        kind: spec.count(kind) for kind in Kind if spec.count(kind)
    }
    assert sum(spec.count(kind) for kind in Kind) == spec.pages


@settings(derandomize=True, deadline=None, max_examples=40)
@given(specs)
def test_everything_is_reachable_within_a_depth_that_grows_like_a_logarithm(spec: SiteSpec) -> None:
    truth = truth_of(spec)
    everything = set(truth.urls())
    depths = truth.depths(Rules(obey_robots=False, follow_nofollow=True), truth.seeds[:1])
    orphans = {url for url in everything if truth[url].kind is Kind.ORPHAN}
    assert set(depths) == everything - orphans
    branching = max(2, spec.links // 2)
    levels = math.log(spec.pages / spec.hosts + 1, branching) + math.log(spec.hosts + 1, branching)
    assert max(depths.values()) <= math.ceil(levels) + 2


@settings(derandomize=True, deadline=None, max_examples=40)
@given(specs)
def test_each_host_alone_is_whole(spec: SiteSpec) -> None:
    truth = truth_of(spec)
    found = truth.reachable(Rules(seed_hosts_only=True), truth.seeds[-1:])
    pages = {r.url for r in truth.resources() if r.kind is Kind.PAGE and r.host == spec.hosts - 1}
    assert pages <= found
    assert all(truth[url].host == spec.hosts - 1 for url in found)


def test_unknown_urls_are_not_of_the_web() -> None:
    truth = truth_of(SiteSpec())
    page = next(url for url in truth.urls() if url not in truth.seeds)
    assert page in truth
    assert truth.seeds[0].rstrip("/") in truth
    for other in (f"{page}?x=1", f"{page}1", f"{page}/", page.replace("http:", "https:"), "http://127.0.0.1:1/"):
        assert other not in truth
    with pytest.raises(KeyError):
        truth["http://127.0.0.1:9000/nowhere"]
