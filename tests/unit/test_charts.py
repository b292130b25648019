"""Charts: what they draw is where it belongs, and what they say is all there is."""

import math
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.display import number
from crawler.report.axes import Axis
from crawler.report.charts import Bar, BarChart, Chart, Line, LineChart, Measured
from crawler.report.gantt import Gantt, Row
from crawler.report.svg import WIDTH, colours_of

SVG = "{http://www.w3.org/2000/svg}"
positive = st.floats(1e-6, 1e9)


def drawn(chart: Chart) -> ET.Element:
    text = str(chart.svg("name")).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return ET.fromstring(text)


def description(chart: Chart) -> str:
    found = drawn(chart).find(f"{SVG}desc")
    assert found is not None
    assert found.text is not None
    return found.text


@settings(derandomize=True, deadline=None)
@given(st.lists(positive, min_size=1), st.booleans())
def test_an_axis_holds_all_values_in_order_and_marks_a_few(values: list[float], log: bool) -> None:
    axis = Axis.of(values, log=log)
    places = [axis.at(value) for value in sorted(values)]
    assert places == sorted(places)
    assert all(0 <= place <= 1 for place in places)
    assert 2 <= len(axis.ticks) <= 9
    assert list(axis.ticks) == sorted(set(axis.ticks))
    assert axis.low <= min(values) * 1.01
    assert axis.high >= max(values) * 0.99


def test_a_linear_axis_starts_at_zero_and_reaches_below_it_where_values_do() -> None:
    assert Axis.of([3.0, 7.0]).ticks == (0.0, 2.0, 4.0, 6.0, 8.0)
    assert Axis.of([-3.0, 7.0]).low <= -3.0
    assert Axis.of([0.0]).at(0.0) == 0.0


def test_equal_steps_on_a_logarithmic_axis_are_equal_factors() -> None:
    axis = Axis.of([1.0, 10_000.0], log=True)
    assert axis.ticks == (1.0, 10.0, 100.0, 1_000.0, 10_000.0)
    assert math.isclose(axis.at(100.0), 0.5)
    assert axis.at(0.0) == 0.0


def test_a_logarithmic_axis_of_one_decade_marks_the_steps_in_it() -> None:
    assert Axis.of([0.12, 0.9], log=True).ticks == (0.1, 0.2, 0.5, 1.0)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (3, "3"), (1234567, "1,234,567"), (0.123456, "0.123"), (12.34, "12.3"), (123.4, "123"), (2e-5, "2e-05")],
)
def test_numbers_show_three_digits_that_count(value: float, text: str) -> None:
    assert number(value) == text


def test_an_interval_is_shown_unless_it_looks_like_the_value() -> None:
    assert str(Measured(2.0, 1.0, 3.5)) == "2 (1 to 3.5)"
    assert str(Measured(2.001, 2.0, 2.002)) == "2"
    assert Measured.of({"median": 2, "low": 1, "high": 4, "runs": []}).times(10) == Measured(20, 10, 40)


BARS = BarChart(
    "Speed <of> things",
    "ms & more",
    [Bar("one", Measured(10, 8, 12), "a"), Bar("<b>two</b>", Measured(5, 5, 5), "b")],
    reference=(7.5, "a bound"),
)


def test_bars_are_as_long_as_their_values_and_their_intervals_lie_around_the_ends() -> None:
    root = drawn(BARS)
    widths = [float(rect.attrib["width"]) for rect in root.iter(f"{SVG}rect")]
    assert len(widths) == 2
    assert math.isclose(widths[0], 2 * widths[1], rel_tol=0.01)
    ranges = [path.attrib["d"] for path in root.iter(f"{SVG}path") if path.attrib["class"] == "range"]
    low, high = (float(x) for x in re.findall(r"M([\d.]+) [\d.]+H([\d.]+)", ranges[0])[0])
    assert low < widths[0] < high <= WIDTH


def test_the_text_alternative_holds_every_value_and_everything_is_escaped() -> None:
    root = drawn(BARS)
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-labelledby"] == "name-t name-d"
    title = root.find(f"{SVG}title")
    assert title is not None
    assert title.text == "Speed <of> things"
    assert description(BARS) == "In ms & more. one: 10 (8 to 12); <b>two</b>: 5. a bound: 7.5."


def test_bars_on_a_logarithmic_axis_are_points() -> None:
    chart = BarChart("t", "u", [Bar("one", Measured(10, 8, 12), "a")], log=True)
    root = drawn(chart)
    assert not list(root.iter(f"{SVG}rect"))
    assert len(list(root.iter(f"{SVG}circle"))) == 1


def test_lines_run_through_their_points_and_name_themselves() -> None:
    points = [(1.0, Measured(1, 1, 1)), (10.0, Measured(100, 90, 110)), (100.0, Measured(10, 9, 11))]
    chart = LineChart("t", "n", "ms", [Line("up", points)], log_x=True, log_y=True, reference=(50, "enough"))
    path = next(line for line in drawn(chart).iter(f"{SVG}polyline") if line.attrib["points"].count(",") == 3)
    xs, ys = zip(*(map(float, pair.split(",")) for pair in path.attrib["points"].split()), strict=True)
    assert list(xs) == sorted(xs)
    assert ys[1] < ys[2] < ys[0]
    assert description(chart) == "In ms, by n. up: 1: 1, 10: 100 (90 to 110), 100: 10 (9 to 11). enough: 50."


def test_a_gantt_chart_draws_each_span_where_it_was() -> None:
    rows = [Row("dough", 0, 100, [(0, 25), (50, 100)]), Row("water", 10, 80, [])]
    chart = Gantt("t", "ms", [("cooks", rows)])
    blocks = [(float(r.attrib["x"]), float(r.attrib["width"])) for r in drawn(chart).iter(f"{SVG}rect")]
    assert len(blocks) == 2
    assert math.isclose(blocks[1][1], 2 * blocks[0][1], rel_tol=0.01)
    assert math.isclose(blocks[1][0], blocks[1][1], rel_tol=0.01)
    assert description(chart) == (
        "In ms. cooks: dough from 0 to 100, running for 75 in 2 spans; water from 10 to 80, running for 0 in 0 spans."
    )


def test_a_series_keeps_its_colour_whatever_else_a_chart_shows() -> None:
    palette = ("a", "b", "c")
    assert colours_of(["c", "x"], palette)["c"] == colours_of(["c"], palette)["c"] == 2
    assert colours_of(["c", "x"], palette)["x"] == 3
