"""What ran when: rows of spans over a common time."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from crawler.display import number
from crawler.report.axes import Axis
from crawler.report.svg import colours_of, place, svg, x_axis

_ROW, _HEAD, _BAR = 29, 26, 12


@dataclass(frozen=True, slots=True)
class Row:
    """One actor: its name, when it began and ended, and the spans in which it really ran."""

    name: str
    began: float
    ended: float
    ran: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Gantt:
    """Rows in groups, each group with a heading. A thin line is an actor begun and not done, a block one that runs."""

    title: str
    unit: str
    groups: Sequence[tuple[str, Sequence[Row]]]

    def svg(self, name: str) -> Markup:
        """Draw it."""
        axis = Axis.of(row.ended for _, rows in self.groups for row in rows)
        colours = colours_of(row.name for _, rows in self.groups for row in rows)
        parts, y = [], 0
        for heading, rows in self.groups:
            parts.append(Markup('<text class="strong" x="0" y="{}">{}</text>').format(y + 16, heading))
            y += _HEAD
            for row in rows:
                parts.append(_row(axis, row, y, colours[row.name]))
                y += _ROW
        parts.append(x_axis(axis, 0, y + 4, self.unit))
        return svg(name, self.title, self._text(), y + 44, parts)

    def _text(self) -> str:
        texts = []
        for heading, rows in self.groups:
            spans = (f"{row.name} from {number(row.began)} to {number(row.ended)}, {_share(row)}" for row in rows)
            texts.append(f"{heading}: {'; '.join(spans)}.")
        return f"In {self.unit}. {' '.join(texts)}"


def _share(row: Row) -> str:
    ran, spans = sum(end - start for start, end in row.ran), len(row.ran)
    return f"running for {number(ran)} in {spans} span{'s' if spans != 1 else ''}"


def _row(axis: Axis, row: Row, top: float, colour: int) -> Markup:
    middle = top + _BAR / 2 + 14
    blocks = Markup().join(
        Markup('<rect x="{}" y="{}" width="{}" height="{}"/>').format(
            place(axis, start), top + 14, max(0.4, round(place(axis, end) - place(axis, start), 1)), _BAR
        )
        for start, end in row.ran
    )
    return Markup(
        '<g class="c{}"><path class="thread" d="M{} {}H{}"/>{}<text class="soft" x="0" y="{}">{}</text></g>'
    ).format(colour, place(axis, row.began), middle, place(axis, row.ended), blocks, top + 10, row.name)
