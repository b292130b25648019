"""A fixture: aiohttp's requests answered from a table."""

from collections.abc import Iterator

import pytest
from aioresponses import aioresponses

from crawler.bench.mocked import table


@pytest.fixture
def mocked() -> Iterator[aioresponses]:
    """Answer aiohttp's requests from a table, without any connection."""
    with table() as answers:
        yield answers
