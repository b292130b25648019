"""Charts as SVG that stands in the page: no script, no network, readable in the dark, in print and aloud.

A chart is a frozen value that draws itself. Its colours are classes (``c0`` ... ``c7``) that the page's style gives a
light and a dark shade; series differ in shape and dash as well, so that nobody needs the colours. The text
alternative (``<desc>``) holds every value.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from markupsafe import Markup

from crawler.display import number
from crawler.report.axes import Axis
from crawler.report.svg import RIGHT, WIDTH, colours_of, marker, place, svg, x_axis

_LEFT, _PLOT, _ROW = 52, 200, 34


@dataclass(frozen=True, slots=True)
class Measured:
    """A value with its interval."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, spread: Mapping[str, Any]) -> "Measured":
        """Read what ``results.json`` holds of a quantity: ``{median, low, high, ...}``."""
        return cls(spread["median"], spread["low"], spread["high"])

    @classmethod
    def exactly(cls, value: float) -> "Measured":
        """Take a value that has no interval: a count, or something computed."""
        return cls(value, value, value)

    def times(self, factor: float) -> "Measured":
        """Return it in another unit."""
        return Measured(self.median * factor, self.low * factor, self.high * factor)

    def __str__(self) -> str:
        low, high = number(self.low), number(self.high)
        return number(self.median) if low == high else f"{number(self.median)} ({low} to {high})"


class Chart(Protocol):
    """What a page needs of a chart."""

    @property
    def title(self) -> str:
        """One line above it."""
        ...

    def svg(self, name: str) -> Markup:
        """Draw it. ``name`` is unique in the page."""
        ...


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its label, its value, and the series that gives it its colour."""

    label: str
    value: Measured
    series: str


@dataclass(frozen=True, slots=True)
class BarChart:
    """Bars below one another, each with its interval. On a logarithmic axis they are points: a bar has no foot there.

    ``reference`` is a value to compare with and what it means. ``palette`` gives series the same colour in every
    chart of a page.
    """

    title: str
    unit: str
    bars: Sequence[Bar]
    log: bool = False
    reference: tuple[float, str] | None = None
    palette: Sequence[str] = ()

    def svg(self, name: str) -> Markup:
        """Draw it."""
        values = [v for bar in self.bars for v in (bar.value.median, bar.value.low, bar.value.high)]
        axis = Axis.of([*values, *([self.reference[0]] if self.reference else [])], log=self.log)
        bottom = 8 + _ROW * len(self.bars)
        parts = [x_axis(axis, 0, bottom, self.unit)]
        if self.reference:
            parts.append(_reference(axis, *self.reference, bottom))
        colours = colours_of((bar.series for bar in self.bars), self.palette)
        parts += [self._bar(axis, bar, 8 + _ROW * row, colours[bar.series]) for row, bar in enumerate(self.bars)]
        return svg(name, self.title, self._text(), bottom + 40, parts)

    def _bar(self, axis: Axis, bar: Bar, top: float, colour: int) -> Markup:
        value, y = bar.value, top + 23
        x, low, high = (place(axis, v) for v in (value.median, value.low, value.high))
        mark = '<circle cx="{x}" cy="{y}" r="4.5"/>' if self.log else '<rect x="0" y="{t}" width="{x}" height="10"/>'
        template = (
            '<g class="c{c}"><text x="0" y="{ty}">{label}</text><text class="end" x="{w}" y="{ty}">{value}</text>'
            + mark
            + '<path class="range" d="M{low} {y}H{high}M{low} {t1}v6M{high} {t1}v6"/></g>'
        )
        return Markup(template).format(  # noqa: S704 - the template is ours, its values are escaped
            c=colour,
            ty=top + 13,
            label=bar.label,
            w=WIDTH,
            value=value,
            x=x,
            y=y,
            t=y - 5,
            low=low,
            high=high,
            t1=y - 3,
        )

    def _text(self) -> str:
        bars = "; ".join(f"{bar.label}: {bar.value}" for bar in self.bars)
        return f"In {self.unit}. {bars}.{_spoken(self.reference)}"


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its points (x, value) from left to right."""

    name: str
    points: Sequence[tuple[float, Measured]]


