"""Where log lines go: JSON lines in the job's ``crawl.log``, short lines for a person on standard error."""

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path

import orjson

from crawler.display import harmless, harmless_json


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
        return harmless_json(orjson.dumps(entry)).decode()


class PlainFormatter(logging.Formatter):
    """Level and message, as a terminal may show them."""

    def format(self, record: logging.LogRecord) -> str:
        """Format one record."""
        return harmless(super().format(record))


class LogFile(logging.FileHandler):
    """Appends to a file of this user's alone. Where the disk is full it ends: the crawl has words of its own."""

    def _open(self) -> TextIOWrapper:
        path = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return os.fdopen(path, "a", encoding=self.encoding)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say nothing."""

    def close(self) -> None:
        """Close the file, with or without its last lines."""
        with contextlib.suppress(OSError):
            super().close()


@contextlib.contextmanager
def logging_to(level: str, log_file: Path | None) -> Iterator[None]:
    """Send our loggers to the file at ``level``, and errors to standard error, until the block ends."""
    root = logging.getLogger()
    root.setLevel(level.upper())
    console = logging.StreamHandler(sys.stderr)
    console.setLevel(logging.ERROR)
    console.setFormatter(PlainFormatter("%(levelname)s: %(message)s"))
    handlers: list[logging.Handler] = [console]
    if log_file is not None:
        handlers.append(LogFile(log_file, encoding="utf-8"))
        handlers[-1].setFormatter(JsonFormatter())
    for handler in handlers:
        root.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()
