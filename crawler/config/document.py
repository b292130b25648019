"""What one source says, as a value: plain data, and where each part of it was written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from cpu_stage.types import Json

Path: TypeAlias = tuple[str | int, ...]
"""Keys and indexes from the top of the configuration to a value."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was written: a source and, in a file, line and column (from 1)."""

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.origin}:{self.column}" if self.line else self.source

    @property
    def origin(self) -> str:
        """The place without its column."""
        return f"{self.source}:{self.line}" if self.line else self.source


@dataclass(frozen=True, slots=True)
class Document:
    """What one source says.

    ``value`` belongs below ``prefix``: empty for a file, ``("fetch", "cookies")`` for ``--set
    fetch.cookies=true``. ``problems`` are complete lines; where there are some, ``value`` is what could be read.
    """

    source: str
    value: Json = None
    prefix: tuple[str, ...] = ()
    places: Mapping[Path, Place] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def place(self, path: Path) -> Place:
        """Return the place of a value, or of the nearest thing around it that has one."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.places:
                return self.places[path[:end]]
        return Place(self.source)


def dotted(path: Path) -> str:
    """Return a path as people write it: ``analyzers[1].name``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def problem(place: Place, path: Path, message: str) -> str:
    """Return one line that says where, which key, and what; whatever could break the line is escaped."""
    text = ": ".join(str(part) for part in (place, dotted(path), message) if str(part))
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
