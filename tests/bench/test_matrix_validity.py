"""Whether a run counts: whatever is planted in a correct one makes it invalid, with the reason."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from crawler.bench.matrix.reference import reference
from crawler.bench.matrix.validity import fault, impolite, unclean
from crawler.bench.site import AuditReport, HostReport, SiteSpec, Truth
from crawler.bench.work import Visited, body_digest

SPEC = SiteSpec(pages=20, hosts=2, page_size=5_000, not_found=0.1, asset=0.1, asset_size=1_000)
TRUTH = Truth(SPEC, ["http://one.test", "http://two.test"])
EXPECTED = reference(TRUTH, (), "turbohtml")
GOOD = list(EXPECTED.values())
PAGE = next(each for each in GOOD if each.body)
HITS = dict.fromkeys(EXPECTED, 1)


def test_the_reference_has_every_url_with_its_status_and_its_body_if_it_is_a_page() -> None:
    assert len(EXPECTED) == 20
    for each in GOOD:
        known = TRUTH[each.url]
        assert each.status == known.status
        assert (each.body is not None, each.analysis is not None) == (known.content_type == "text/html",) * 2
    assert len({each.body for each in GOOD if each.body}) > 10


def test_a_correct_run_counts() -> None:
    assert fault(GOOD, EXPECTED) is None
    assert fault(GOOD[::-1], EXPECTED) is None
    assert unclean(HITS, EXPECTED) is None


def without(url: str) -> list[Visited]:
    return [each for each in GOOD if each.url != url]


PLANTED: Mapping[str, Callable[[], list[Visited]]] = {
    "1 of 20 URLs were not found": lambda: without(PAGE.url),
    "1 of 20 URLs are no pages of this web": lambda: [*GOOD, Visited("http://one.test/nowhere", 404)],
    "1 of 20 URLs have more than one result": lambda: [*GOOD, PAGE],
    "1 of 20 URLs have another status": lambda: [*without(PAGE.url), replace(PAGE, status=203)],
    "1 of 20 URLs have another body": lambda: [*without(PAGE.url), replace(PAGE, body=body_digest(b""))],
    "1 of 20 URLs have another analysis": lambda: [*without(PAGE.url), replace(PAGE, analysis=None)],
}


@pytest.mark.parametrize("why", PLANTED)
def test_a_wrong_result_is_named_with_its_url(why: str) -> None:
    found = fault(PLANTED[why](), EXPECTED)
    assert found is not None
    assert found.startswith(why)
    assert found.endswith((PAGE.url, "http://one.test/nowhere"))


def test_what_the_server_saw_counts_too() -> None:
    url = PAGE.url
    one_less = {other: 1 for other in HITS if other != url}
    assert unclean(one_less, EXPECTED) == f"1 of 20 URLs were never asked for: {url}"
    assert unclean({**HITS, url: 2}, EXPECTED) == f"1 of 20 URLs were asked for more than once: {url}"
    stray = "http://one.test/robots.txt"
    assert unclean({**HITS, stray: 1}, EXPECTED) == f"1 of 20 URLs were asked for though nothing leads there: {stray}"


def audit(**changed: object) -> AuditReport:
    host = HostReport(20, 0, 0, 4, None, None, 4, 4, 1_000)
    clean = AuditReport(20, 4, 4, 1_000, HITS, {}, {}, {}, {}, {"http://one.test": host})
    return replace(clean, **changed)  # type: ignore[arg-type]  # which field is the test's business


def test_limits_are_the_servers_to_judge() -> None:
    assert impolite(audit(), 4) is None
    assert impolite(audit(), 3) == "4 requests at once to one host, 3 were allowed"
    assert impolite(audit(violations={PAGE.url: 1}), 4) == f"1 of 20 URLs robots.txt forbids: {PAGE.url}"
    early = impolite(audit(early={PAGE.url: 2}), 4)
    assert early == f"1 of 20 URLs were asked for before Retry-After was over: {PAGE.url}"
