"""One page for the analyzers that come with the stage, before there is a worker.

Libraries make much of what they need at their first page: expressions are compiled, tables unpacked. Done once in
the fork server, every worker has it from the start, and as one copy; done by each, it takes some milliseconds.
A user's analyzer is not rehearsed: what it does is nothing that may happen outside of a worker.
"""

import contextlib
from collections.abc import Iterable

from cpu_stage.loading import AnalyzerSpec, load
from cpu_stage.parse import ParseOptions, parse
from cpu_stage.types import Page

_PARAGRAPH = (
    "The lighthouse keeper wrote down the weather every morning, the ships that passed, and what the sea had brought. "
    "His notes, which fill forty volumes, are kept in the library of the harbour, where everybody may read them."
)
_HTML = f"""<!doctype html><html lang="en"><head><title>Notes</title><meta name="description" content="Notes">
<meta property="og:title" content="Notes"><script type="application/ld+json">{{"@type": "Article"}}</script></head>
<body><header><nav><a href="/">Home</a><a href="/volumes">Volumes</a></nav></header><main><article><h1>Notes</h1>
<p>{_PARAGRAPH}</p><h2>Volumes</h2><ul><li><a href="/1">One</a></li><li>Two</li></ul><p>{_PARAGRAPH}</p>
<blockquote>{_PARAGRAPH}</blockquote><table><tr><th>Year</th><td>1901</td></tr></table><p>{_PARAGRAPH}</p></article></main>
<footer><p>The library of the harbour</p></footer></body></html>"""


def rehearse(specs: Iterable[AnalyzerSpec], parser: str) -> None:
    """Have each analyzer read the page. What fails here fails in the workers too, and is said there."""
    with contextlib.suppress(Exception):
        page = sample(parser)
        for spec in specs:
            with contextlib.suppress(Exception):
                load(spec).call(page)


def sample(parser: str) -> Page:
    """Return the page: an article with what analyzers look for."""
    return parse("http://localhost/", "text/html; charset=utf-8", _HTML.encode(), ParseOptions(parser=parser))
