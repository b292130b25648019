"""Spider traps: pages without end that say nothing new, and hosts that ask for more than their share. Sans-I/O.

A calendar, a session id in the path, a mirror of one page under every name: each gives new URLs for ever, and no rule
on URLs knows all of them. What they have in common is that their pages look alike. So each page's *shape* is compared
with those before it, of the same host and of the same section of the host (its first path segment): where hardly any
of the last pages was of a new shape, no further link into that place is followed. What is queued by then is fetched.
A section counts for its host with its first pages only: its host is not left for one that is a trap by itself.

A shape is the title without its digits, the number of links and the size, roughly. Pages of a site that differ in their
text differ in that, also where all have one title; months and session ids do not.
"""

from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from crawler.scope import Admitted
from crawler.urls import path_and_query

_PLACES = 4096  # with the most recent pages; a trap is asked all the time
_ENOUGH_NEW = 0.05  # share of new shapes among a place's last pages
_ROUGHLY = 64  # bytes
_WIDTH = 4  # bytes of a shape that are kept
_SECTIONS = 8  # at least so many have to be alike for a host to be at fault, and not one of them
_DIGITS = str.maketrans("", "", "0123456789")


@dataclass(frozen=True, slots=True)
class TrapRules:
    """A place is left after ``repetitive_after`` pages that look alike, a host after ``host_pages``; None: never."""

    repetitive_after: int | None = None
    host_pages: int | None = None


class Traps:
    """What is known of the places of one crawl. ``asked`` are the pages that earlier runs asked hosts for."""

    def __init__(self, rules: TrapRules, asked: Mapping[str, int]) -> None:
        self._rules = rules
        self._asked = Counter(asked)
        self._places: OrderedDict[str, _Shapes] = OrderedDict()
        self.cut: dict[str, str] = {}
        """Which places were left, and why, in words."""

    def spends(self, host: str) -> bool:
        """Count a page of a host that is about to be asked for; return False where its budget is spent."""
        most = self._rules.host_pages
        if most is None:
            return True
        if self._asked[host] >= most:
            self.cut.setdefault(host, f"{most:,} pages were asked for, its budget")
            return False
        self._asked[host] += 1
        return True

    def saw(self, url: str, host: str, title: str | None, links: int, size: int) -> None:
        """Hear of a page."""
        most = self._rules.repetitive_after
        if most is None:
            return
        shape = hash(((title or "").translate(_DIGITS), links, size // _ROUGHLY))
        section = _section(url, host)
        if section in self.cut or host in self.cut:
            return
        if self._judge(section, shape, most) <= max(1, most // _SECTIONS):
            self._judge(host, shape, most)
        while len(self._places) > _PLACES:
            self._places.popitem(last=False)

    def _judge(self, place: str, shape: int, most: int) -> int:
        """Add a page to a place, and leave that where hardly any of its last ones was new; return how many it had."""
        shapes = self._places.pop(place, None) or _Shapes(most)
        self._places[place] = shapes
        if shapes.add(shape) < _ENOUGH_NEW:
            self.cut[place] = f"its last {most:,} pages look like those before them"
        return shapes.count

    def admits(self, link: Admitted) -> bool:
        """Whether a link may be followed."""
        return not self.cut or not (link.host in self.cut or _section(link.url, link.host) in self.cut)


class _Shapes:
    """The shapes of a place's last ``most`` pages, four bytes each, and which of them were new when they came."""

    __slots__ = ("_last", "_most", "_new", "count")

    def __init__(self, most: int) -> None:
        self._most = most
        self._last = bytearray()
        self._new = bytearray()
        self.count = 0

    def add(self, shape: int) -> float:
        """Return the share of new ones, 1 until there are enough pages to tell."""
        data = (shape & 0xFFFF_FFFF).to_bytes(_WIDTH, "little")
        place, new = self.count % self._most, not self._has(data)
        self._new[place : place + 1] = new.to_bytes()  # at the end as long as there are fewer
        self._last[_WIDTH * place : _WIDTH * place + _WIDTH] = data
        self.count += 1
        return self._new.count(1) / self._most if self.count >= self._most else 1.0

    def _has(self, shape: bytes) -> bool:
        at = self._last.find(shape)
        while at > 0 and at % _WIDTH:  # two halves of neighbours
            at = self._last.find(shape, at + 1)
        return at >= 0


def _section(url: str, host: str) -> str:
    """Return the host and the first segment of the path: ``example.org/calendar``."""
    first = path_and_query(url)[1:].partition("?")[0].partition("/")[0]
    return f"{host}/{first}"
