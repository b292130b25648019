"""What crosses the process boundary, and nothing else: pages in, analyses out."""

import enum
import functools
import operator
from collections.abc import Mapping
from dataclasses import field
from typing import Protocol, TypeAlias, runtime_checkable

from cpu_stage.immutable import immutable

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


class Needs(enum.Flag):
    """The parts of a page that an analyzer reads; parts that nobody needs are neither made nor sent."""

    NOTHING = 0
    TEXT = enum.auto()
    HTML = enum.auto()
    LINKS = enum.auto()
    META = enum.auto()
    ALL = TEXT | HTML | LINKS | META


class Crossing:
    """A page in one of its forms, which crosses to a worker or back.

    It is pickled as its class and its fields, which takes half the time of what a frozen dataclass does by itself.
    """

    __slots__ = ()

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), _getter(type(self).__slots__)(self)

    def fields(self) -> list[object]:
        """Return the fields' values, in their order."""
        return list(_getter(type(self).__slots__)(self))


@functools.cache
def _getter(names: tuple[str, ...]) -> "operator.attrgetter[tuple[object, ...]]":
    return operator.attrgetter(*names)


@immutable
class Page(Crossing):
    """A parsed page.

    ``links`` are the page's distinct links in document order: absolute, serialised by a WHATWG URL library,
    without fragment, http and https only. ``nofollow`` is the subset that the page asks crawlers not to
    follow (``rel=nofollow``, robots meta, ``X-Robots-Tag``). ``meta`` is flat: ``description``, ``canonical``,
    ``language``, ``robots``, ``next``, ``refresh`` and each ``og:*``. ``text`` and ``html`` are empty where
    no analyzer needs them.
    """

    url: str
    content_type: str
    charset: str
    title: str | None
    text: str = ""
    links: tuple[str, ...] = ()
    nofollow: frozenset[str] = frozenset()
    meta: Mapping[str, str] = field(default_factory=dict)
    html: str = ""


@immutable
class ParseOptions:
    """What is made of a page.

    ``needs`` names the parts that analyzers read; links are made all the same, unless ``links`` is False. A page gives
    at most ``max_links`` distinct links, and a title of at most ``max_title`` characters.
    """

    needs: Needs = Needs.ALL
    parser: str = "turbohtml"
    links: bool = True
    max_links: int = 100_000
    max_title: int = 1_000


class AnalysisErrorKind(enum.StrEnum):
    """Why an analyzer has no values for a page."""

    EXCEPTION = "exception"
    TIMEOUT = "timeout"
    CRASH = "crash"
    MEMORY = "memory"


@immutable
class AnalysisError:
    """One analyzer's failure on one page; ``message`` is one line, never a traceback."""

    kind: AnalysisErrorKind
    message: str


@immutable
class Analysis:
    """What all analyzers said of one page: ``values`` and ``errors`` by analyzer name, ``cpu_s`` in seconds."""

    url: str
    values: Mapping[str, Mapping[str, Json]]
    errors: Mapping[str, AnalysisError]
    cpu_s: float
    worker: str


class StageError(Exception):
    """The stage cannot work at all: an analyzer does not load, workers do not start, or it is closed."""


@runtime_checkable
class Analyzer(Protocol):
    """Any callable ``page -> dict``; an attribute ``needs`` (:class:`Needs`) narrows what is sent to it."""

    def __call__(self, page: Page, /) -> Mapping[str, Json]:
        """Return plain JSON values for one page; raise freely, only this page's entry is lost."""
        ...
