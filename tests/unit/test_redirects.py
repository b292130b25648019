"""What a 3xx response means."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.redirects import next_hop
from crawler.types import CrawlRequest, ErrorKind, Failed, Fetched

URL = "http://a.example/dir/page?q=1"


def response(status: int, location: str | None, *redirects: str) -> Fetched:
    request = CrawlRequest(URL, "a.example", redirects=redirects)
    headers = {} if location is None else {"location": location}
    return Fetched(request, request.target, status, headers, None, 0.1, 0.2, 0)


def kind_of(result: str | Failed | None) -> ErrorKind | None:
    return result.kind if isinstance(result, Failed) else None


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects(status: int) -> None:
    assert next_hop(response(status, "/new"), 5) == "http://a.example/new"
    assert next_hop(response(status, None), 5) is None
    assert next_hop(response(status, "  "), 5) is None


@pytest.mark.parametrize("status", [200, 201, 300, 304, 305, 306, 399, 404, 500])
def test_final_statuses(status: int) -> None:
    assert next_hop(response(status, "/new"), 5) is None


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("other", "http://a.example/dir/other"),
        ("../up", "http://a.example/up"),
        ("?q=2", "http://a.example/dir/page?q=2"),
        ("//b.example/x", "http://b.example/x"),
        ("https://b.example", "https://b.example/"),
        ("HTTP://B.Example:80/x", "http://b.example/x"),
        ("/x#part", "http://a.example/x"),
        ("  /x\t", "http://a.example/x"),
        ("\\\\b.example\\x", "http://b.example/x"),
        ("http:/x", "http://a.example/x"),
        ("/café?ü", "http://a.example/caf%C3%A9?%C3%BC"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
        ("http://2130706433/", "http://127.0.0.1/"),
    ],
)
def test_location_is_joined_as_browsers_do(location: str, target: str) -> None:
    assert next_hop(response(302, location), 5) == target


def test_location_is_joined_to_the_url_that_answered() -> None:
    assert next_hop(response(302, "x", "http://b.example/there/"), 5) == "http://b.example/there/x"


@pytest.mark.parametrize(
    "location",
    [
        "http://",
        "http://[::1/",
        "http://a b/",
        "http://a:99999/",
        "\ud800",
        "ftp://b.example/x",
        "javascript:alert(1)",
        "data:text/html,x",
        "mailto:a@b.example",
        "file:///etc/passwd",
    ],
)
def test_bad_redirects(location: str) -> None:
    result = next_hop(response(302, location), 5)
    assert kind_of(result) is ErrorKind.BAD_REDIRECT


def test_https_to_http_is_followed() -> None:
    request = CrawlRequest("https://a.example/", "a.example")
    fetched = Fetched(request, request.url, 301, {"location": "http://a.example/"}, None, 0.1, 0.2, 0)
    assert next_hop(fetched, 5) == "http://a.example/"


@pytest.mark.parametrize("location", [URL, URL + "#part", "page?q=1", "http://b.example/1", "http://b.example/2"])
def test_loops(location: str) -> None:
    hops = ("http://b.example/1", "http://a.example/dir/2", "http://b.example/2", "http://a.example/dir/4")
    assert kind_of(next_hop(response(302, location, *hops), 20)) is ErrorKind.REDIRECT_LOOP


def test_a_page_that_redirects_to_itself() -> None:
    assert kind_of(next_hop(response(302, "#top"), 5)) is ErrorKind.REDIRECT_LOOP


def test_too_many_redirects() -> None:
    hops = tuple(f"http://a.example/{n}" for n in range(5))
    assert next_hop(response(302, "/new", *hops), 6) == "http://a.example/new"
    result = next_hop(response(302, "/new", *hops), 5)
    assert kind_of(result) is ErrorKind.TOO_MANY_REDIRECTS
    assert isinstance(result, Failed)
    assert "5" in result.message


def test_no_redirects_allowed() -> None:
    assert kind_of(next_hop(response(302, "/new"), 0)) is ErrorKind.TOO_MANY_REDIRECTS


def test_messages_are_one_short_line() -> None:
    result = next_hop(response(302, "ftp://b.example/" + "x\n" * 5000), 5)
    assert isinstance(result, Failed)
    assert "\n" not in result.message
    assert len(result.message) < 300


@settings(derandomize=True, deadline=None, max_examples=500)
@given(st.text(max_size=80), st.integers(0, 3))
def test_any_location_gives_an_http_url_or_a_failure(location: str, allowed: int) -> None:
    result = next_hop(response(302, location), allowed)
    if isinstance(result, str):
        assert result.startswith(("http://", "https://"))
        assert "#" not in result
        assert allowed > 0
    else:
        assert result is None or isinstance(result, Failed)
