"""No name, however it resolves, leads the threaded fetcher to an address that the guard refuses."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from crawler.exchange import FetchSettings
from crawler.fetch.dial import Address
from crawler.fetch.threads import ThreadsFetcher
from crawler.guard import Guard
from crawler.types import BodyRule, CrawlRequest, ErrorKind, Failed
from tests.wire import WireServer, response

ANY = BodyRule(None, 1_000_000)


class Names:
    """A name server that lies: each look-up of a name takes the next of its answers, the last one for ever."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self.answers = {f"{name}.example": rows for name, rows in answers.items()}
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, host: str) -> list[Address]:
        self.gate.wait()
        rows = self.answers[host]
        row = rows.pop(0) if len(rows) > 1 else rows[0]
        return [(socket.AF_INET, address) for address in row]


@pytest.fixture
def server() -> Iterator[WireServer]:
    with WireServer() as running:
        running.pages["/"] = response(b"page", connection="close")
        running.pages["/keep"] = response(b"page")
        yield running


@pytest.fixture
def secret(server: WireServer) -> Iterator[WireServer]:
    """A server that nobody may reach: at another loopback address, on the same port."""
    with WireServer(host="127.0.0.2", port=server.port) as running:
        running.pages["/"] = response(b"secret")
        yield running


@asynccontextmanager
async def opened(guard: Guard, names: Names) -> AsyncIterator[ThreadsFetcher]:
    settings = FetchSettings("TestCrawler/1.0", dns_ttl_s=0.0, connect_s=5.0)
    async with ThreadsFetcher(settings, guard, resolver=names) as fetcher:
        yield fetcher


async def outcome(fetcher: ThreadsFetcher, host: str, port: int, path: str = "/") -> bytes | ErrorKind | None:
    result = await fetcher.fetch(CrawlRequest(f"http://{host}:{port}{path}", host), ANY)
    return result.kind if isinstance(result, Failed) else result.body


async def test_a_name_that_leads_inside(server: WireServer) -> None:
    async with opened(Guard(), Names(evil=[["127.0.0.1"]])) as fetcher:
        assert await outcome(fetcher, "evil.example", server.port) is ErrorKind.ADDRESS_REFUSED
    assert server.connections == 0


async def test_a_name_that_changes_its_address(server: WireServer, secret: WireServer) -> None:
    names = Names(evil=[["127.0.0.1"], ["127.0.0.2"]])
    async with opened(Guard(allow_private=["127.0.0.1"]), names) as fetcher:
        assert await outcome(fetcher, "evil.example", server.port) == b"page"
        assert await outcome(fetcher, "evil.example", server.port) is ErrorKind.ADDRESS_REFUSED
    assert (server.connections, secret.connections) == (1, 0)


async def test_a_name_with_a_good_and_a_bad_address(server: WireServer, secret: WireServer) -> None:
    names = Names(evil=[["127.0.0.2", "127.0.0.1"], ["127.0.0.1", "127.0.0.2"]])
    async with opened(Guard(allow_private=["127.0.0.1"]), names) as fetcher:
        for _ in range(4):
            assert await outcome(fetcher, "evil.example", server.port) == b"page"
    assert (server.connections, secret.connections) == (4, 0)


async def test_the_bad_address_is_not_tried_where_the_good_one_fails(secret: WireServer) -> None:
    names = Names(evil=[["127.0.0.3", "127.0.0.2"]])
    async with opened(Guard(allow_private=["127.0.0.3"]), names) as fetcher:
        assert await outcome(fetcher, "evil.example", secret.port) is ErrorKind.CONNECT
    assert secret.connections == 0


@pytest.mark.parametrize("address", ["localhost", "127.1", "2130706433", "0x7f000001", "0"])
async def test_an_answer_that_is_no_address(server: WireServer, address: str) -> None:
    async with opened(Guard(allow_private=["127.0.0.1"]), Names(evil=[[address]])) as fetcher:
        assert await outcome(fetcher, "evil.example", server.port) is ErrorKind.ADDRESS_REFUSED
    assert server.connections == 0


async def test_consent_is_to_a_name_and_not_to_where_it_leads(server: WireServer) -> None:
    guard = Guard([f"seed.example:{server.port}"])
    async with opened(guard, Names(seed=[["127.0.0.1"]], evil=[["127.0.0.1"]])) as fetcher:
        for _ in range(2):  # the second time there is an idle connection to that very address
            assert await outcome(fetcher, "seed.example", server.port, "/keep") == b"page"
            assert await outcome(fetcher, "evil.example", server.port) is ErrorKind.ADDRESS_REFUSED
            assert await outcome(fetcher, "127.0.0.1", server.port) is ErrorKind.ADDRESS_REFUSED
    assert server.connections == 1


async def test_fetches_at_the_same_time_are_judged_each_by_its_own_name(server: WireServer) -> None:
    names = Names(seed=[["127.0.0.1"]], evil=[["127.0.0.1"]])
    names.gate.clear()
    async with opened(Guard([f"seed.example:{server.port}"]), names) as fetcher:
        hosts = ["seed.example", "evil.example"] * 10
        fetches = asyncio.gather(*(outcome(fetcher, host, server.port) for host in hosts))
        await asyncio.sleep(0)
        names.gate.set()
        assert await fetches == [b"page", ErrorKind.ADDRESS_REFUSED] * 10
    assert server.connections == 10


async def test_the_system_resolver(server: WireServer) -> None:
    settings = FetchSettings("TestCrawler/1.0")
    async with ThreadsFetcher(settings, Guard([f"localhost:{server.port}"])) as fetcher:
        assert await outcome(fetcher, "localhost", server.port) == b"page"
        for name in ("a..b", "a" * 64 + ".example"):
            assert await outcome(fetcher, name, server.port) is ErrorKind.DNS
