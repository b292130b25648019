"""A run over time."""

from crawler.bench.matrix.orders import Line
from crawler.bench.matrix.timeline import timeline


def test_pages_cores_and_lags_fall_into_their_steps() -> None:
    """Four steps of a tenth of a second: nothing, two pages, one, one; one core, then two, then none."""
    line = Line(100.0, [0.16, 0.17, 0.26, 0.41], [(0.06, 0.001), (0.29, 0.15), (0.36, 0.002)])
    cpu = [(99.0, 5.0), (100.0, 5.0), (100.1, 5.1), (100.2, 5.3), (100.5, 5.3)]
    found = timeline(line, 0.4, cpu)
    assert found["seconds"][0] == 0.025
    assert len({len(values) for values in found.values()}) == 1
    assert len(found["seconds"]) == 8
    assert found["pages_per_second"] == [0.0, 0.0, 0.0, 40.0, 0.0, 20.0, 0.0, 20.0]
    assert found["cores"] == [1.0, 1.0, 2.0, 2.0, 0.0, 0.0, 0.0, 0.0]
    assert found["lag_ms"] == [0.0, 1.0, 150.0, 150.0, 150.0, 150.0, 0.0, 2.0]


def test_a_long_run_has_no_more_steps_than_a_chart_can_show() -> None:
    line = Line(0.0, [float(second) for second in range(1, 3_600)], [])
    found = timeline(line, 3_600.0, [(0.0, 0.0), (3_600.0, 1_800.0)])
    assert len(found["seconds"]) == 24
    assert all(abs(rate - 1) < 0.01 for rate in found["pages_per_second"])
    assert set(found["cores"]) == {0.5}
