"""A record as users read it: the one place that knows the keys of ``pages.jsonl``."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cpu_stage.types import Analysis
from crawler.types import Fetched, Record

_PIECE = 2047
"""Bytes; from 2,048 on hashlib lets other threads run meanwhile."""

_EMPTY_FETCH: Mapping[str, Any] = {
    "final_url": None,
    "status": None,
    "ttfb_ms": None,
    "elapsed_ms": None,
    "content_type": None,
    "bytes": None,
    "wire_bytes": None,
    "sha256": None,
}


def as_json(record: Record) -> dict[str, Any]:
    """Return the record as plain JSON values, keys in the documented order.

    Names of enumerations are made plain ones: orjson takes 5 µs to find out what one of them stands for.
    """
    request, error, page = record.request, record.error, record.page
    fetch = _fetch_fields(record.fetched, record.sha256) if record.fetched else _EMPTY_FETCH
    return {
        "url": request.url,
        "final_url": fetch["final_url"],
        "outcome": str(record.outcome),
        "status": fetch["status"],
        "error": {"kind": str(error.kind), "message": error.message} if error else None,
        "depth": request.depth,
        "parent": request.parent,
        "attempts": request.attempt,
        "redirects": list(request.redirects),
        "fetched_at": datetime.fromtimestamp(record.at, UTC).isoformat(timespec="milliseconds"),
        "ttfb_ms": fetch["ttfb_ms"],
        "elapsed_ms": fetch["elapsed_ms"],
        "content_type": fetch["content_type"],
        "charset": (page.charset or None) if page else None,
        "bytes": fetch["bytes"],
        "wire_bytes": fetch["wire_bytes"],
        "sha256": fetch["sha256"],
        "canonical": page.meta.get("canonical") if page else None,
        "near_duplicate_of": record.near_duplicate_of,
        "title": page.title if page else None,
        "language": _language(record),
        "links": len(page.links) if page else 0,
        **_analysis_fields(record.analysis),
    }


def _fetch_fields(fetched: Fetched, sha256: str | None) -> Mapping[str, Any]:
    body = fetched.body
    return {
        "final_url": fetched.final_url,
        "status": fetched.status,
        "ttfb_ms": round(fetched.ttfb_s * 1e3, 2),
        "elapsed_ms": round(fetched.total_s * 1e3, 2),
        "content_type": fetched.headers.get("content-type"),
        "bytes": None if body is None else len(body),
        "wire_bytes": fetched.wire_bytes,
        "sha256": sha256 or (None if body is None else _sha256(body)),
    }


def _sha256(body: bytes) -> str:
    """Return the digest of a body, made in pieces so small that hashlib does not give up the interpreter's lock.

    The event loop, which makes the records, would have to win it back from other threads, at every record.
    """
    digest, view = hashlib.sha256(), memoryview(body)
    for start in range(0, len(body), _PIECE):
        digest.update(view[start : start + _PIECE])
    return digest.hexdigest()


def _language(record: Record) -> str | None:
    """Return the language that an analyzer found, or else the one that the page claims."""
    if record.analysis:
        found = record.analysis.values.get("language", {}).get("code")
        if isinstance(found, str):
            return found
    return record.page.meta.get("language") if record.page else None


def _analysis_fields(analysis: Analysis | None) -> Mapping[str, Any]:
    if analysis is None:
        return {"analysis": {}, "analysis_error": None}
    errors = {name: {"kind": str(e.kind), "message": e.message} for name, e in analysis.errors.items()}
    return {"analysis": dict(analysis.values), "analysis_error": errors or None}
