import asyncio
from pathlib import Path
from typing import Any

import orjson

from crawler.protocols import Sink
from crawler.sinks.jsonl import JsonlSink, encode
from tests.contract.sink_suite import SinkSuite, record


class TestJsonl(SinkSuite):
    def make(self, folder: Path) -> Sink:
        return JsonlSink("jsonl", folder / "pages.jsonl")

    def read(self, folder: Path) -> list[dict[str, Any]]:
        return [orjson.loads(line) for line in (folder / "pages.jsonl").read_bytes().splitlines()]

    def shorten(self, folder: Path) -> None:
        path = folder / "pages.jsonl"
        path.write_bytes(path.read_bytes()[:-10])


async def test_the_loop_has_its_turns_while_lines_are_made() -> None:
    loop, turns = asyncio.get_running_loop(), 0

    def turn() -> None:
        nonlocal turns
        turns += 1
        loop.call_soon(turn)

    loop.call_soon(turn)
    lines = await encode([record(n) for n in range(30_000)])
    assert turns > 50
    assert lines.count(b"\n") == 30_000
