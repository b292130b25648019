"""What a configuration makes of the CPU stage."""

import pytest

from cpu_stage.types import Json
from crawler.config import load, usable_cores
from crawler.staging import stage_of


@pytest.mark.skipif(usable_cores() < 2, reason="workers share the loop's work where they have a core of their own")
@pytest.mark.parametrize(
    ("settings", "shares", "nice"),
    [
        ({"analyzers": []}, True, 0),
        ({"analyzers": ["language"]}, True, 5),
        ({"analyzers": [], "parse.where": "worker"}, False, 5),
        ({"analyzers": [], "parse.where": "loop"}, False, 5),
        ({"analyzers": [], "cpu.executor": "threads"}, False, 5),
    ],
    ids=["they only share the parsing", "they analyse too", "they parse all", "they parse nothing", "they are threads"],
)
def test_workers_come_after_the_loop_unless_all_they_do_is_its_work(
    settings: dict[str, Json], shares: bool, nice: int
) -> None:
    order = stage_of(load([], {}, [], settings).config)
    assert (order.shares, order.plan.nice) == (shares, nice)
