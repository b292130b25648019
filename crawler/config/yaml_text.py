"""YAML text → :class:`Document`, with the line of every key; whatever is wrong is a problem, never a raise.

The text is read as events, not as nodes: the composer of libyaml's binding recurses without a limit, so that a
file of 30 000 brackets would crash the interpreter. Aliases are refused: a few lines of them can stand for
gigabytes, and no configuration needs them. Keys are always text, as in JSON.
"""

from collections.abc import Iterator
from typing import Any

import yaml

from cpu_stage.types import Json
from crawler.config import scalars
from crawler.config.document import Document, Path, Place, problem

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # PyYAML built without libyaml: slower, the same events
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]  # the fallback has the same methods

_MAX_DEPTH = 40


def read_yaml(text: str, source: str, prefix: tuple[str, ...] = ()) -> Document:
    """Read one document. Places have lines where the source is a file, which has no prefix."""
    reader = _Reader(text, source, prefix)
    value: Json = None
    try:
        value = reader.read()
    except _RefusedError as error:
        reader.blame(error.mark, error.path, error.message)
    except yaml.MarkedYAMLError as error:
        what = ", ".join(part for part in (error.context, error.problem) if part)
        reader.blame(error.problem_mark, prefix, f"is not YAML: {what}")
    except (yaml.YAMLError, UnicodeError) as error:
        reader.blame(None, prefix, f"is not YAML: {str(error).splitlines()[0]}")
    return Document(source, value, prefix, {} if prefix else reader.places, tuple(reader.problems))


class _RefusedError(Exception):
    """YAML that is well-formed and yet not for a configuration; nothing after it can be relied on."""

    def __init__(self, mark: Any, path: Path, message: str) -> None:
        self.mark = mark
        self.path = path
        self.message = message


class _Reader:
    """Builds plain data from events, and remembers where each part began."""

    def __init__(self, text: str, source: str, prefix: tuple[str, ...]) -> None:
        self.places: dict[Path, Place] = {}
        self.problems: list[str] = []
        self._source = source
        self._prefix = prefix
        self._events: Iterator[Any] = iter(yaml.parse(text, Loader=_Loader))

    def read(self) -> Json:
        """Return the one document's value; None where there is no document."""
        next(self._events)  # the start of the stream
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return None
        value = self._node(next(self._events), self._prefix)
        next(self._events)  # the end of the document
        if not isinstance(event := next(self._events), yaml.StreamEndEvent):
            raise _RefusedError(event.start_mark, (), "a second document begins; expected one")
        return value

    def blame(self, mark: Any, path: Path, message: str) -> None:
        """Note a problem. A mark counts from 0; without one the whole source is to blame."""
        self.problems.append(problem(self._place(mark), path, message))

    def _place(self, mark: Any) -> Place:
        if mark is None or self._prefix:
            return Place(self._source)
        return Place(self._source, mark.line + 1, mark.column + 1)

    def _node(self, event: Any, path: Path) -> Json:
        if len(path) > _MAX_DEPTH:
            raise _RefusedError(event.start_mark, path[:2], f"nested more than {_MAX_DEPTH} levels deep")
        if isinstance(event, yaml.AliasEvent):
            raise _RefusedError(event.start_mark, path, "aliases are not accepted; write the value out")
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, path)
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        if event.tag not in {None, "!", scalars.TAG + ("map" if is_mapping else "seq")}:
            raise _RefusedError(event.start_mark, path, f"type {event.tag!r} is not accepted; leave it out")
        return self._mapping(path) if is_mapping else self._sequence(path)

    def _scalar(self, event: Any, path: Path) -> Json:
        if event.tag is None:
            tag = scalars.kind(event.value) if event.implicit[0] else "str"
        else:
            tag = "str" if event.tag == "!" else event.tag.removeprefix(scalars.TAG)
        try:
            return scalars.value(event.value, tag)
        except ValueError as error:
            raise _RefusedError(event.start_mark, path, str(error)) from error

    def _sequence(self, path: Path) -> Json:
        items: list[Json] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            here = (*path, len(items))
            self.places[here] = self._place(event.start_mark)
            items.append(self._node(event, here))
        return items

    def _mapping(self, path: Path) -> Json:
        members: dict[str, Json] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise _RefusedError(event.start_mark, path, "expected text as a key")
            key = event.value
            here = (*path, key)
            if key in members:
                where = f", first in line {self.places[here].line}" if not self._prefix else ""
                self.blame(event.start_mark, here, f"written twice{where}; expected once")
            self.places[here] = self._place(event.start_mark)
            members[key] = self._node(next(self._events), here)
        return members
