"""What a page says of itself for machines: JSON-LD, Microdata, RDFa, OpenGraph, Dublin Core; by turbohtml."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import turbohtml
from turbohtml.extract import MicrodataItem, RdfaItem

from cpu_stage.analyzers import options
from cpu_stage.types import Json, Needs, Page

_DEEPEST = 20
_MOST_REFERENCES = 10


class Structured:
    """Extracts structured data, of which at most ``max_values`` values of ``max_characters`` each are kept."""

    needs = Needs.HTML

    def __init__(self, max_values: int = 10_000, max_characters: int = 10_000) -> None:
        self._max_values = options.whole("max_values", max_values, least=1)
        self._max_characters = options.whole("max_characters", max_characters, least=1)

    def __call__(self, page: Page) -> dict[str, Json]:
        """Return what each format holds, ``broken`` (JSON-LD blocks that are no JSON) and ``cut``.

        ``json_ld`` is a list of the decoded blocks. ``microdata`` and ``rdfa`` are lists of items: ``type``, ``id``
        or ``resource``, and ``properties``, name → list of strings and items. ``opengraph`` (with Twitter's cards)
        and ``dublin_core`` map names to strings. ``cut`` says that a limit left something out.
        """
        document = turbohtml.parse(page.html, positions=False)
        copy = _Copy(self._max_values, self._max_characters, cut=_drop_references(document))
        found = document.structured_data()
        formats: dict[str, Json] = {
            "json_ld": copy.of(found.json_ld),
            "microdata": copy.of(found.microdata),
            "rdfa": copy.of(found.rdfa),
            "opengraph": copy.of(found.opengraph),
            "dublin_core": copy.of(found.dublin_core),
        }
        return {**formats, "broken": _blocks(document) - len(found.json_ld), "cut": copy.cut}


def _drop_references(document: turbohtml.Document) -> bool:
    """Remove ``itemref`` attributes where there are many; return whether there were.

    An item is copied into each that refers to it, so a few dozen references make millions of items.
    """
    references = document.select("[itemref]")
    if len(references) <= _MOST_REFERENCES:
        return False
    for element in references:
        del element.attrs["itemref"]
    return True


def _blocks(document: turbohtml.Document) -> int:
    """Count the JSON-LD blocks, broken ones too."""
    types = (str(script.attrs.get("type")) for script in document.select("script[type]"))
    return sum(kind.partition(";")[0].strip().lower() == "application/ld+json" for kind in types)


@dataclass(slots=True)
class _Copy:
    """Copies values that a stranger wrote into plain JSON of bounded size; ``cut`` says that something is missing."""

    values_left: int
    longest: int
    cut: bool = False

    def of(self, value: object, depth: int = 0) -> Json:
        """Return the copy; null where it would be too deep or too much, or is not a JSON number."""
        self.values_left -= 1
        if self.values_left < 0 or depth > _DEEPEST:
            self.cut = True
            return None
        if isinstance(value, MicrodataItem):
            value = {"type": value.type, "id": value.id, "properties": value.properties}
        elif isinstance(value, RdfaItem):
            value = {"type": value.type, "resource": value.resource, "properties": value.properties}
        if isinstance(value, Mapping):
            return {self._text(key): self.of(each, depth + 1) for key, each in self._some(value.items())}
        if isinstance(value, list):
            return [self.of(each, depth + 1) for each in self._some(value)]
        return self._scalar(value)

    def _some(self, values: Iterable[Any]) -> Iterator[Any]:
        """Yield values as long as there is room for one."""
        for value in values:
            if self.values_left <= 0:
                self.cut = True
                return
            yield value

    def _scalar(self, value: object) -> Json:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, float) and not math.isfinite(value):
            return None
        if isinstance(value, int) and abs(value) >= 2**63:
            return self._text(str(value))
        return value if isinstance(value, bool | int | float) else None

    def _text(self, text: str) -> str:
        self.cut |= len(text) > self.longest
        return text[: self.longest]
