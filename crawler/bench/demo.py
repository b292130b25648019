"""``crawler demo``: the whole of it in one command, on a web of our own with some of every trouble."""

import dataclasses
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from crawler.bench.site import ROUGH, AuditReport, SiteProcess
from crawler.config import load
from crawler.job import PAGES
from crawler.session import Order, crawl

WEB = dataclasses.replace(ROUGH, pages=300, hosts=4, latency="lognormal:0.02,0.6")
"""Small enough for a few seconds; slow enough that requests overlap."""

_SETTINGS = {"politeness.delay": 0, "fetch.per_host": 8, "fetch.backoff": 0.2}
"""A web on this machine needs no mercy; everything else is as in any crawl."""


def demo(job: Path, sets: Sequence[str]) -> int:
    """Serve the web, crawl it, and say what its server saw; return the crawl's exit code."""
    with SiteProcess(WEB) as site:
        click.echo(
            f"a synthetic web of {WEB.pages} URLs on {WEB.hosts} hosts, with errors, redirects and robots.txt", err=True
        )
        loaded = load([], os.environ, list(sets), {"seeds": list(site.seeds), **_SETTINGS})
        code = crawl(Order(loaded, job, None, fresh=True))
        click.echo("\n".join(_verdict(site.audit(), 8)))
    click.echo(f"  records    {job / PAGES}")
    return code


def _verdict(audit: AuditReport, per_host: int) -> Iterator[str]:
    """Say what the server counted: a crawler's own figures prove nothing about its manners."""
    hosts = audit.hosts.values()
    before, peak = sum(host.before_robots for host in hosts), max(host.peak_concurrency for host in hosts)
    yield "what the server saw"
    yield f"  requests   {audit.requests:,} on {audit.connections:,} connections"
    yield f"  robots.txt {len(audit.violations)} violations, {before} requests before it was read"
    yield f"  manners    at most {peak} at once to a host (limit {per_host}), {len(audit.early)} before Retry-After"
