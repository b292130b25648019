"""Documents, which nest as people write them, as flat settings: one for each key of the models.

A key's value is replaced whole by a source that counts more; only sections are merged. So there is one rule to
know, and each key has exactly one origin.
"""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel

from cpu_stage.types import Json
from crawler.config.document import Document, Path, Place, dotted, problem
from crawler.config.models import Config

_NAMES = {str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list"}


@dataclass(frozen=True, slots=True)
class Setting:
    """The value that a document gives a key."""

    value: Json
    document: Document
    path: Path

    def place(self, inner: Path = ()) -> Place:
        """Return where it was written, or a part of it."""
        return self.document.place((*self.path, *inner))


@dataclass(slots=True)
class Collector:
    """The settings of all documents so far, by dotted key, and the problems met; a later document wins."""

    settings: dict[str, Setting] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def add(self, document: Document) -> None:
        """Take what a document says; keys that do not exist are problems."""
        self.problems.extend(document.problems)
        value = document.value
        if document.problems and value is None:
            return
        for name in reversed(document.prefix):
            value = {name: value}
        self._section(document, Config, (), value)

    def _section(self, document: Document, model: type[BaseModel], path: Path, value: Json) -> None:
        if value is None:  # a section whose keys are all commented out
            return
        if not isinstance(value, dict):
            accepted = ", ".join(model.model_fields)
            self._blame(document, path, f"expected a mapping (accepted: {accepted}), got {_NAMES[type(value)]}")
            return
        for name, member in value.items():
            self._member(document, model, (*path, name), member)

    def _member(self, document: Document, model: type[BaseModel], path: Path, value: Json) -> None:
        name = str(path[-1])
        if name not in model.model_fields:
            self._blame(document, path, unknown_key(path, list(model.model_fields)))
        elif (inner := section(model, name)) is not None:
            self._section(document, inner, path, value)
        elif len(path) < len(document.prefix):
            self._blame(document, document.prefix, f"unknown key; {dotted(path)} is one value, to be set whole")
        else:
            self.settings[dotted(path)] = Setting(value, document, path)

    def _blame(self, document: Document, path: Path, message: str) -> None:
        self.problems.append(problem(document.place(path), path, message))


def section(model: type[BaseModel], name: str) -> type[BaseModel] | None:
    """Return the model of a section; None for a key that holds a value."""
    annotation = model.model_fields[name].annotation
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def keys(model: type[BaseModel] = Config, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Name every key, in the order of the models."""
    for name in model.model_fields:
        inner = section(model, name)
        if inner is None:
            yield (*path, name)
        else:
            yield from keys(inner, (*path, name))


def unknown_key(path: Path, accepted: Sequence[str]) -> str:
    """Say what may have been meant: a key beside it, or else one that has this name elsewhere."""
    name = str(path[-1])
    near = [dotted((*path[:-1], each)) for each in difflib.get_close_matches(name, accepted, 1)]
    near = near or _elsewhere(name)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"unknown key{hint} (accepted: {', '.join(accepted)})"


def _elsewhere(name: str) -> list[str]:
    places = {key[-1]: dotted(key) for key in keys()}
    if name in places.values():  # "fetch.cookies: true" in a file
        return [f"{name.replace('.', ': {')}: ...{'}' * name.count('.')}"]
    return [places[each] for each in difflib.get_close_matches(name, list(places), 1, 0.8)]
