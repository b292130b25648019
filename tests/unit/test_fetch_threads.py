"""What a fetch in a thread owes the loop: its slot back when nobody waits any more, and no thread after the end."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from crawler.exchange import FetchSettings
from crawler.fetch.blocking import BlockingClient
from crawler.fetch.call import Call
from crawler.fetch.dial import Address
from crawler.fetch.threads import ThreadsFetcher
from crawler.guard import Guard
from crawler.types import BodyRule, CrawlRequest, ErrorKind, Failed, Fetched
from tests.wire import Peer, WireServer, response

ANY = BodyRule(None, 1_000_000)
PATIENCE = 30.0
LOOPBACK = Guard(allow_private=["127.0.0.0/8"])


class Names:
    """A name server that counts, may be made to wait, and can fail; it says the same of every name."""

    def __init__(self, *addresses: str) -> None:
        self.answer: list[Address] = [(socket.AF_INET, address) for address in addresses]
        self.asked: list[str] = []
        self.asking = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, host: str) -> list[Address]:
        self.asked.append(host)
        self.asking.set()
        self.gate.wait(PATIENCE)
        if not self.answer:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return self.answer


@pytest.fixture
def server() -> Iterator[WireServer]:
    with WireServer() as running:
        running.pages["/"] = response(b"page")
        running.pages["/close"] = response(b"page", connection="close")
        yield running


@pytest.fixture
def deaf() -> Iterator[int]:
    """A port of 127.0.0.2 that answers to no attempt to connect: its queue is full."""
    with socket.create_server(("127.0.0.2", 0), backlog=0) as listener, contextlib.ExitStack() as stack:
        address = listener.getsockname()
        with contextlib.suppress(TimeoutError):
            while True:
                client = stack.enter_context(socket.socket())
                client.settimeout(0.2)
                client.connect(address)
        yield address[1]


@asynccontextmanager
async def opened(names: Names | None = None, **settings: Any) -> AsyncIterator[ThreadsFetcher]:
    found = FetchSettings("TestCrawler/1.0", **settings)
    async with ThreadsFetcher(found, LOOPBACK, resolver=names or Names("127.0.0.1")) as fetcher:
        yield fetcher


def fetch(fetcher: ThreadsFetcher, url: str) -> "asyncio.Task[Fetched | Failed]":
    return asyncio.ensure_future(fetcher.fetch(CrawlRequest(url, "x"), ANY))


async def body(fetcher: ThreadsFetcher, url: str) -> bytes | ErrorKind | None:
    async with asyncio.timeout(PATIENCE):
        result = await fetch(fetcher, url)
    return result.kind if isinstance(result, Failed) else result.body


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("fetch")]


# --- a fetch that nobody waits for gives back its thread


async def give_up(fetcher: ThreadsFetcher, url: str, begun: threading.Event, server: WireServer) -> None:
    """Cancel a fetch that has begun; the only thread there is must be free for the next one."""
    waiting = fetch(fetcher, url)
    await asyncio.to_thread(begun.wait, PATIENCE)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await body(fetcher, server.url + "/") == b"page"


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nX-", response(b"half", content_length="9")])
async def test_cancelled_while_it_waits_for_the_server(server: WireServer, said: bytes) -> None:
    begun = threading.Event()

    def page(peer: Peer) -> None:
        peer.send(said)
        begun.set()
        peer.hang()

    server.pages["/slow"] = page
    async with opened(concurrency=1) as fetcher:
        await give_up(fetcher, server.url + "/slow", begun, server)


async def test_cancelled_while_it_connects(server: WireServer, deaf: int) -> None:
    names = Names("127.0.0.2")
    async with opened(names, concurrency=1, connect_s=4 * PATIENCE, total_s=4 * PATIENCE) as fetcher:
        await give_up(fetcher, f"http://deaf.example:{deaf}/", names.asking, server)


async def test_cancelled_while_it_shakes_hands(server: WireServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        begun, silent = threading.Event(), threading.Thread(target=lambda: hear(listener, begun))
        silent.start()
        async with opened(concurrency=1, connect_s=4 * PATIENCE, total_s=4 * PATIENCE) as fetcher:
            await give_up(fetcher, f"https://127.0.0.1:{listener.getsockname()[1]}/", begun, server)
        silent.join()


def hear(listener: socket.socket, heard: threading.Event) -> None:
    """Let a client say hello, and say nothing until it goes."""
    with listener.accept()[0] as connection:
        while connection.recv(65536):
            heard.set()


async def test_cancelled_while_it_looks_up_a_name(server: WireServer) -> None:
    names = Names("127.0.0.1")
    names.gate.clear()
    async with opened(names, concurrency=1, connect_s=4 * PATIENCE, total_s=4 * PATIENCE) as fetcher:
        await give_up(fetcher, f"http://slow.example:{server.port}/", names.asking, server)
        names.gate.set()


async def test_cancelled_before_it_had_a_thread(server: WireServer) -> None:
    begun, released = threading.Event(), threading.Event()

    def page(peer: Peer) -> None:
        begun.set()
        released.wait(PATIENCE)
        peer.send(response(b"page"))

    server.pages["/slow"] = page
    server.pages["/never"] = response(b"never")
    async with opened(concurrency=1) as fetcher:
        first = fetch(fetcher, server.url + "/slow")
        await asyncio.to_thread(begun.wait, PATIENCE)
        second = fetch(fetcher, server.url + "/never")
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.wait([second])
        released.set()
        assert isinstance(await first, Fetched)
        assert await body(fetcher, server.url + "/") == b"page"
    assert server.requests == ["/slow", "/"]


def test_to_end_a_fetch_that_is_over_harms_no_other(server: WireServer) -> None:
    settings, request = FetchSettings("TestCrawler/1.0"), CrawlRequest(server.url + "/", "x")
    client = BlockingClient(settings, LOOPBACK, Names("127.0.0.1"))
    for _ in range(3):
        call = Call(settings)
        assert isinstance(client.fetch(request, ANY, call), Fetched)
        call.abort()
    client.close()
    assert server.connections == 1


# --- the end


async def test_no_thread_outlives_it(server: WireServer) -> None:
    async with opened(concurrency=4) as fetcher:
        await asyncio.gather(*(fetch(fetcher, server.url + "/") for _ in range(20)))
        assert 1 <= len(threads()) <= 4
        assert not any(thread.daemon for thread in threads())
    assert threads() == []


async def test_closing_ends_what_runs_and_what_waits(server: WireServer) -> None:
    begun = threading.Barrier(3, timeout=PATIENCE)

    def page(peer: Peer) -> None:
        if peer.number <= 2:  # one more may begin before the end reaches it
            begun.wait()
        peer.hang()

    server.pages["/slow"] = page
    async with opened(concurrency=2) as fetcher:
        fetches = [fetch(fetcher, server.url + "/slow") for _ in range(5)]
        await asyncio.to_thread(begun.wait)
        await fetcher.aclose()
        results = await asyncio.gather(*fetches)
    assert [result.kind for result in results if isinstance(result, Failed)] == [ErrorKind.RESET] * 5
    assert threads() == []


@pytest.mark.parametrize("half", [b"", b"half of"])
async def test_a_body_that_was_cut_by_closing_is_no_page(server: WireServer, half: bytes) -> None:
    begun = threading.Event()

    def page(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n" + half)
        begun.set()
        peer.hang()

    server.pages["/slow"] = page
    async with opened() as fetcher:
        reading = fetch(fetcher, server.url + "/slow")
        await asyncio.to_thread(begun.wait, PATIENCE)
        await fetcher.aclose()
        result = await reading
    assert isinstance(result, Failed)
    assert result.kind is ErrorKind.RESET


async def test_nothing_is_fetched_after_the_end(server: WireServer) -> None:
    async with opened() as fetcher:
        pass
    assert await body(fetcher, server.url + "/") is ErrorKind.INTERNAL
    assert server.requests == []


# --- idle connections


async def test_idle_connections_are_kept_for_their_time_only(server: WireServer) -> None:
    async with opened(keepalive_s=0.0) as fetcher:
        for _ in range(3):
            assert await body(fetcher, server.url + "/") == b"page"
    assert server.connections == 3


async def test_idle_connections_to_hosts_that_are_done_are_closed(server: WireServer) -> None:
    left = threading.Event()

    def page(peer: Peer) -> None:
        peer.send(response(b"page"))
        with contextlib.suppress(Exception):
            peer.hang()
        left.set()

    with WireServer() as other:
        other.pages["/"] = page
        async with opened(keepalive_s=0.0) as fetcher:
            assert await body(fetcher, other.url + "/") == b"page"
            assert await body(fetcher, server.url + "/") == b"page"
            assert await asyncio.to_thread(left.wait, PATIENCE)


# --- names and addresses


@pytest.mark.parametrize(("ttl", "asked"), [(300.0, 1), (0.0, 3)])
async def test_names_are_remembered_for_their_time(server: WireServer, ttl: float, asked: int) -> None:
    names = Names("127.0.0.1")
    async with opened(names, dns_ttl_s=ttl) as fetcher:
        for _ in range(3):
            assert await body(fetcher, f"http://a.example:{server.port}/close") == b"page"
    assert names.asked == ["a.example"] * asked


async def test_fetches_share_one_look_up(server: WireServer) -> None:
    names = Names("127.0.0.1")
    names.gate.clear()
    async with opened(names) as fetcher:
        fetches = [fetch(fetcher, f"http://a.example:{server.port}/close") for _ in range(10)]
        await asyncio.to_thread(names.asking.wait, PATIENCE)
        names.gate.set()
        assert all(isinstance(result, Fetched) for result in await asyncio.gather(*fetches))
    assert names.asked == ["a.example"]


async def test_a_name_that_failed_is_looked_up_again(server: WireServer) -> None:
    names = Names()
    async with opened(names) as fetcher:
        url = f"http://a.example:{server.port}/"
        result = await fetch(fetcher, url)
        assert isinstance(result, Failed)
        assert (result.kind, result.message) == (
            ErrorKind.DNS,
            "no address for a.example: Name or service not known",
        )
        names.answer = [(socket.AF_INET, "127.0.0.1")]
        assert await body(fetcher, url) == b"page"


async def test_a_name_server_that_is_silent_costs_no_more_than_connecting_may(server: WireServer) -> None:
    names = Names("127.0.0.1")
    names.gate.clear()
    async with opened(names, connect_s=0.2) as fetcher:
        result = await fetch(fetcher, f"http://a.example:{server.port}/")
        names.gate.set()
    assert isinstance(result, Failed)
    assert (result.kind, result.message) == (ErrorKind.TIMEOUT, "no connection within 0.2 s")


async def test_an_address_that_does_not_answer_leaves_time_for_the_next(deaf: int) -> None:
    with WireServer(port=deaf) as server:
        server.pages["/"] = response(b"page")
        async with opened(Names("127.0.0.2", "127.0.0.1"), connect_s=2.0) as fetcher:
            assert await body(fetcher, f"http://a.example:{deaf}/") == b"page"


async def test_no_address_answers_in_time(deaf: int) -> None:
    async with opened(connect_s=0.3) as fetcher:
        result = await fetch(fetcher, f"http://127.0.0.2:{deaf}/")
    assert isinstance(result, Failed)
    assert (result.kind, result.message) == (ErrorKind.TIMEOUT, "no connection within 0.3 s")
