"""The items of ``analyzers`` and ``sinks``: a name, or a mapping with a name and options."""

import difflib
from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    model_serializer,
)

from cpu_stage.analyzers import BUILT_IN


def _target(value: str) -> str:
    """Accept a built-in name or ``package.module:attr``; nothing is imported."""
    module, colon, attribute = value.partition(":")
    names = [*module.split("."), attribute] if colon else []
    if value in BUILT_IN or (names and all(name.isidentifier() for name in names)):
        return value
    near = difflib.get_close_matches(value, BUILT_IN, 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    accepted = ", ".join((*BUILT_IN, "package.module:attr"))
    raise ValueError(f"unknown analyzer{hint} (accepted: {accepted})")


def _label(value: str) -> str:
    if not value or len(value) > 200 or not value.isprintable() or value != value.strip():
        raise ValueError("expected a name of 1 to 200 characters")
    return value


def _file_path(value: str) -> str:
    if not value or "\0" in value or value.endswith("/"):
        raise ValueError("expected the path of a file")
    return value


class AnalyzerEntry(BaseModel):
    """One analyzer. In a file: ``name`` alone, or ``{name: ..., as: ..., options: {...}}``.

    ``target`` is the ``name`` of the file: a built-in name or ``package.module:attr``. :attr:`name` is what
    its values are called in the records.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: Annotated[str, AfterValidator(_target)] = Field(
        alias="name", description="A built-in analyzer, or package.module:attr for any other callable."
    )
    label: Annotated[str, AfterValidator(_label)] | None = Field(
        None, alias="as", description="The name under which its values appear; default: its name."
    )
    options: Mapping[str, JsonValue] = Field(
        default_factory=dict, description="What this analyzer is told; its documentation lists what it takes."
    )

    @property
    def name(self) -> str:
        """The key of its values in a record."""
        return self.label or self.target

    @model_serializer
    def _as_written(self) -> JsonValue:
        if not (self.label or self.options):
            return self.target
        written: dict[str, JsonValue] = {"name": self.target}
        if self.label:
            written["as"] = self.label
        if self.options:
            written["options"] = dict(self.options)
        return written


class JsonlOptions(BaseModel):
    """Options of the ``jsonl`` sink."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Annotated[str, AfterValidator(_file_path)] = Field(
        "pages.jsonl", description="The file, relative to the job directory."
    )


class SinkEntry(BaseModel):
    """One sink. In a file: ``name`` alone, or ``{name: ..., options: {...}}``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["jsonl"] = Field(description="The kind of sink.")
    options: JsonlOptions = Field(JsonlOptions(), description="What this kind of sink takes.")

    @model_serializer
    def _as_written(self) -> JsonValue:
        if self.options == JsonlOptions():
            return self.name
        return {"name": self.name, "options": self.options.model_dump(mode="json")}


def _named(value: object) -> object:
    """Turn a bare name into the long form."""
    if isinstance(value, str):
        return {"name": value}
    if isinstance(value, Mapping | BaseModel):
        return value
    raise ValueError("expected a name, or a mapping such as {name: ..., options: {...}}")


def _distinct_analyzers(entries: "Analyzers") -> "Analyzers":
    _check_distinct([entry.name for entry in entries], "give one of them another name by 'as:'")
    return entries


def _distinct_sinks(entries: "Sinks") -> "Sinks":
    _check_distinct([entry.name for entry in entries], "each kind of sink once")
    return entries


def _check_distinct(names: list[str], accepted: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"expected distinct names, {name} stands here twice; {accepted}")
        seen.add(name)


_Analyzer: TypeAlias = Annotated[AnalyzerEntry, BeforeValidator(_named, json_schema_input_type=str | AnalyzerEntry)]
_Sink: TypeAlias = Annotated[SinkEntry, BeforeValidator(_named, json_schema_input_type=str | SinkEntry)]
Analyzers: TypeAlias = Annotated[tuple[_Analyzer, ...], AfterValidator(_distinct_analyzers)]
Sinks: TypeAlias = Annotated[tuple[_Sink, ...], AfterValidator(_distinct_sinks)]
