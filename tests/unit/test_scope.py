"""The door: what is admitted, and for which reason the rest is not."""

from typing import Any

import ada_url
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.scope import Admitted, Rejected, RejectReason, Scope, ScopeMode, ScopeRules
from crawler.urls import CanonicalForm, canonicalize, host_key, serialise

SEED = "http://www.example.com/start"


def scope(*seeds: str, **rules: Any) -> Scope:
    return Scope(ScopeRules(**rules), seeds or (SEED,))


def verdict(door: Scope, url: str, depth: int = 1, *, seed: bool = False) -> RejectReason | None:
    answer = door.admit(url, depth, seed=seed)
    return answer.reason if isinstance(answer, Rejected) else None


def test_what_is_admitted_is_canonical_and_names_its_host() -> None:
    answer = scope("http://example.com:8080/").admit("HTTP://Example.com:8080/a/../b?utm_source=x#top", 1)
    assert answer == Admitted("http://example.com:8080/b", "example.com:8080")


def test_what_is_rejected_says_why_and_what() -> None:
    answer = scope().admit("http://OTHER.example/#x", 1)
    assert answer == Rejected(RejectReason.HOST, "http://other.example/")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("mailto:a@example.com", RejectReason.SCHEME),
        ("javascript:void(0)", RejectReason.SCHEME),
        ("ftp://www.example.com/", RejectReason.SCHEME),
        ("/relative", RejectReason.INVALID),
        ("http://", RejectReason.INVALID),
        ("http://a../", RejectReason.INVALID),
        ("http://www.example.com/\udc80", RejectReason.INVALID),
        ("", RejectReason.INVALID),
    ],
)
def test_only_http_urls_come_in(text: str, reason: RejectReason) -> None:
    assert scope(mode=ScopeMode.ANY).admit(text, 0) == Rejected(reason, text)


@pytest.mark.parametrize(
    ("mode", "hosts", "inside", "outside"),
    [
        (
            ScopeMode.SEED_HOSTS,
            (".example.org",),
            ["http://www.example.com/", "https://www.example.com/a", "http://WWW.example.com./"],
            ["http://example.com/", "http://www.example.com:8080/", "http://a.www.example.com/", "http://example.org/"],
        ),
        (
            ScopeMode.SEED_DOMAINS,
            (),
            ["http://www.example.com/", "http://example.com/", "https://a.b.example.com:8443/"],
            ["http://example.org/", "http://notexample.com/", "http://example.com.evil.org/", "http://com/"],
        ),
        (
            ScopeMode.LIST,
            ("Example.org", "other.example:8080", ".wide.example", "secure.example:443", "bücher.example"),
            [
                *("http://example.org/", "https://example.org/", "http://other.example:8080/"),
                *("http://wide.example/", "http://a.b.wide.example:81/", "https://secure.example/"),
                "http://xn--bcher-kva.example/",
            ],
            [
                *("http://www.example.com/", "http://www.example.org/", "http://example.org:81/"),
                *("http://other.example/", "http://notwide.example/", "http://wide.example.org/"),
            ],
        ),
        (ScopeMode.ANY, (), ["http://www.example.com/", "http://anything.example:1/", "http://[::1]/"], []),
    ],
)
def test_modes_choose_the_hosts(mode: ScopeMode, hosts: tuple[str, ...], inside: list[str], outside: list[str]) -> None:
    door = scope(mode=mode, hosts=hosts)
    for url in inside:
        assert verdict(door, url) is None, url
    for url in outside:
        assert verdict(door, url) is RejectReason.HOST, url


def test_seeds_on_addresses_and_plain_names_are_domains_of_their_own() -> None:
    door = scope("http://127.0.0.1:8001/", "http://localhost:8002/", mode=ScopeMode.SEED_DOMAINS)
    assert verdict(door, "http://127.0.0.1:9999/") is None
    assert verdict(door, "http://localhost/") is None
    assert verdict(door, "http://127.0.0.2:8001/") is RejectReason.HOST
    assert verdict(door, "http://0.0.1/") is RejectReason.HOST


def test_a_seed_that_is_no_url_brings_no_host() -> None:
    door = scope("nonsense", "http://good.example/")
    assert verdict(door, "http://good.example/") is None
    assert verdict(door, "http://nonsense/") is RejectReason.HOST


@pytest.mark.parametrize("mode", [ScopeMode.SEED_HOSTS, ScopeMode.SEED_DOMAINS])
def test_a_seed_that_moved_takes_the_scope_along(mode: ScopeMode) -> None:
    door = scope(mode=mode)
    assert verdict(door, "http://moved.example/") is RejectReason.HOST
    door.extend("moved.example")
    assert verdict(door, "http://moved.example/") is None
    assert verdict(door, SEED) is None


def test_a_list_stays_the_list() -> None:
    door = scope(mode=ScopeMode.LIST, hosts=("listed.example",))
    door.extend("moved.example")
    assert verdict(door, "http://moved.example/") is RejectReason.HOST
    assert verdict(door, SEED) is RejectReason.HOST


def test_patterns_are_searched_in_the_canonical_url() -> None:
    door = scope(include=("/blog/", r"\?id=\d"), exclude=(r"\.pdf$", "/~private/"))
    assert verdict(door, "http://www.example.com/BLOG/../blog/a") is None
    assert verdict(door, "http://www.example.com/?id=1") is None
    assert verdict(door, "http://www.example.com/other") is RejectReason.INCLUDE
    assert verdict(door, "http://www.example.com/blog/a.pdf#page=2") is RejectReason.EXCLUDE
    assert verdict(door, "http://www.example.com/blog/%7Eprivate/") is RejectReason.EXCLUDE


