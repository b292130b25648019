"""Writing down what came out."""

from pathlib import Path
from typing import Any

import orjson

from crawler.bench.matrix.page import report
from crawler.errors import ConfigError

RESULTS, REPORT = "results.json", "report.html"


def prepare(directory: Path) -> None:
    """Make the directory, before anything is measured for it.

    Raises:
        ConfigError: it cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / RESULTS).touch()
    except OSError as error:
        raise ConfigError(f"{directory}: cannot be written: {error.strerror}") from error


def write(results: dict[str, Any], directory: Path) -> Path:
    """Write ``results.json`` and the report made of it; return the report's path."""
    data = orjson.dumps(results, option=orjson.OPT_INDENT_2)
    (directory / RESULTS).write_bytes(data)
    target = directory / REPORT
    target.write_text(report(orjson.loads(data)), encoding="utf-8")
    return target