@dataclass(frozen=True, slots=True)
class LineChart:
    """Lines over a common x, each point with its interval; ``reference`` as in a bar chart."""

    title: str
    x_label: str
    unit: str
    lines: Sequence[Line]
    log_x: bool = False
    log_y: bool = False
    reference: tuple[float, str] | None = None
    palette: Sequence[str] = ()

    def svg(self, name: str) -> Markup:
        """Draw it."""
        points = [point for line in self.lines for point in line.points]
        across = Axis.of([x for x, _ in points], log=self.log_x)
        compared = [self.reference[0]] if self.reference else []
        up = Axis.of([*compared, *(v for _, m in points for v in (m.median, m.low, m.high))], log=self.log_y)
        top = 28.0 + 18 * ((len(self.lines) + 1) // 2)
        parts = [_y_axis(up, top), x_axis(across, _LEFT, top + _PLOT, self.x_label)]
        if self.reference:
            parts.append(_reference_across(_height(up, self.reference[0], top), *self.reference, top + _PLOT))
        parts.append(Markup('<text x="0" y="{}">{}</text>').format(top - 10, self.unit))
        colours = colours_of((line.name for line in self.lines), self.palette)
        for row, line in enumerate(self.lines):
            parts += [_legend(row, line.name, colours[line.name]), _line(across, up, top, line, colours[line.name])]
        return svg(name, self.title, self._text(), top + _PLOT + 40, parts)

    def _text(self) -> str:
        lines = (
            f"{line.name}: " + ", ".join(f"{number(x)}: {value}" for x, value in line.points) for line in self.lines
        )
        return f"In {self.unit}, by {self.x_label}. " + "; ".join(lines) + f".{_spoken(self.reference)}"


def _y_axis(axis: Axis, top: float) -> Markup:
    parts = []
    for tick in axis.ticks:
        y = _height(axis, tick, top)
        parts.append(
            Markup('<path class="grid" d="M{l} {y}H{r}"/><text class="end soft" x="{x}" y="{ty}">{n}</text>').format(
                l=_LEFT, y=y, r=WIDTH - RIGHT, x=_LEFT - 6, ty=y + 4, n=number(tick)
            )
        )
    return Markup().join(parts)


def _height(axis: Axis, value: float, top: float) -> float:
    return round(top + (1 - axis.at(value)) * _PLOT, 1)


def _reference(axis: Axis, value: float, label: str, bottom: float) -> Markup:
    path = Markup('<path class="reference" d="M{} 8V{}"/>').format(place(axis, value), bottom)
    return path + _reference_label(0, value, label, bottom)


def _reference_across(y: float, value: float, label: str, bottom: float) -> Markup:
    path = Markup('<path class="reference" d="M{} {}H{}"/>').format(_LEFT, y, WIDTH - RIGHT)
    return path + _reference_label(_LEFT, value, label, bottom)


def _reference_label(x: float, value: float, label: str, bottom: float) -> Markup:
    return Markup('<text class="soft" x="{}" y="{}">- - {}: {}</text>').format(x, bottom + 34, label, number(value))


def _spoken(reference: tuple[float, str] | None) -> str:
    return f" {reference[1]}: {number(reference[0])}." if reference else ""


def _line(across: Axis, up: Axis, top: float, line: Line, colour: int) -> Markup:
    places = [
        (place(across, x, _LEFT), *(_height(up, v, top) for v in (value.median, value.low, value.high)))
        for x, value in line.points
    ]
    path = " ".join(f"{x},{y}" for x, y, _, _ in places)
    ranges = "".join(f"M{x} {low}V{high}" for x, _, low, high in places)
    marks = Markup().join(marker(colour, x, y) for x, y, _, _ in places)
    return Markup('<g class="c{}"><polyline points="{}"/><path class="range" d="{}"/>{}</g>').format(
        colour, path, ranges, marks
    )


def _legend(row: int, name: str, colour: int) -> Markup:
    x, y = (row % 2) * WIDTH / 2, 10 + 18 * (row // 2)
    return Markup(
        '<g class="c{c}"><polyline points="{x},{y} {x2},{y}"/>{m}<text x="{tx}" y="{ty}">{n}</text></g>'
    ).format(c=colour, x=x, x2=x + 26, y=y, m=marker(colour, x + 13, y), tx=x + 32, ty=y + 4, n=name)
