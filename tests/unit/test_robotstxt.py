"""The protocol: the reference parser's answers, RFC 9309, an oracle for patterns, and files made to do harm."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.robotstxt import MAX_OCTETS, RobotsTxt
from crawler.urls import CanonicalForm, canonicalize, path_and_query

CASES = json.loads((Path(__file__).parent / "data" / "robots_cases.json").read_text(encoding="utf-8"))["groups"]


def text(parts: str | list[str | list[Any]]) -> str:
    if isinstance(parts, str):
        return parts
    return "".join(part if isinstance(part, str) else part[0] * part[1] for part in parts)


def path_of(url: str) -> str:
    """Cut the path out of a URL as it is: the cases hold URLs that no parser has seen."""
    return "/" + url.partition("://")[2].partition("/")[2]


def allowed(robots: str | bytes, path: str, agent: str = "foobot") -> bool:
    body = robots if isinstance(robots, bytes) else robots.encode()
    return RobotsTxt.parse(body).rules_for(agent).allowed(path)


def for_all(*lines: str) -> str:
    return "\n".join(["User-agent: *", *lines])


@pytest.mark.parametrize("case", CASES, ids=[f"{number}-{case['section']}" for number, case in enumerate(CASES)])
def test_answers_are_those_of_the_reference_parser(case: dict[str, Any]) -> None:
    """Its answers count except where RFC 9309 itself says otherwise: three, all of percent-encoding."""
    rules = RobotsTxt.parse(text(case["robots"]).encode()).rules_for(case["agent"])
    contradictions = case.get("contradicts_rfc9309", {})
    for expected in (True, False):
        for parts in case.get("allowed" if expected else "disallowed", []):
            url = text(parts)
            assert rules.allowed(path_of(url)) == (expected != (url in contradictions)), url


def test_the_cases_are_complete() -> None:
    answers = [(case, url) for case in CASES for key in ("allowed", "disallowed") for url in case.get(key, [])]
    assert len(answers) == 145
    assert sum(case["section"].startswith("ID_") for case, _ in answers) == 72
    assert sum(len(case.get("contradicts_rfc9309", {})) for case in CASES) == 3


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_lines_end_in_three_ways(end: str) -> None:
    robots = end.join(["User-Agent: foobot", "Allow: /some/path", "User-Agent: barbot", "", "", "Disallow: /"])
    assert allowed(robots, "/x", "foobot")
    assert not allowed(robots, "/x", "barbot")


@pytest.mark.parametrize(("mark", "read"), [(b"\xef\xbb\xbf", True), (b"\xef\xbb", True), (b"\xef\x11\xbf", False)])
def test_a_byte_order_mark_is_passed_over(mark: bytes, read: bool) -> None:
    assert allowed(mark + b"User-agent: *\nDisallow: /", "/x") is not read


@pytest.mark.parametrize("key", ["disallow", "dissallow", "dissalow", "disalow", "diasllow", "disallaw", "DISALLOW "])
@pytest.mark.parametrize("agent_key", ["user-agent", "useragent", "user agent"])
def test_frequent_misspellings_are_read(key: str, agent_key: str) -> None:
    assert not allowed(f"{agent_key}: *\n{key}: /x", "/x")


@pytest.mark.parametrize(
    "line", ["User-agent: FooBot/2.1", "User-agent:foobot (mobile)", "user-agent : FOOBOT # that is us"]
)
def test_an_agent_is_known_by_its_product_token(line: str) -> None:
    assert not allowed(f"{line}\nDisallow: /x", "/x")
    assert allowed(f"{line}\nDisallow: /x", "/x", "foo")
    assert allowed(f"{line}\nDisallow: /x", "/x", "foobot2")


def test_a_token_may_hold_digits() -> None:
    assert not allowed("User-agent: Bot4You\nDisallow: /", "/x", "bot4you")
    assert allowed("User-agent: Bot4You\nDisallow: /", "/x", "bot")


def test_all_groups_of_an_agent_count_and_then_none_of_the_others() -> None:
    robots = "user-agent: foobot\ndisallow: /a\n\nuser-agent: *\ndisallow: /b\n\nuser-agent: foobot\ndisallow: /c"
    assert [allowed(robots, path) for path in ("/a", "/b", "/c")] == [False, True, False]
    assert [allowed(robots, path, "other") for path in ("/a", "/b", "/c")] == [True, False, True]


def test_several_groups_for_all_agents_are_combined() -> None:
    robots = "user-agent: *\ndisallow: /a\n\nuser-agent: x\nallow: /\n\nuser-agent: * all\ndisallow: /b"
    assert [allowed(robots, path) for path in ("/a", "/b", "/c")] == [False, False, True]


def test_a_group_without_rules_allows_everything() -> None:
    assert allowed("user-agent: *\ndisallow: /\n\nuser-agent: foobot\ndisallow:\n", "/x")
    assert allowed("user-agent: *\ndisallow: /\n\nuser-agent: foobot\n", "/x")


def test_robots_txt_itself_is_always_allowed() -> None:
    assert allowed(for_all("Disallow: /"), "/robots.txt")
    assert not allowed(for_all("Disallow: /"), "/robots.txt.bak")


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("/~user/", "/%7Euser/", True),
        ("/%7euser/", "/~user/", True),
        ("/a%2fb", "/a%2Fb", True),
        ("/a%2Fb", "/a/b", False),
        ("/é", "/%C3%A9", True),
        ("/%c3%a9", "/é", True),
        ("/a b", "/a%20b", True),
        ('/"<>`{}^|\\', "/%22%3C%3E%60%7B%7D%5E%7C%5C", True),
        ("/?q='x'", "/?q=%27x%27", True),
        ("/100%", "/100%25", True),
        ("/file-%2A", "/file-*", True),
        ("/file-%2A", "/file-x", False),
        ("/price-%24", "/price-$", True),
        ("/price-$5", "/price-$5", True),
        ("/price-$", "/price-", True),
        ("/price-$", "/price-$", False),
        ("/a*", "/a", True),
        ("/a*$", "/abc", True),
        ("/*/b/*.c", "/a/b/x.c?d", True),
        ("/a*b*b$", "/ab", False),
        ("/a*b*b$", "/abb", True),
        ("/a**b", "/a-b", True),
        ("*/b", "/a/b", True),
        ("*", "/", True),
        ("$", "/", False),
        ("b", "/b", False),
    ],
)
def test_rules_match_octets(pattern: str, path: str, matches: bool) -> None:
    assert allowed(for_all(f"Disallow: {pattern}"), path) is not matches


def test_octets_that_are_no_utf8_match_too() -> None:
    robots = b"User-agent: *\nDisallow: /caf\xe9"
    assert not allowed(robots, "/caf%E9")
    assert allowed(robots, "/caf%C3%A9")


def test_a_rule_is_as_long_as_its_octets_in_the_form_that_is_compared() -> None:
    robots = for_all("Disallow: /é", "Allow: /%C3%A*")
    assert not allowed(robots, "/%C3%A9")


def test_allow_wins_between_rules_of_one_length_in_any_order() -> None:
    assert allowed(for_all("Disallow: /a*", "Allow: /*a"), "/a")
    assert allowed(for_all("Allow: /*a", "Disallow: /a*"), "/a")
    assert not allowed(for_all("Disallow: /a*$", "Allow: /*a"), "/a")


@pytest.mark.parametrize(
    ("lines", "delay"),
    [
        (["Crawl-delay: 10"], 10.0),
        (["crawl-delay: 0.5 # half"], 0.5),
        (["Crawl-delay: soon", "Crawl-delay: 3", "Crawl-delay: 9"], 3.0),
        (["Crawl-delay: 0"], 0.0),
        (["Crawl-delay: -1", "Crawl-delay: inf", "Crawl-delay: nan", "Crawl-delay:"], None),
        (["Disallow: /x"], None),
    ],
)
def test_the_first_number_of_seconds_is_the_crawl_delay(lines: list[str], delay: float | None) -> None:
    assert RobotsTxt.parse(for_all(*lines).encode()).rules_for("foobot").crawl_delay == delay


def test_a_crawl_delay_belongs_to_its_group_and_does_not_end_it() -> None:
    robots = RobotsTxt.parse(b"user-agent: a\ncrawl-delay: 1\nuser-agent: b\ndisallow: /x\nuser-agent: c\ndisallow: /y")
    assert [robots.rules_for(agent).crawl_delay for agent in "abc"] == [1.0, 1.0, None]
    assert [robots.rules_for(agent).allowed("/x") for agent in "abc"] == [False, False, True]


def test_sitemaps_may_stand_anywhere() -> None:
    robots = "Sitemap: http://EXAMPLE.com/a.xml\nUser-agent: *\nSite-map: https://example.com/b\nSitemap: /relative\n"
    parsed = RobotsTxt.parse(f"{robots}Disallow: /x\nsitemap: http://example.com/a.xml#twice".encode())
    assert parsed.sitemaps == ("http://example.com/a.xml", "https://example.com/b")
    assert not parsed.rules_for("foobot").allowed("/x")


def test_the_first_500_kib_count_up_to_the_last_whole_line() -> None:
    head = b"User-agent: *\n"
    filler = b"#" * 99 + b"\n"
    body = head + filler * ((490_000 - len(head)) // len(filler)) + b"Disallow: /late\n"
    body += filler * ((MAX_OCTETS - len(body)) // len(filler) - 1)
    body += b"#" * (MAX_OCTETS - len(body) - len(b"\nDisallow: /ab")) + b"\nDisallow: /ab"
    assert len(body) == MAX_OCTETS
    for file in (body, body + b"c\nDisallow: /after\n"):
        rules = RobotsTxt.parse(file).rules_for("foobot")
        assert not rules.allowed("/late")
        assert rules.allowed("/ab")
        assert rules.allowed("/after")
    whole = body[:-1] + b"\n"
    assert not allowed(whole + b"Disallow: /zebra", "/a")
    assert allowed(whole + b"Disallow: /zebra", "/zebra")


PATTERNS = st.text("/ab*$", min_size=1, max_size=8)
PATHS = st.text("ab/", max_size=8).map(lambda rest: f"/{rest}")
RULES = st.lists(st.tuples(st.booleans(), PATTERNS), max_size=6)


def oracle(rules: list[tuple[bool, str]], path: str) -> bool:
    """RFC 9309 section 2.2.2, as plainly as it can be said."""
    best = (0, True)
    for allow, pattern in rules:
        parts = [re.escape(part) for part in pattern.removesuffix("$").split("*")]
        end = "$" if pattern.endswith("$") else ""
        octets = len(pattern) + 2 * pattern.removesuffix("$").count("$")  # a literal $ is compared as %24
        if re.match(".*".join(parts) + end, path):
            best = max(best, (octets, allow))
    return best[1]


@settings(derandomize=True, deadline=None, max_examples=800)
@given(RULES, PATHS)
def test_the_longest_match_decides(rules: list[tuple[bool, str]], path: str) -> None:
    robots = for_all(*(f"{'Allow' if allow else 'Disallow'}: {pattern}" for allow, pattern in rules))
    assert allowed(robots, path) is oracle(rules, path)


@settings(derandomize=True, deadline=None, max_examples=500)
@given(st.binary(max_size=200) | st.text("user-agent: *\ndisallow/%$#é", max_size=200).map(str.encode), st.text())
def test_no_file_and_no_path_raises(body: bytes, path: str) -> None:
    robots = RobotsTxt.parse(body)
    assert robots.rules_for("foobot").allowed(path) in {True, False}
    assert robots.rules_for("foobot").allowed("/\udc80") in {True, False}


@settings(derandomize=True, deadline=None, max_examples=500)
@given(st.text("/a~é'|^ %7eE2F*$?=", max_size=12))
def test_a_rule_that_is_written_as_the_url_matches_the_canonical_url(path: str) -> None:
    """However a site writes its URLs, a crawler that compares canonical ones meets the rule."""
    form = CanonicalForm(strip_tracking=())
    url = canonicalize(f"http://example.com/x{path}", form)
    assert url is not None
    literal = f"/x{path}".replace("*", "%2A").replace("$", "%24").rstrip(" ?")
    if "//" not in literal and "." not in literal:
        assert not allowed(for_all(f"Disallow: {literal}"), path_and_query(url))


LONG_PATH = "/" + "a" * 1999


@pytest.mark.parametrize(
    "rules",
    [
        b"Disallow: /" + b"*a" * 8_000 + b"b\n",
        b"".join(b"Disallow: /*%sb%d\n" % (b"a*" * 200, n) for n in range(1_200)),
        b"".join(b"Disallow: /*a%d\n" % n for n in range(30_000)),
        b"".join(b"Disallow: /%s$\n" % (b"a" * n) for n in range(1_000)),
        b"".join(b"User-agent: bot%d\n" % n for n in range(12_000)) + b"Disallow: /a%d\n" * 12_000,
        b"Disallow: " + b"/" * 500_000,
        b"%" * 500_000,
        b"\n" * 500_000,
    ],
    ids=["stars", "many-stars", "wildcards", "heads", "agents", "one-line", "escapes", "empty-lines"],
)
def test_a_file_made_to_do_harm_is_answered(rules: bytes) -> None:
    """Work is bounded by the size of the file: no backtracking, no product of agents and rules."""
    robots = RobotsTxt.parse(b"User-agent: *\nDisallow: /private\n" + rules).rules_for("foobot")
    assert not robots.allowed("/private/x")
    for _ in range(10):
        robots.allowed(LONG_PATH)


def test_wildcards_beyond_the_bound_are_read_to_the_safe_side() -> None:
    many = [f"Disallow: /m{n}*x" for n in range(5_000)]
    rules = RobotsTxt.parse(
        for_all(*many, "Disallow: /late/*.pdf", "Allow: /late/*", "Allow: /*.html").encode()
    ).rules_for("a")
    assert not rules.allowed("/late/a.pdf")
    assert not rules.allowed("/late/a.html")
    assert rules.allowed("/m7")
    assert not rules.allowed("/m7yx")
