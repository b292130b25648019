"""What all charts are made of: the frame with its text alternative, axes, places, colours and markers."""

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from crawler.display import number
from crawler.report.axes import Axis

WIDTH, RIGHT = 400, 12
"""The width of every chart in its own units, and the margin at its right."""

_COLOURS = 8


def svg(name: str, title: str, text: str, height: float, parts: Iterable[Markup]) -> Markup:
    """Frame a drawing, with its title and its text alternative."""
    return Markup(
        '<svg class="chart" role="img" viewBox="0 0 {w} {h}" aria-labelledby="{n}-t {n}-d">'
        '<title id="{n}-t">{title}</title><desc id="{n}-d">{text}</desc>{parts}</svg>'
    ).format(w=WIDTH, h=height, n=name, title=title, text=text, parts=Markup().join(parts))


def colours_of(names: Iterable[str], palette: Sequence[str] = ()) -> dict[str, int]:
    """Give each series a colour: its place in the palette, or the next one after it."""
    order = dict.fromkeys([*palette, *names])
    return {name: place % _COLOURS for place, name in enumerate(order)}


def place(axis: Axis, value: float, left: float = 0) -> float:
    """Return the x of a value in a plot that begins at ``left``."""
    return round(left + axis.at(value) * (WIDTH - RIGHT - left), 1)


def x_axis(axis: Axis, left: float, y: float, label: str) -> Markup:
    """Draw an axis at the foot of a plot, with its unit."""
    parts = [Markup('<path class="axis" d="M{} {}H{}"/>').format(left, y, WIDTH - RIGHT)]
    for tick in axis.ticks:
        x = place(axis, tick, left)
        anchor = "start" if x < 8 else "end" if x > WIDTH - 2 * RIGHT else "mid"
        parts.append(
            Markup('<path class="axis" d="M{x} {y}v4"/><text class="{a} soft" x="{x}" y="{ty}">{n}</text>').format(
                x=x, y=y, a=anchor, ty=y + 17, n=number(tick)
            )
        )
    parts.append(Markup('<text class="end soft" x="{}" y="{}">{}</text>').format(WIDTH - RIGHT, y + 34, label))
    return Markup().join(parts)


def marker(shape: int, x: float, y: float) -> Markup:
    """Draw the point of a series: circle, square, triangle or diamond, filled or hollow."""
    outlines = (
        f"M{x - 4} {y}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0",
        f"M{x - 3.5} {y - 3.5}h7v7h-7z",
        f"M{x - 4.5} {y + 3.5}h9l-4.5 -8z",
        f"M{x} {y - 5}l4.5 5l-4.5 5l-4.5 -5z",
    )
    hollow = " hollow" if shape // len(outlines) % 2 else ""
    return Markup('<path class="mark{}" d="{}"/>').format(hollow, outlines[shape % len(outlines)])
