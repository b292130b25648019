"""A synthetic web without sockets: aioresponses answers aiohttp within the process.

What then remains of a crawl is the client's own cost. Answers come at once, whatever latency the web has.

aioresponses 0.7.9 needs two repairs to work with aiohttp 3.14, to be deleted when a later release does: its responses
lack the argument ``stream_writer``, and the protocol of their streams has no parser, which aiohttp needs to pause a
large body. And it makes two ``Mock`` objects for each response, and has aiohttp note a traceback, which took as long as
the crawler itself: plain objects stand in for them.
"""

import asyncio
import contextlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from aiohttp import ClientConnectionError, ClientResponse, StreamReader
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from crawler.bench.site import SiteSpec, Truth
from crawler.bench.site.answers import Answers
from crawler.errors import ConfigError
from crawler.fetch.asking import Asking
from crawler.fetch.reply import Reply

try:
    from aioresponses import CallbackResult, aioresponses
except ImportError as missing:
    raise ConfigError(
        "--mock needs aioresponses, which is not installed: pip install 'tandem-crawler[bench]'"
    ) from missing

_ANY = re.compile(".*")
_WRITER = SimpleNamespace(output_size=0)


class _Response(ClientResponse):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "stream_writer": _WRITER, "loop": asyncio.get_running_loop()})


class _Parser:
    """The parser of a stream whose body is there already."""

    def feed_data(self, _: bytes) -> tuple[tuple[()], bool, bytes]:
        return (), False, b""

    def pause_reading(self) -> None:
        pass


def _stream(_: object) -> StreamReader:
    loop = asyncio.get_running_loop()
    protocol = ResponseHandler(loop=loop)
    protocol._parser = _Parser()  # type: ignore[assignment]  # noqa: SLF001 - see the module docstring
    return StreamReader(protocol, limit=2**16, loop=loop)


@contextlib.contextmanager
def table() -> Iterator[aioresponses]:
    """Answer aiohttp's requests, and those that we write on its connections, from a table, without any connection."""

    async def ask(_: Asking, url: str, headers: Mapping[str, str], reply: Reply) -> None:
        answer = await answers.match("GET", URL(url, encoded=True), allow_redirects=False, headers=dict(headers))
        if answer is None:
            raise ClientConnectionError(f"no answer in the table for {url}")
        more = reply.head(answer.status, answer.headers)
        while more and not answer.content.at_eof():
            more = reply.feed(await answer.content.readany())

    with (
        patch("aioresponses.core.ClientResponse", _Response),
        patch("aioresponses.core.stream_reader_factory", _stream),
        patch("aioresponses.core.Mock", SimpleNamespace),
        aioresponses() as answers,
        patch.object(Asking, "ask", ask),
    ):
        yield answers


def base_urls(spec: SiteSpec) -> tuple[str, ...]:
    """Name the hosts of a web that is nowhere: ``.test`` is reserved for that (RFC 6761 section 6.2)."""
    return tuple(f"http://host-{number}.test" for number in range(spec.hosts))


@contextlib.contextmanager
def answered(spec: SiteSpec) -> Iterator[Counter[str]]:
    """Answer for a web within this process; yields how often each of its URLs was asked for."""
    bases = base_urls(spec)
    answers, hits = Answers(Truth(spec, bases).plan, bases), Counter[str]()
    answers.prepare()

    def answer(url: URL, **_: Any) -> CallbackResult:
        hits[str(url)] += 1
        host, path = bases.index(str(url.origin())), url.raw_path_qs
        response = answers.answer(host, path).plain
        lines = response.head.decode("latin-1").split("\r\n")[1:]
        headers = dict(line.split(": ", 1) for line in lines if line)
        return CallbackResult(status=response.status, body=response.body, headers=headers)

    with table() as mocked:
        mocked.get(_ANY, callback=answer, repeat=True)
        yield hits
