"""A web in a process of its own: for benchmarks, which must not share an event loop with the server.

The child is ``python -m crawler.bench.site SPEC HOST PORT``. It prints its base URLs as one line of JSON when
it is ready, and ends when its standard input does: a pipe that the kernel closes with the parent, however the
parent ends.
"""

import urllib.request
from types import TracebackType
from typing import Self

from crawler.bench.children import server
from crawler.bench.site.audit import AuditReport
from crawler.bench.site.connection import AUDIT, RESET
from crawler.bench.site.spec import SiteSpec
from crawler.bench.site.truth import Truth

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class SiteProcess:
    """Serves a web while the ``with`` block lasts; the same questions as :class:`Site`, asked over HTTP."""

    def __init__(self, spec: SiteSpec, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.spec = spec
        self.base_urls: tuple[str, ...]
        self.truth: Truth
        self.pid: int
        """The process that serves."""
        self._server = server("the synthetic web", "crawler.bench.site", spec.to_json().decode(), host, str(port))

    def __enter__(self) -> Self:
        serving = self._server.__enter__()
        self.pid = serving.pid
        self.base_urls = tuple(serving.said)
        self.truth = Truth(self.spec, self.base_urls)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.__exit__(kind, error, trace)

    @property
    def seeds(self) -> tuple[str, ...]:
        """The home page of each host; the first leads to all the others."""
        return self.truth.seeds

    def audit(self) -> AuditReport:
        """What the server saw so far."""
        with _direct.open(self.base_urls[0] + AUDIT) as answer:
            return AuditReport.from_json(answer.read())

    def reset(self) -> None:
        """Start the audit anew, and with it every URL that answers differently the first time."""
        _direct.open(self.base_urls[0] + RESET, data=b"").close()
