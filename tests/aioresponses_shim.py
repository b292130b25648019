"""aioresponses 0.7.9 made to work with aiohttp 3.14; to be deleted when a later release does.

Its responses lack the argument ``stream_writer``, and the protocol of their streams has no parser, which
aiohttp needs to pause a large body.
"""

from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest
from aiohttp import ClientResponse, StreamReader
from aiohttp.client_proto import ResponseHandler
from aioresponses import aioresponses


class _Response(ClientResponse):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("stream_writer", Mock(output_size=0))
        super().__init__(*args, **kwargs)


def _stream(loop: Any = None) -> StreamReader:
    protocol = ResponseHandler(loop=loop)
    protocol._parser = Mock(feed_data=Mock(return_value=((), False, b"")))
    return StreamReader(protocol, limit=2**16, loop=loop)


@pytest.fixture
def mocked(monkeypatch: pytest.MonkeyPatch) -> Iterator[aioresponses]:
    """Answer aiohttp's requests from a table, without any connection."""
    monkeypatch.setattr("aioresponses.core.ClientResponse", _Response)
    monkeypatch.setattr("aioresponses.core.stream_reader_factory", _stream)
    with aioresponses() as table:
        yield table
