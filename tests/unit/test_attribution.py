"""What held a crawl back, from how busy each resource was."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.attribution import Groups, Use, bottleneck, outlook

TWO = Groups(workers=2, connections=10, cores=2, apart=True)


@pytest.mark.parametrize("name", ["politeness", "connections", "workers", "cores", "loop", "sinks"])
def test_the_busiest_resource_is_the_bottleneck(name: str) -> None:
    assert bottleneck(Use(**{"politeness": 0.6, "workers": 0.7, name: 0.9})) == name


def test_where_nothing_is_busy_the_crawl_waited_for_links() -> None:
    assert bottleneck(Use(politeness=0.1, connections=0.3, loop=0.4)) == "discovery"


def test_one_more_worker_brings_its_share_where_workers_alone_are_busy() -> None:
    assert outlook(Use(workers=0.96, cores=0.5), TWO) == {"worker": 0.5, "connection": 0.0}


def test_the_next_resource_bounds_the_gain() -> None:
    assert outlook(Use(workers=0.96, cores=0.8), TWO) == {"worker": 0.2, "connection": 0.0}


def test_workers_on_busy_cores_gain_nothing() -> None:
    assert outlook(Use(workers=0.98, cores=1.0), TWO)["worker"] == 0.0


def test_one_more_connection_brings_its_share() -> None:
    assert outlook(Use(connections=1.0), TWO) == {"worker": 0.0, "connection": 0.1}


_share = st.floats(0, 1)


@given(st.builds(Use, _share, _share, _share, _share, _share, _share), st.integers(1, 64), st.integers(1, 1000))
@settings(derandomize=True, deadline=None, max_examples=200)
def test_more_never_costs_and_never_brings_more_than_its_share(use: Use, workers: int, connections: int) -> None:
    gains = outlook(use, Groups(workers, connections, cores=2, apart=True))
    assert 0 <= gains["worker"] <= 1 / workers + 0.001
    assert 0 <= gains["connection"] <= 1 / connections + 0.001
