"""What a correct crawl finds: computed from the web's ground truth, page by page, without a crawler or a network."""

import functools
import operator
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from cpu_stage.analyze import run
from cpu_stage.loading import AnalyzerSpec, check, load
from cpu_stage.parse import ParseOptions, parse
from cpu_stage.types import Needs
from crawler.bench.site import Rules, Truth
from crawler.bench.site.answers import Answers
from crawler.bench.work import Visited, body_digest, digest

_HTML = "text/html; charset=utf-8"


def reference(truth: Truth, analyzers: Sequence[AnalyzerSpec], parser: str) -> dict[str, Visited]:
    """Return what is to be found at each URL that can be reached from the seeds, robots.txt or not."""
    return {visited.url: visited for visited in _visits(truth, analyzers, parser)}


def _visits(truth: Truth, specs: Sequence[AnalyzerSpec], parser: str) -> Iterator[Visited]:
    needs = functools.reduce(operator.or_, map(check, specs), Needs.NOTHING)
    options, analyzers = ParseOptions(needs=needs, parser=parser), [load(spec) for spec in specs]
    bodies = _bodies(truth)
    for url, body in bodies.items():
        if body is None:
            yield Visited(url, truth[url].status)
            continue
        analysis = run(analyzers, parse(url, _HTML, body, options), "")
        yield Visited(url, 200, body_digest(body), digest(analysis.values))


def _bodies(truth: Truth) -> Mapping[str, bytes | None]:
    """Return the body of each page; None where there is none to be analysed."""
    answers = Answers(truth.plan, truth.base_urls)
    hosts = {urlsplit(base).netloc: number for number, base in enumerate(truth.base_urls)}
    found = {}
    for url in truth.reachable(Rules(obey_robots=False)):
        parts, page = urlsplit(url), truth[url].content_type == "text/html"
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        found[url] = answers.answer(hosts[parts.netloc], path).plain.body if page else None
    return found
