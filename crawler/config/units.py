"""Sizes and durations as people write them: ``8MiB``, ``500ms``; bytes and seconds inside."""

import math
import re
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

_TEXT = re.compile(r"(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?) ?([A-Za-z]*)", re.ASCII)
_BINARY = {"TiB": 2**40, "GiB": 2**30, "MiB": 2**20, "KiB": 2**10}
_BYTES = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, **_BINARY}
_SECONDS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_MAX_BYTES = 2**53  # up to here a float is exact, in JSON readers too
_MAX_SECONDS = 1e9  # event loops overflow far above


def parse_size(value: object) -> int:
    """Return bytes; ValueError says what a size looks like. 1 KB is 1000 bytes, 1 KiB is 1024."""
    number = _number(value, _BYTES)
    if number is None or not 0 <= number <= _MAX_BYTES or (isinstance(value, float) and value % 1):
        raise ValueError("expected a size such as 8MiB, 512KiB, 1GB or a number of bytes")
    return round(number)


def format_size(count: int) -> str | int:
    """Return the shortest form that :func:`parse_size` reads back as the same bytes."""
    for unit, factor in _BINARY.items():
        if count and count % factor == 0:
            return f"{count // factor}{unit}"
    return count


def parse_duration(value: object) -> float:
    """Return seconds; ValueError says what a duration looks like."""
    number = _number(value, _SECONDS)
    if number is None or not 0 <= number <= _MAX_SECONDS:
        raise ValueError("expected a duration such as 500ms, 10s, 5m, 2h or a number of seconds")
    return number


def format_duration(seconds: float) -> str:
    """Return the seconds as :func:`parse_duration` reads them back."""
    return f"{int(seconds)}s" if seconds % 1 == 0 else f"{seconds!r}s"


def _number(value: object, units: dict[str, float] | dict[str, int]) -> float | None:
    """Return a number, or a text with one of the units, as a number of the base unit; None: neither."""
    if isinstance(value, str):
        match = _TEXT.fullmatch(value)
        factor = units.get(match[2]) if match else None
        return None if match is None or factor is None else float(match[1]) * factor
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if isinstance(value, int) or math.isfinite(value) else None


def _schema(units: dict[str, float] | dict[str, int]) -> WithJsonSchema:
    names = "|".join(unit for unit in units if unit)
    pattern = rf"^\d+(\.\d+)?([eE][+-]?\d+)? ?({names})?$"
    return WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": pattern}]})


Size: TypeAlias = Annotated[
    int,
    Field(ge=1),
    BeforeValidator(parse_size),
    PlainSerializer(format_size, when_used="json"),
    _schema(_BYTES),
]
"""A number of bytes, at least one."""

Duration: TypeAlias = Annotated[
    float,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, when_used="json"),
    _schema(_SECONDS),
]
"""A number of seconds, perhaps none."""

PositiveDuration: TypeAlias = Annotated[Duration, Field(gt=0)]
"""A number of seconds that is not zero."""
