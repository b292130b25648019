"""Retries, back-off and Retry-After."""

from email.utils import formatdate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.politeness import RETRYABLE_KINDS, RETRYABLE_STATUSES, Retry, RetryPolicy, retry_after
from crawler.types import CrawlRequest, ErrorKind, Failed, Fetched

NOW = 1_800_000_000.0
POLICY = RetryPolicy(retries=3, backoff_s=1.0, backoff_max_s=60.0, retry_after_max_s=600.0)
REQUEST = CrawlRequest("http://a.example/", "a.example")


def most() -> float:
    return 1.0


def response(status: int, **headers: str) -> Fetched:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fetched(REQUEST, REQUEST.url, status, names, None, 0.1, 0.2, 0)


def failure(kind: ErrorKind) -> Failed:
    return Failed(REQUEST, kind, "it failed")


@pytest.mark.parametrize("status", [200, 204, 301, 304, 400, 401, 403, 404, 410, 451, 501, 505, 511])
def test_final_statuses(status: int) -> None:
    assert POLICY.decide(response(status), 1, NOW, most) is None


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 522])
def test_statuses_worth_a_retry(status: int) -> None:
    assert POLICY.decide(response(status), 1, NOW, most) is not None
    assert POLICY.decide(response(status), 3, NOW, most) is not None
    assert POLICY.decide(response(status), 4, NOW, most) is None


@pytest.mark.parametrize("kind", sorted(set(ErrorKind) - RETRYABLE_KINDS))
def test_final_failures(kind: ErrorKind) -> None:
    assert POLICY.decide(failure(kind), 1, NOW, most) is None


@pytest.mark.parametrize("kind", [ErrorKind.CONNECT, ErrorKind.TIMEOUT, ErrorKind.RESET, ErrorKind.PROTOCOL])
def test_failures_worth_all_retries(kind: ErrorKind) -> None:
    assert POLICY.decide(failure(kind), 3, NOW, most) is not None
    assert POLICY.decide(failure(kind), 4, NOW, most) is None


@pytest.mark.parametrize("kind", [ErrorKind.DNS, ErrorKind.DECODE])
def test_failures_worth_one_retry(kind: ErrorKind) -> None:
    assert POLICY.decide(failure(kind), 1, NOW, most) is not None
    assert POLICY.decide(failure(kind), 2, NOW, most) is None
    assert RetryPolicy(retries=0).decide(failure(kind), 1, NOW, most) is None


def test_backoff_doubles_up_to_its_ceiling() -> None:
    policy = RetryPolicy(retries=20, backoff_s=1.0, backoff_max_s=10.0)
    waits = [policy.decide(failure(ErrorKind.RESET), n, NOW, most) for n in range(1, 7)]
    assert waits == [Retry(wait, 0.0) for wait in (1.0, 2.0, 4.0, 8.0, 10.0, 10.0)]


def test_jitter_is_full() -> None:
    assert POLICY.decide(failure(ErrorKind.RESET), 3, NOW, lambda: 0.0) == Retry(0.0, 0.0)
    assert POLICY.decide(failure(ErrorKind.RESET), 3, NOW, lambda: 0.5) == Retry(2.0, 0.0)


@pytest.mark.parametrize("status", [429, 503])
def test_a_host_that_is_busy_is_paused(status: int) -> None:
    assert POLICY.decide(response(status), 1, NOW, most) == Retry(1.0, 1.0)


@pytest.mark.parametrize("status", [408, 500, 502])
def test_an_error_of_one_page_does_not_pause_its_host(status: int) -> None:
    assert POLICY.decide(response(status), 1, NOW, most) == Retry(1.0, 0.0)


@pytest.mark.parametrize("kind", [ErrorKind.DNS, ErrorKind.CONNECT])
def test_a_host_that_cannot_be_reached_is_paused(kind: ErrorKind) -> None:
    assert POLICY.decide(failure(kind), 1, NOW, most) == Retry(1.0, 1.0)


