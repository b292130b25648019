"""How a page crosses to its worker: as plain data, with what the analyzers need and no more, long texts by the slab."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from cpu_stage.slab import Part, Place
from cpu_stage.types import Crossing, Needs, Page

Parcel: TypeAlias = tuple[type[Any], list[Any], list[tuple[int, Place]], frozenset[str]]
"""A page's class; its fields; which of them lie in the slab, and where; the analyzers that do not run again.

Plain tuples and lists are pickled by C code alone, in a fraction of the time that any object of ours takes.
"""

_SHORT = 2_000
"""Characters up to which a text is as well off in the pipe."""

_TEXT = (str, bytes)


@dataclass(frozen=True, slots=True)
class Packing:
    """Packs pages. What no analyzer needs stays behind, except for the robots directives in ``meta``."""

    text: bool
    html: bool
    links: bool
    meta: bool

    @classmethod
    def of(cls, needs: Needs) -> "Packing":
        """Send what is needed."""
        return cls(Needs.TEXT in needs, Needs.HTML in needs, Needs.LINKS in needs, Needs.META in needs)

    def size(self, page: Page) -> int:
        """Return how many characters of a page are sent, as far as that matters."""
        return (len(page.text) if self.text else 0) + (len(page.html) if self.html else 0)

    def pack(self, item: Crossing, skip: Iterable[str], part: Part) -> Parcel:
        """Return the page as it is sent; ``skip`` names the analyzers that failed on it before."""
        fields = self._narrow(item) if isinstance(item, Page) else item.fields()
        places = []
        for n, value in enumerate(fields):
            if isinstance(value, _TEXT) and len(value) > _SHORT and (place := part.put(value)):
                fields[n] = value[:0]
                places.append((n, place))
        return type(item), fields, places, frozenset(skip)

    def _narrow(self, page: Page) -> list[Any]:
        meta = page.meta
        if not self.meta:
            meta = {"robots": meta["robots"]} if "robots" in meta else {}
        return [
            page.url,
            page.content_type,
            page.charset,
            page.title,
            page.text if self.text else "",
            page.links if self.links else (),
            page.nofollow if self.links else frozenset(),
            meta,
            page.html if self.html else "",
        ]


def unpack(parcel: Parcel, part: Part) -> tuple[Any, frozenset[str]]:
    """Return the page, and the analyzers that do not run on it.

    The parcel stays as it is. It would keep the text to the end of the batch otherwise: 64 pages need new memory then,
    and to get it from the system costs three times what it takes to read them.
    """
    kind, fields, places, skip = parcel
    if places:
        fields = fields.copy()
    for n, place in places:
        data = part.get(place)
        fields[n] = bytes(data) if isinstance(fields[n], bytes) else str(data, "utf-8", "surrogatepass")
    return kind(*fields), skip
