"""Writing down what came out: the results, the report made of them, and the configuration that is recommended."""

from pathlib import Path
from typing import Any

import orjson

from crawler.bench.matrix.writing import REPORT, RESULTS
from crawler.bench.tune.page import report
from crawler.bench.tune.words import configuration

TUNED = "tuned.yaml"


def write(results: dict[str, Any], directory: Path) -> Path:
    """Write all three; return the report's path."""
    data = orjson.dumps(results, option=orjson.OPT_INDENT_2)
    (directory / RESULTS).write_bytes(data)
    (directory / TUNED).write_text(configuration(results), encoding="utf-8")
    target = directory / REPORT
    target.write_text(report(orjson.loads(data)), encoding="utf-8")
    return target
