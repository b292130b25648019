"""Run the analyzers on one page: whatever they do, what comes back is plain JSON data."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from cpu_stage.loading import LoadedAnalyzer
from cpu_stage.types import Analysis, AnalysisError, AnalysisErrorKind, Json, Page

Begin: TypeAlias = Callable[[int, Mapping[str, Mapping[str, Json]]], None]

_MESSAGE = 300
_DEPTH = 50
_PATH = 60


def run(analyzers: Sequence[LoadedAnalyzer], page: Page, worker: str, begin: Begin | None = None) -> Analysis:
    """Run every analyzer; only Ctrl-C passes through.

    ``begin(n, values)`` is called before the n-th, with what there is by then.

    ``cpu_s`` is the thread's CPU time, so that a worker thread is not charged for its neighbours.
    """
    if not analyzers:
        return Analysis(page.url, {}, {}, 0.0, worker)
    values: dict[str, Mapping[str, Json]] = {}
    errors: dict[str, AnalysisError] = {}
    start = time.thread_time()
    for n, analyzer in enumerate(analyzers):
        if begin:
            begin(n, values)
        try:
            values[analyzer.name] = _mapping(analyzer.call(page))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - sys.exit() in an analyzer must not end a worker
            errors[analyzer.name] = describe(error)
    return Analysis(page.url, values, errors, time.thread_time() - start, worker)


def describe(error: BaseException) -> AnalysisError:
    """Put an exception into one line: the exception itself may be one that cannot leave this process."""
    kind = AnalysisErrorKind.MEMORY if isinstance(error, MemoryError) else AnalysisErrorKind.EXCEPTION
    try:
        text = str(error)
    except BaseException:  # noqa: BLE001 - a user's exception may fail to describe itself, and even exit
        text = ""
    message = " ".join(f"{type(error).__name__}: {text}".split())[:_MESSAGE]
    return AnalysisError(kind, message.encode("utf-8", "replace").decode())


def _mapping(value: object) -> Mapping[str, Json]:
    if not isinstance(value, Mapping):
        raise TypeError(f"returned {type(value).__name__}; a dict is expected")
    return {_key(key, ""): _plain(each, str(key), 0) for key, each in value.items()}


def _key(key: object, where: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"key {key!r}{where and ' in ' + where} is not a string")
    return _text(key)


def _text(value: str) -> str:
    """Return plain text, ``?`` for a lone surrogate: it cannot be written as UTF-8."""
    return str.__str__(value) if value.isascii() else value.encode("utf-8", "replace").decode()


def _plain(value: object, where: str, depth: int) -> Json:
    """Return a copy made of JSON types alone, so that it can be pickled and written."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        if abs(value) >= 2**63:
            raise ValueError(f"{where}: an integer beyond 64 bits")
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{where}: {value} is not a JSON number")
        return float(value)
    if depth >= _DEPTH:
        raise ValueError(f"{where[:_PATH]}...: nested deeper than {_DEPTH}")
    if isinstance(value, Mapping):
        return {_key(key, where): _plain(each, f"{where}.{key}", depth + 1) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each, f"{where}[{n}]", depth + 1) for n, each in enumerate(value)]
    raise TypeError(f"{where}: {type(value).__name__} is not a JSON type")
