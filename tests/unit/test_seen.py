import gc
import tracemalloc

from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.frontier.seen import SeenSet


@settings(derandomize=True, deadline=None)
@given(st.lists(st.text(max_size=3)), st.integers(0, 10_000))
def test_it_tells_new_texts_from_known_ones(texts: list[str], expected: int) -> None:
    seen, known = SeenSet(expected), set[str]()
    for text in texts:
        assert seen.missing(texts) == [each for each in texts if each not in known]
        assert seen.add(text) is (text not in known)
        known.add(text)
    assert len(seen) == len(known)


def test_nothing_is_lost_or_invented_while_it_grows() -> None:
    seen = SeenSet()
    assert all(seen.add(f"http://a.test/{n}") for n in range(50_000))
    assert not any(seen.add(f"http://a.test/{n}") for n in range(50_000))
    others = [f"http://b.test/{n}" for n in range(50_000)]
    assert seen.missing([f"http://a.test/{n}" for n in range(50_000)] + others) == others
    assert all(seen.add(f"http://b.test/{n}") for n in range(50_000))
    assert len(seen) == 100_000


def test_the_size_that_was_expected_is_no_limit() -> None:
    seen = SeenSet(expected=10)
    assert all(seen.add(f"http://a.test/{n}") for n in range(5_000))
    assert not any(seen.add(f"http://a.test/{n}") for n in range(5_000))


def test_a_url_takes_less_than_thirty_bytes_also_at_the_peak() -> None:
    gc.collect()
    tracemalloc.start()
    try:
        seen = SeenSet()
        for n in range(100_000):
            seen.add(f"http://a.test/{n}")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(seen) == 100_000
    assert peak < 30 * 100_000


def test_what_was_asked_for_lately_is_known_and_costs_no_more_than_a_bound() -> None:
    seen, urls = SeenSet(), [f"http://a.test/{n}" for n in range(100_000)]
    assert seen.missing(urls) == urls
    assert seen.missing(urls) == urls, "who was only asked for is not known"
    for url in urls:
        seen.add(url)
    tracemalloc.start()
    try:
        for start in range(0, len(urls), 1_000):
            assert seen.missing(urls[start : start + 1_000]) == []
            assert seen.missing(urls[start : start + 1_000]) == []
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 5_000_000
