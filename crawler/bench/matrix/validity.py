"""Whether a run counts: it must have found what there is, all of it, and asked its server for nothing else."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from crawler.bench.site import AuditReport
from crawler.bench.work import Visited


def fault(visited: Sequence[Visited], expected: Mapping[str, Visited]) -> str | None:
    """Say what is wrong with the results of a run; None: they are those of the reference."""
    counts = Counter(each.url for each in visited)
    found = {each.url: each for each in visited}
    both = found.keys() & expected.keys()
    checks = {
        "were not found": expected.keys() - found.keys(),
        "are no pages of this web": found.keys() - expected.keys(),
        "have more than one result": {url for url, count in counts.items() if count > 1},
        "have another status": {url for url in both if found[url].status != expected[url].status},
        "have another body": {url for url in both if found[url].body != expected[url].body},
        "have another analysis": {url for url in both if found[url].analysis != expected[url].analysis},
    }
    return _first(checks, len(expected))


def unclean(hits: Mapping[str, int], expected: Collection[str]) -> str | None:
    """Say what is wrong with what the server was asked for; None: every URL once, and nothing else."""
    wanted = set(expected)
    checks = {
        "were never asked for": wanted - hits.keys(),
        "were asked for though nothing leads there": hits.keys() - wanted,
        "were asked for more than once": {url for url, count in hits.items() if count > 1},
    }
    return _first(checks, len(wanted))


def impolite(audit: AuditReport, concurrency: int) -> str | None:
    """Say which limit the server saw broken."""
    checks = {
        "robots.txt forbids": audit.violations.keys(),
        "were asked for before Retry-After was over": audit.early.keys(),
    }
    most = max(host.peak_concurrency for host in audit.hosts.values())
    if most > concurrency:
        return f"{most} requests at once to one host, {concurrency} were allowed"
    return _first({what: set(urls) for what, urls in checks.items()}, len(audit.hits))


def _first(checks: Mapping[str, Collection[str]], of: int) -> str | None:
    for what, urls in checks.items():
        if urls:
            return f"{len(urls)} of {of} URLs {what}: {min(urls)}"
    return None
