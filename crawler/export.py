"""A job's records in other formats."""

import csv
import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from crawler.display import harmless, harmless_json
from crawler.errors import JobError
from crawler.job import LEDGER, PAGES, replacing

_COLUMNS = (
    *("url", "final_url", "outcome", "status", "error", "depth", "parent", "attempts", "fetched_at"),
    *("ttfb_ms", "elapsed_ms", "content_type", "bytes", "wire_bytes", "sha256", "title", "language", "links"),
)
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def export_job(job: Path, form: str, output: str) -> None:
    """Write the records of ``job`` as ``form`` to a file, or to standard output for ``-``.

    A file is replaced when the export is complete, so an error leaves the old one.

    Raises:
        JobError: there is no job, its records are damaged, or the output cannot be written.
    """
    source = job / PAGES
    if not (job / LEDGER).is_file():
        raise JobError(f"{job}: no job here ({LEDGER} is missing)")
    if not source.is_file():
        raise JobError(f"{job}: no {PAGES} here; a crawl writes it unless sinks: says otherwise")
    if Path(output).resolve() == source.resolve():
        raise JobError(f"{output}: is the job's own file; name another")
    try:
        if output == "-":
            _FORMATS[form](_records(source), sys.stdout.buffer)
        else:
            with replacing(Path(output)) as file:
                _FORMATS[form](_records(source), file)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has seen enough
    except OSError as error:
        raise JobError(f"{output}: cannot be written: {error.strerror}") from error


def _records(source: Path) -> Iterator[dict[str, Any]]:
    """Read the whole lines; a last one without its end belongs to a crawl that is still writing it."""
    with source.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.endswith(b"\n"):
                yield _record(line, f"{source}:{number}")


def _record(line: bytes, place: str) -> dict[str, Any]:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise JobError(f"{place}: is no JSON, so no record of a crawl") from error
    if not isinstance(record, dict) or "url" not in record:
        raise JobError(f"{place}: is no record of a crawl")
    return record


def _write_jsonl(records: Iterator[dict[str, Any]], file: BinaryIO) -> None:
    file.writelines(harmless_json(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)) for record in records)


def _write_urls(records: Iterator[dict[str, Any]], file: BinaryIO) -> None:
    file.writelines(record["url"].encode() + b"\n" for record in records)


def _write_csv(records: Iterator[dict[str, Any]], file: BinaryIO) -> None:
    """Write the flat part of the records; analyses stay in JSON Lines, where they have their shape."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for record in records:
        writer.writerow([_cell(record.get(column)) for column in _COLUMNS])
    text.detach()


def _cell(value: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    if isinstance(value, dict):
        value = value.get("kind")
    if not isinstance(value, str):
        return value
    return harmless(f"'{value}" if value.startswith(_FORMULA_STARTS) else value)


_FORMATS: dict[str, Callable[[Iterator[dict[str, Any]], BinaryIO], None]] = {
    "jsonl": _write_jsonl,
    "csv": _write_csv,
    "urls": _write_urls,
}
