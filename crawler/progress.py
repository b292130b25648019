"""The live view of a crawl: a few lines that move on a terminal, log lines elsewhere."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

from crawler.display import size

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One look at a running crawl."""

    state: str
    seconds: float
    pages: int
    pages_per_second: float
    fetching: int
    queued: int
    hosts: int
    analysing: int
    errors: int
    bytes: int
    memory: int
    waits_for: str


class View(Protocol):
    """Something that shows snapshots."""

    def __enter__(self) -> Self:
        """Start to show."""
        ...

    def __exit__(self, *_: object) -> None:
        """Leave the terminal as it was."""
        ...

    def show(self, snapshot: Snapshot) -> None:
        """Show the newest look."""
        ...

    def say(self, text: str) -> None:
        """Print a line that stays, on standard error."""
        ...


def view(kind: str) -> View:
    """Return the view for ``observe.progress``: ``auto`` is ``rich`` on a terminal and ``plain`` elsewhere."""
    if kind == "none":
        return NoView()
    if kind == "auto" and sys.stderr.isatty():
        return RichView()
    return PlainView()


class NoView:
    """Shows nothing; what is said is printed."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, snapshot: Snapshot) -> None:
        """Show nothing."""

    def say(self, text: str) -> None:
        """Print it."""
        print(text, file=sys.stderr, flush=True)


class PlainView(NoView):
    """One line on standard error every few seconds: what a log file or a CI job wants."""

    def __init__(self, every: float = 5.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._every = every
        self._clock = clock
        self._next = 0.0

    def __enter__(self) -> Self:
        self._next = self._clock() + self._every
        return self

    def show(self, snapshot: Snapshot) -> None:
        """Print the line if it is time for one."""
        if self._clock() < self._next:
            return
        self._next = self._clock() + self._every
        s = snapshot
        self.say(
            f"{s.seconds:6.0f} s  {s.pages:,} pages  {s.pages_per_second:.1f}/s  fetching {s.fetching}"
            f"  queued {s.queued:,}  analysing {s.analysing}  errors {s.errors:,}  {size(s.bytes)}"
        )


class RichView:
    """A small table that is redrawn in place; rich is imported here, on a terminal only."""

    def __init__(self) -> None:
        self._live: Live | None = None

    def __enter__(self) -> Self:
        from rich.console import Console  # noqa: PLC0415 - 100 ms that only a terminal pays
        from rich.live import Live  # noqa: PLC0415

        self._live = Live(console=Console(stderr=True), refresh_per_second=4, transient=True)
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def show(self, snapshot: Snapshot) -> None:
        """Redraw."""
        if self._live:
            self._live.update(_table(snapshot))

    def say(self, text: str) -> None:
        """Print it above the table."""
        if self._live:
            self._live.console.print(text, markup=False, highlight=False)


def _table(s: Snapshot) -> "RenderableType":
    from rich.table import Table  # noqa: PLC0415 - see RichView

    table = Table.grid(padding=(0, 3))
    for _ in range(4):
        table.add_column()
    dim = "[dim]{}[/]"
    rows = [
        ("pages", f"[bold]{s.pages:,}[/]", "rate", f"[bold]{s.pages_per_second:.1f}[/] pages/s"),
        ("fetching", f"{s.fetching}", "queued", f"{s.queued:,} URLs on {s.hosts:,} hosts"),
        ("analysing", f"{s.analysing}", "errors", f"[red]{s.errors:,}[/]" if s.errors else "0"),
        ("read", size(s.bytes), "memory", size(s.memory)),
        (s.state, f"{int(s.seconds) // 60}:{int(s.seconds) % 60:02d}", "waits for", s.waits_for),
    ]
    for left, value, right, other in rows:
        table.add_row(dim.format(left), value, dim.format(right), other)
    return table