def test_a_seed_need_not_match_an_include_pattern_but_no_exclude() -> None:
    door = scope(include=("/blog/",), exclude=("/login",))
    assert verdict(door, SEED, 0) is RejectReason.INCLUDE
    assert verdict(door, SEED, 0, seed=True) is None
    assert verdict(door, "http://www.example.com/login", 0, seed=True) is RejectReason.EXCLUDE


@pytest.mark.parametrize("field", ["include", "exclude"])
def test_a_pattern_that_does_not_compile_is_named(field: str) -> None:
    with pytest.raises(ValueError, match=r"pattern 'a\(b' is not a regular expression"):
        scope(**{field: ("ok", "a(b")})


@pytest.mark.parametrize("entry", ["", ".", "a b", "http://example.com/", "example.com/path", "u@example.com", "a:x"])
def test_a_host_that_is_none_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match=r"expected 'host', 'host:port' or '\.domain'"):
        ScopeRules(hosts=(entry,))


def test_depth_is_limited_where_it_is_set() -> None:
    door = scope(max_depth=2)
    assert verdict(door, SEED, 2) is None
    assert verdict(door, SEED, 3) is RejectReason.DEPTH
    assert door.admit_links([SEED], 2)
    assert not door.admit_links([SEED], 3)
    assert verdict(scope(), SEED, 10_000) is None


def test_long_urls_stay_outside() -> None:
    door = scope(max_url_length=100)
    base = "http://www.example.com/"
    assert verdict(door, base + "a" * (100 - len(base))) is None
    assert verdict(door, base + "a" * (101 - len(base))) is RejectReason.TOO_LONG
    assert verdict(door, base + "?utm_source=" + "a" * 1000) is None


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/a/a/a", None),
        ("/a/a/a/a", RejectReason.REPEATED_SEGMENTS),
        ("/a/b/a/b/a/b", None),
        ("/a/b/a/b/a/b/a", RejectReason.REPEATED_SEGMENTS),
        ("/x/a/y/a/z/a/w/a/v", RejectReason.REPEATED_SEGMENTS),
        ("/1/2/3/4/5/6/7/8/9/", None),
        ("/1/1/2/2/3/3/4/4/5/5", None),
        ("/a//////b", RejectReason.REPEATED_SEGMENTS),
        ("/a?next=/b/b/b/b/b/b", None),
        ("/a/a/a/a?x=1", RejectReason.REPEATED_SEGMENTS),
    ],
)
def test_a_segment_again_and_again_is_a_trap(path: str, reason: RejectReason | None) -> None:
    assert verdict(scope(), f"http://www.example.com{path}") is reason


def test_the_limit_of_repeated_segments_is_a_rule() -> None:
    assert verdict(scope(max_repeated_segments=1), "http://www.example.com/a/b/a") is RejectReason.REPEATED_SEGMENTS
    assert verdict(scope(max_repeated_segments=9), "http://www.example.com" + "/a" * 9) is None


TEXTS = st.one_of(
    st.text(st.characters(), max_size=20),
    st.builds(
        "{}://{}{}".format,
        st.sampled_from(["http", "https", "ftp"]),
        st.sampled_from(["www.example.com", "example.com.", "a..", "u:p@www.example.com:81", "[::1]", "other.example"]),
        st.text("/ab?&=%#.x^2e", max_size=15),
    ),
)
RULES = st.builds(
    ScopeRules,
    mode=st.sampled_from(ScopeMode),
    hosts=st.sampled_from([(), (".example.com",), ("www.example.com:81",)]),
    include=st.sampled_from([(), ("a",)]),
    exclude=st.sampled_from([(), ("b$",)]),
    max_depth=st.sampled_from([None, 1]),
    max_url_length=st.sampled_from([30, 2000]),
    max_repeated_segments=st.sampled_from([1, 3]),
    form=st.sampled_from([CanonicalForm(), CanonicalForm(sort_query=True)]),
)


@settings(derandomize=True, deadline=None, max_examples=400)
@given(RULES, TEXTS, st.integers(0, 2))
def test_the_door_answers_any_text(rules: ScopeRules, text: str, depth: int) -> None:
    answer = Scope(rules, [SEED]).admit(text, depth)
    if isinstance(answer, Admitted):
        assert ada_url.URL(answer.url).host == answer.host
        assert len(answer.url) <= rules.max_url_length
        assert rules.max_depth is None or depth <= rules.max_depth
        assert Scope(rules, [SEED]).admit(answer.url, depth) == answer
    else:
        assert answer.url in {text, canonicalize(text, rules.form)}


@settings(derandomize=True, deadline=None, max_examples=400)
@given(RULES, st.lists(TEXTS, max_size=8), st.integers(0, 2))
def test_a_batch_of_links_gets_the_same_answers(rules: ScopeRules, texts: list[str], depth: int) -> None:
    door = Scope(rules, [SEED])
    links = [href for href in map(serialise, texts) if href is not None]
    one_by_one = [answer for link in links if isinstance(answer := door.admit(link, depth), Admitted)]
    assert door.admit_links(links, depth) == one_by_one
    assert all(host_key(answer.url) == answer.host for answer in one_by_one)
