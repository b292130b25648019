"""Where log lines go: JSON lines in the job's ``crawl.log``, short lines for a person on standard error."""

import logging
import sys
from datetime import UTC, datetime
from pathlib import Path

import orjson


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Format one record."""
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(entry).decode()


def set_up(level: str, log_file: Path | None) -> logging.Handler | None:
    """Send our loggers to the file at ``level``, and warnings to standard error; return the file's handler."""
    root = logging.getLogger()
    root.setLevel(level.upper())
    console = logging.StreamHandler(sys.stderr)
    console.setLevel(logging.ERROR)
    console.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    root.addHandler(console)
    if log_file is None:
        return None
    handler = logging.FileHandler(log_file, encoding="utf-8")
    handler.setFormatter(JsonFormatter())
    root.addHandler(handler)
    return handler


def tear_down(handler: logging.Handler | None) -> None:
    """Close what :func:`set_up` opened."""
    root = logging.getLogger()
    for each in [h for h in root.handlers if h is handler or type(h) is logging.StreamHandler]:
        root.removeHandler(each)
        each.close()
