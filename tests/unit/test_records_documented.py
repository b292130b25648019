"""docs/records.md names every key and every kind of error, and no other."""

import re
from pathlib import Path

from crawler.records import as_json
from crawler.types import CrawlRequest, ErrorKind, Outcome, Record

DOCUMENT = (Path(__file__).parents[2] / "docs" / "records.md").read_text(encoding="utf-8")


def test_every_key_is_documented() -> None:
    rows = DOCUMENT.partition("## ")[0].splitlines()
    named = {key for row in rows if row.startswith("| `") for key in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert named == set(as_json(Record(CrawlRequest("http://a.example/", "a.example"), Outcome.OK, 0.0)))


def test_every_kind_of_error_is_documented() -> None:
    rows = DOCUMENT.partition("## `error.kind`")[2].splitlines()
    named = {kind for row in rows if row.startswith("| ") for kind in re.findall(r"`(\w+)`", row.split("|")[2])}
    assert named == {str(kind) for kind in ErrorKind}
