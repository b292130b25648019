from pathlib import Path
from typing import Any

import orjson

from crawler.protocols import Sink
from crawler.sinks.jsonl import JsonlSink
from tests.contract.sink_suite import SinkSuite


class TestJsonl(SinkSuite):
    def make(self, folder: Path) -> Sink:
        return JsonlSink("jsonl", folder / "pages.jsonl")

    def read(self, folder: Path) -> list[dict[str, Any]]:
        return [orjson.loads(line) for line in (folder / "pages.jsonl").read_bytes().splitlines()]

    def shorten(self, folder: Path) -> None:
        path = folder / "pages.jsonl"
        path.write_bytes(path.read_bytes()[:-10])
