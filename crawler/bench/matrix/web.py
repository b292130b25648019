"""The web that the cells of a block crawl: served by a process, or answered within each cell's."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from crawler.bench.matrix.orders import Outcome
from crawler.bench.matrix.validity import impolite, unclean
from crawler.bench.site import SiteProcess, SiteSpec, Truth
from crawler.bench.work import Visited


class Web:
    """What is asked of a web, wherever it is; ``site`` None: within each cell's process."""

    def __init__(self, truth: Truth, site: SiteProcess | None) -> None:
        self.truth = truth
        self._site = site

    @property
    def within(self) -> SiteSpec | None:
        """The web that a cell is to answer itself."""
        return None if self._site else self.truth.plan.spec

    def reset(self) -> None:
        """Start the audit anew."""
        if self._site:
            self._site.reset()

    def complaint(self, outcome: Outcome, expected: Mapping[str, Visited], concurrency: int) -> str | None:
        """Say what the server holds against a run that has just ended; None: nothing."""
        if self._site is None:
            return unclean(outcome.hits or {}, expected)
        audit = self._site.audit()
        return unclean(audit.hits, expected) or impolite(audit, concurrency)


@contextmanager
def served(spec: SiteSpec, *, mock: bool) -> Iterator[Web]:
    """Serve a web while the block lasts; ``mock``: without sockets, by aioresponses.

    Raises:
        ConfigError: aioresponses is not installed.
    """
    if mock:
        from crawler.bench.mocked import base_urls  # noqa: PLC0415 - aioresponses is an extra

        yield Web(Truth(spec, base_urls(spec)), None)
        return
    with SiteProcess(spec) as site:
        yield Web(site.truth, site)