def test_retry_after_pauses_the_host() -> None:
    assert POLICY.decide(response(429, retry_after="30"), 1, NOW, most) == Retry(30.0, 30.0)
    assert POLICY.decide(response(500, retry_after="30"), 1, NOW, most) == Retry(30.0, 30.0)


def test_retry_after_is_capped() -> None:
    assert POLICY.decide(response(503, retry_after="31536000"), 1, NOW, most) == Retry(600.0, 600.0)
    assert POLICY.decide(response(503, retry_after="9" * 400), 1, NOW, most) == Retry(600.0, 600.0)


def test_retry_after_zero_is_no_leave_to_hammer() -> None:
    assert POLICY.decide(response(503, retry_after="0"), 2, NOW, most) == Retry(2.0, 2.0)


def test_a_host_is_left_alone_also_after_the_last_retry() -> None:
    last = response(429, retry_after="30")
    assert POLICY.decide(last, 4, NOW, most) is None
    assert POLICY.pause(last, 4, NOW, most) == 30.0
    assert POLICY.pause(response(200, retry_after="30"), 1, NOW, most) == 0.0
    assert POLICY.pause(failure(ErrorKind.CONNECT), 4, NOW, most) == 8.0
    assert POLICY.pause(failure(ErrorKind.RESET), 4, NOW, most) == 0.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 120 ", 120.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("-5", None),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("1e9", None),
        ("٣", None),
        ("Sat, 01 Jan 99999 00:00:00 GMT", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
    ],
)
def test_forms_of_retry_after(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}, NOW) == seconds


def test_no_retry_after() -> None:
    assert retry_after({}, NOW) is None


@pytest.mark.parametrize("ending", ["GMT", "-0000", "+0000"])
def test_a_date_counts_from_now(ending: str) -> None:
    date = formatdate(NOW + 90, usegmt=True).removesuffix("GMT") + ending
    assert retry_after({"retry-after": date}, NOW) == 90.0


def test_a_wrong_clock_does_no_harm() -> None:
    year = 365 * 86400
    headers = {
        "date": formatdate(NOW - year, usegmt=True),
        "retry-after": formatdate(NOW - year + 90, usegmt=True),
    }
    assert retry_after(headers, NOW) == 90.0
    assert retry_after(headers | {"date": "yesterday"}, NOW) == 0.0


any_result = st.one_of(
    st.builds(failure, st.sampled_from(ErrorKind)),
    st.builds(response, st.sampled_from([*RETRYABLE_STATUSES, 200, 301, 404]), retry_after=st.text(max_size=40)),
    st.builds(response, st.sampled_from([*RETRYABLE_STATUSES]), retry_after=st.integers(-9, 10**9).map(str)),
    st.builds(
        response,
        st.sampled_from([429, 503]),
        retry_after=st.floats(-1e11, 1e11).map(lambda at: formatdate(at % 2.5e11, usegmt=True)),
    ),
)


@settings(derandomize=True, deadline=None, max_examples=500)
@given(any_result, st.integers(1, 5000), st.floats(0, 1, exclude_max=True))
def test_a_decision_is_always_within_its_limits(result: Fetched | Failed, attempt: int, draw: float) -> None:
    policy = RetryPolicy(retries=4000, backoff_s=0.5, backoff_max_s=60.0, retry_after_max_s=600.0)
    decision = policy.decide(result, attempt, NOW, lambda: draw)
    pause = policy.pause(result, attempt, NOW, lambda: draw)
    assert 0.0 <= pause <= 600.0
    assert attempt <= 4000 or decision is None
    if decision is not None:
        assert decision.pause_host_s == pause
        assert pause <= decision.after_s <= 600.0


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.text(max_size=60))
def test_retry_after_is_never_negative_and_never_raises(value: str) -> None:
    seconds = retry_after({"retry-after": value, "date": value}, NOW)
    assert seconds is None or seconds >= 0.0
