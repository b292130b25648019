import asyncio
import os
import subprocess
import sys
import time

from crawler.metrics import LagMeter, MemoryMeter, Metrics, shares
from crawler.types import CrawlRequest, ErrorKind, Fetched, Outcome, Record, RecordError


def fetched(request: CrawlRequest, body: bytes) -> Fetched:
    return Fetched(request, request.url, 200, {}, body, ttfb_s=0.1, total_s=0.2, wire_bytes=len(body) + 5)


def test_committed_records_are_counted_by_outcome_error_status_and_host() -> None:
    metrics = Metrics(first_fetch=10.0)
    good = CrawlRequest("http://a.test/", "a.test")
    bad = CrawlRequest("http://b.test/", "b.test")
    error = RecordError(ErrorKind.RESET, "reset")
    metrics.committed(
        [
            Record(good, Outcome.OK, 0.0, fetched=fetched(good, b"12345")),
            Record(bad, Outcome.FAILED, 0.0, error),
        ],
        12.5,
    )
    assert metrics.outcomes == {Outcome.OK: 1, Outcome.FAILED: 1}
    assert metrics.errors == {"reset": 1}
    assert metrics.statuses == {200: 1}
    assert (metrics.pages, metrics.bytes, metrics.wire_bytes, metrics.seconds) == (2, 5, 10, 2.5)
    assert (metrics.hosts["a.test"].pages, metrics.hosts["a.test"].errors) == (1, 0)
    assert metrics.hosts["b.test"].errors == 1


def test_the_rows_of_hosts_are_bounded() -> None:
    metrics = Metrics()
    records = [Record(CrawlRequest(f"http://h{n}/", f"h{n}"), Outcome.OK, 0.0) for n in range(10_050)]
    metrics.committed(records, 1.0)
    assert len(metrics.hosts) == 10_001
    assert metrics.hosts["(others)"].pages == 50


def test_lag_quantiles_are_within_a_tenth() -> None:
    meter = LagMeter()
    for n in range(1, 1001):
        meter.observe(n / 1000)
    assert 0.45 <= meter.quantile(0.5) <= 0.55
    assert 0.9 <= meter.quantile(0.99) <= 1.0
    assert meter.as_json()["max"] == 1000.0


async def test_a_blocked_loop_shows_as_lag() -> None:
    meter, blocked_s = LagMeter(period=0.001), 0.05
    task = asyncio.create_task(meter.run())
    await asyncio.sleep(0)  # the meter has begun its first period
    end = time.perf_counter() + blocked_s
    while time.perf_counter() < end:
        pass
    while not meter.as_json()["max"]:  # noqa: ASYNC110 - its timer is overdue and fires in the loop's next rounds
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert meter.as_json()["max"] >= (blocked_s - 0.001) * 1e3 * 0.9


def test_the_memory_of_child_processes_counts() -> None:
    meter = MemoryMeter()
    alone = meter.sample()
    code = "import sys; data = bytearray(60_000_000); print('ready', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        assert child.stdin
        child.stdout.readline()
        assert meter.sample() > alone + 50_000_000
        child.stdin.close()
    assert meter.peak > alone + 50_000_000
    assert os.getpid() != child.pid


def test_shares_add_up_to_one() -> None:
    parts = shares({"a": 1.0, "b": 3.0})
    assert parts == {"a": {"seconds": 1.0, "share": 0.25}, "b": {"seconds": 3.0, "share": 0.75}}
    assert shares({"a": 0.0})["a"]["share"] == 0.0
