"""A server's time is its own: what our loop was late by is not in it."""

import asyncio
import sys
import threading
import time

import pytest

from crawler.exchange import FetchSettings
from crawler.fetch.aio import AioFetcher
from crawler.guard import Guard
from crawler.types import BodyRule, CrawlRequest, Fetched
from tests.wire import Peer, WireServer, response

RULE = BodyRule(frozenset({"text/html"}), 4 * 1024 * 1024)
TICKS_S = 0.02
"""Two ticks of the slowest kernel: it counts in them, and one is left to the server, lest it had no time at all."""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells when an answer arrived")
@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
async def test_an_answer_that_waits_for_our_loop_is_not_late(*, tls: bool) -> None:
    asked, moments = threading.Event(), list[float]()
    asyncio.get_running_loop().slow_callback_duration = 10.0  # the loop is held up on purpose

    def answer(peer: Peer) -> None:
        moments.append(time.perf_counter())
        asked.set()
        time.sleep(0.1)
        peer.send(response(b"page"))
        moments.append(time.perf_counter())

    with WireServer(tls=tls) as server:
        server.pages["/"] = answer
        host = f"127.0.0.1:{server.port}"
        settings = FetchSettings("tandem", verify_tls=False)
        async with AioFetcher(settings, Guard([host], ())) as fetcher:
            fetching = asyncio.ensure_future(fetcher.fetch(CrawlRequest(f"{server.url}/", host), RULE))
            await asyncio.to_thread(asked.wait)
            time.sleep(0.5)  # noqa: ASYNC251 - this is the lag
            free = time.perf_counter()
            result = await fetching
    assert isinstance(result, Fetched), result
    received, sent = moments
    assert result.total_s - result.ttfb_s >= free - sent - TICKS_S
    assert result.ttfb_s >= sent - received - TICKS_S
