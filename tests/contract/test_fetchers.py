"""The fetcher suite, bound to each backend."""

from crawler.exchange import FetchSettings
from crawler.fetch.aio import AioFetcher
from crawler.fetch.threads import ThreadsFetcher
from crawler.guard import Guard
from crawler.protocols import Fetcher
from tests.contract.fetcher_suite import FetcherSuite, server

__all__ = ["server"]  # the suite's fixture


class TestAioFetcher(FetcherSuite):
    def make(self, settings: FetchSettings, guard: Guard) -> Fetcher:
        return AioFetcher(settings, guard)


class TestThreadsFetcher(FetcherSuite):
    def make(self, settings: FetchSettings, guard: Guard) -> Fetcher:
        return ThreadsFetcher(settings, guard)
