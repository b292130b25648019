"""A validation error as one line: where the value was written, which key, what would be accepted."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import ErrorDetails

from crawler.config.base import CONFLICT
from crawler.config.document import Path, Place, dotted, problem
from crawler.config.entries import AnalyzerEntry, JsonlOptions, SinkEntry
from crawler.config.models import HIDDEN
from crawler.config.settings import Setting, unknown_key

_MAX_SHOWN = 60

_ITEM_KEYS = {
    ("analyzers",): [field.alias or name for name, field in AnalyzerEntry.model_fields.items()],
    ("sinks",): list(SinkEntry.model_fields),
    ("sinks", "options"): list(JsonlOptions.model_fields),
}

_EXPECTED: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "value_error": lambda context: str(context["error"]),
    "int_type": lambda _: "expected a whole number",
    "bool_type": lambda _: "expected true or false",
    "string_type": lambda _: "expected text (a number needs quotes)",
    "string_unicode": lambda _: "expected UTF-8 text",
    "tuple_type": lambda _: "expected a list such as [a, b]",
    "dict_type": lambda _: "expected a mapping such as {key: value}",
    "mapping_type": lambda _: "expected a mapping such as {key: value}",
    "model_type": lambda _: "expected a mapping such as {key: value}",
    "literal_error": lambda context: f"expected {context['expected']}",
    "greater_than": lambda context: f"expected more than {context['gt']:g}",
    "greater_than_equal": lambda context: f"expected at least {context['ge']}",
    "less_than_equal": lambda context: f"expected at most {context['le']}",
    "missing": lambda _: "is missing; expected a value",
}


def describe_error(error: ErrorDetails, settings: Mapping[str, Setting]) -> str:
    """Return the line for one error of pydantic's."""
    path, context = error["loc"], error.get("ctx", {})
    place = _place(path, settings)
    if place is None and error["type"] == CONFLICT:
        place = _place((*path[:-1], context["other"]), settings)
    return problem(place or Place("default"), path, _message(error, path, context))


def _place(path: Path, settings: Mapping[str, Setting]) -> Place | None:
    """Return where the value was written; None where it is the default."""
    for end in range(len(path), 0, -1):
        setting = settings.get(dotted(path[:end]))
        if setting is not None:
            return setting.place(path[end:])
    return None


def _message(error: ErrorDetails, path: Path, context: Mapping[str, Any]) -> str:
    kind = error["type"]
    if kind == CONFLICT:
        return str(context["message"])
    if kind == "extra_forbidden":
        names = tuple(str(part) for part in path[:-1] if not isinstance(part, int))
        return unknown_key(path, _ITEM_KEYS[names])
    expected = _EXPECTED[kind](context) if kind in _EXPECTED else error["msg"]
    if kind == "missing" or path[: len(HIDDEN)] == HIDDEN:
        return expected
    return f"{expected}, got {_shown(error['input'])}"


def _shown(value: object) -> str:
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 3]}..."
