"""Writing down what came out."""

from pathlib import Path
from typing import Any

import orjson

RESULTS = "results.json"


def write(results: dict[str, Any], directory: Path) -> Path:
    """Write ``results.json``; return its path."""
    directory.mkdir(parents=True, exist_ok=True)
    target = directory / RESULTS
    target.write_bytes(orjson.dumps(results, option=orjson.OPT_INDENT_2))
    return target
