"""A synthetic web on loopback with ground truth: what tests, the demo and the benchmarks crawl.

It follows from one seed: the same :class:`SiteSpec` gives the same pages, links, errors and latencies. As
nothing in it is left to chance, :class:`Truth` knows what a correct crawl finds; as the server counts what it is
asked for, :class:`AuditReport` knows how politely the crawler went about it::

    async with serve(SiteSpec(pages=500, forbidden=0.05)) as site:
        await crawl(site.seeds)
        audit = site.audit()
    assert site.truth.fetched() <= set(audit.hits)
    assert not audit.violations and not audit.strays

``serve`` runs on the caller's event loop (tests), :class:`SiteProcess` in a process of its own (benchmarks),
``run_forever`` until Ctrl-C (the command line). ``GET /__audit__`` on any host gives the audit as JSON,
``POST /__reset__`` starts it anew.
"""

from crawler.bench.site.audit import AuditReport, HostReport
from crawler.bench.site.process import SiteProcess
from crawler.bench.site.server import Site, run_forever, serve
from crawler.bench.site.spec import LANGUAGES, ROUGH, Kind, SiteSpec
from crawler.bench.site.truth import POLITE, Resource, Rules, Truth

__all__ = [
    "LANGUAGES",
    "POLITE",
    "ROUGH",
    "AuditReport",
    "HostReport",
    "Kind",
    "Resource",
    "Rules",
    "Site",
    "SiteProcess",
    "SiteSpec",
    "Truth",
    "run_forever",
    "serve",
]
