"""What every frontier promises. A binding gives ``make``: a frontier of the same store each time.

The durable ones also keep :class:`DurableFrontierSuite`: what is left after a close, and after ``kill -9``.
"""

import abc
import asyncio
import contextlib
import multiprocessing
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from crawler.frontier.hosts import FrontierSettings
from crawler.protocols import Frontier
from crawler.types import CrawlRequest, Done, Outcome

HOUR = 3600.0


@dataclass(slots=True)
class Clock:
    """A clock that stands still until it is moved; ``wall`` may be moved alone."""

    time: float = 1000.0
    ahead: float = 1_700_000_000.0

    def now(self) -> float:
        return self.time

    def wall(self) -> float:
        return self.time + self.ahead

    def advance(self, seconds: float) -> None:
        self.time += seconds


@dataclass(frozen=True, slots=True)
class Place:
    """Where a frontier is to be made, and how."""

    folder: Path
    clock: Clock
    settings: FrontierSettings


Make = Callable[[Place], Frontier]


def polite(per_host: int = 1, delay: float = 0.0, *, active_hosts: int = 100, buffer: int = 256) -> FrontierSettings:
    return FrontierSettings(per_host, delay, active_hosts, buffer)


def page(n: int, host: str = "a.test", depth: int = 0, priority: int = 0, parent: str | None = None) -> CrawlRequest:
    return CrawlRequest(f"http://{host}/{n}", host, depth, parent, priority)


def numbers(requests: Sequence[CrawlRequest]) -> list[int]:
    return [int(request.url.rpartition("/")[2]) for request in requests]


async def finish(frontier: Frontier, leased: Sequence[CrawlRequest], outcome: Outcome = Outcome.OK) -> None:
    for request in leased:
        frontier.fetched(request)
    await frontier.commit([Done(request, outcome) for request in leased], {})


async def drain(frontier: Frontier, at_once: int = 1) -> list[CrawlRequest]:
    """Crawl all that is due, as an engine does; return it in the order of the leases."""
    order: list[CrawlRequest] = []
    while leased := await frontier.lease(at_once):
        order += leased
        await finish(frontier, leased)
    return order


class FrontierSuite(abc.ABC):
    @abc.abstractmethod
    def make(self, place: Place) -> Frontier:
        """Return a frontier that is not open yet."""

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @contextlib.asynccontextmanager
    async def open(
        self, folder: Path, clock: Clock | None = None, settings: FrontierSettings | None = None
    ) -> AsyncIterator[Frontier]:
        frontier = self.make(Place(folder, clock or Clock(), settings or polite()))
        await frontier.open()
        try:
            yield frontier
        finally:
            await frontier.aclose()

    # What it knows

    async def test_a_url_is_queued_once(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as frontier:
            assert await frontier.add([page(1), page(2), page(1)]) == 2
            assert await frontier.add([page(2), page(3)]) == 1
            assert sorted(numbers(await drain(frontier))) == [1, 2, 3]
            assert await frontier.add([page(1), page(2), page(3)]) == 0

    async def test_what_is_unknown_is_neither_queued_nor_claimed(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as frontier:
            await frontier.add([page(1), page(2)])
            await frontier.claim(page(3).url)
            urls = [page(n).url for n in (5, 1, 4, 3, 2, 4)]
            assert list(frontier.unknown(urls)) == [page(n).url for n in (5, 4, 4)]
            assert await frontier.add([page(4)]) == 1
            assert list(frontier.unknown(urls)) == [page(5).url]

    async def test_a_request_comes_back_as_it_was(self, tmp_path: Path) -> None:
        request = page(7, depth=3, priority=2, parent="http://b.test/parent")
        async with self.open(tmp_path) as frontier:
            await frontier.add([request])
            assert list(await frontier.lease(5)) == [request]

    async def test_counts_follow_a_url_from_queue_to_outcome(self, tmp_path: Path) -> None:
        async with self.open(tmp_path, settings=polite(per_host=9)) as frontier:
            await frontier.add([page(1), page(2, "b.test"), page(3, "b.test")])
            counts = frontier.counts()
            assert (counts.known, counts.queued, counts.leased, counts.hosts) == (3, 3, 0, 2)
            one, two = await frontier.lease(2)
            counts = frontier.counts()
            assert (counts.known, counts.queued, counts.leased) == (3, 1, 2)
            frontier.fetched(one)
            frontier.fetched(two)
            assert frontier.counts().leased == 2
            await frontier.commit([Done(one, Outcome.OK), Done(two, Outcome.FAILED)], {})
            counts = frontier.counts()
            assert (counts.known, counts.queued, counts.leased) == (3, 1, 0)
            assert counts.outcomes == {Outcome.OK: 1, Outcome.FAILED: 1}

    # Order

    async def test_a_host_is_crawled_breadth_first_and_by_priority_before_that(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as frontier:
            await frontier.add([page(1, depth=2), page(2, depth=1), page(3, depth=1), page(4, depth=0)])
            await frontier.add([page(5, depth=9, priority=1), page(6, depth=1)])
            assert numbers(await drain(frontier)) == [5, 4, 2, 3, 6, 1]

    async def test_the_order_holds_where_memory_holds_only_a_part(self, tmp_path: Path) -> None:
        rng = random.Random(1)
        async with self.open(tmp_path, settings=polite(buffer=4)) as frontier:
            pages = [page(n, depth=rng.randrange(5), priority=rng.randrange(2)) for n in range(200)]
            await frontier.add(pages)
            await frontier.commit([], {})
            order = await drain(frontier)
        assert order == sorted(pages, key=lambda p: (-p.priority, p.depth))

    async def test_what_is_found_on_the_way_takes_its_place_in_the_order(self, tmp_path: Path) -> None:
        order: list[CrawlRequest] = []
        async with self.open(tmp_path, settings=polite(buffer=2)) as frontier:
            await frontier.add([page(0)])
            while leased := await frontier.lease(1):
                order += leased
                n, depth = numbers(leased)[0], leased[0].depth
                await frontier.add([page(m, depth=depth + 1) for m in (3 * n + 1, 3 * n + 2, 3 * n + 3) if m < 200])
                await finish(frontier, leased)
        assert numbers(order) == list(range(200))

    async def test_hosts_take_turns(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as frontier:
            await frontier.add([page(n, "abc"[n // 10] + ".test") for n in range(30)])
            order = [request.host for request in await drain(frontier)]
        assert order == ["a.test", "b.test", "c.test"] * 10

    async def test_every_url_of_a_flood_is_leased_once(self, tmp_path: Path) -> None:
        async with self.open(tmp_path, settings=polite(per_host=50, active_hosts=20, buffer=16)) as frontier:
            pages = [page(n, f"{n % 40}.test", depth=n % 3) for n in range(20_000)]
            assert await frontier.add(pages) == 20_000
            order = await drain(frontier, 500)
            assert frontier.counts().outcomes == {Outcome.OK: 20_000}
        assert Counter(p.url for p in order) == Counter(p.url for p in pages)

    async def test_more_hosts_than_may_be_active_are_all_crawled(self, tmp_path: Path) -> None:
        async with self.open(tmp_path, settings=polite(active_hosts=3)) as frontier:
            await frontier.add([page(n, f"{n % 20}.test") for n in range(100)])
            order = await drain(frontier, 50)
        assert sorted(numbers(order)) == list(range(100))

    async def test_urls_of_a_dormant_host_are_found_also_when_they_come_late(self, tmp_path: Path) -> None:
        async with self.open(tmp_path, settings=polite(active_hosts=1)) as frontier:
            await frontier.add([page(1, "a.test"), page(2, "b.test")])
            (first,) = await frontier.lease(9)
            await frontier.add([page(3, "b.test"), page(4, "a.test")])
            await finish(frontier, [first])
            assert sorted(numbers(await drain(frontier))) == [2, 3, 4]

    # Politeness

    async def test_a_new_host_has_one_lease_until_that_is_given_back(self, tmp_path: Path) -> None:
        async with self.open(tmp_path, settings=polite(per_host=3)) as frontier:
            await frontier.add([page(n) for n in range(9)])
            (first,) = await frontier.lease(9)
            assert frontier.next_due() is None
            frontier.again(first, first)
            assert numbers(await frontier.lease(9)) == [0, 1, 2]
            assert list(await frontier.lease(9)) == []
            assert frontier.next_due() is None

    async def test_the_delay_lies_between_the_end_of_a_lease_and_the_next(self, tmp_path: Path, clock: Clock) -> None:
        async with self.open(tmp_path, clock, polite(delay=10.0)) as frontier:
            await frontier.add([page(1), page(2)])
            (first,) = await frontier.lease(9)
            clock.advance(3.0)
            frontier.fetched(first)
            assert frontier.next_due() == 10.0
            clock.advance(9.9)
            assert list(await frontier.lease(9)) == []
            clock.advance(0.1)
            assert frontier.next_due() == 0.0
            assert numbers(await frontier.lease(9)) == [2]

    async def test_the_delay_lies_also_between_the_starts_of_leases(self, tmp_path: Path, clock: Clock) -> None:
        async with self.open(tmp_path, clock, polite(per_host=3, delay=10.0)) as frontier:
            await frontier.add([page(n) for n in range(9)])
            frontier.fetched((await frontier.lease(9))[0])
            starts = []
            for _ in range(40):
                clock.advance(1.0)
                starts += [clock.time for _ in await frontier.lease(9)]
            assert starts == [1010.0, 1020.0, 1030.0]

    async def test_hosts_do_not_wait_for_one_another(self, tmp_path: Path, clock: Clock) -> None:
        async with self.open(tmp_path, clock, polite(delay=10.0)) as frontier:
            await frontier.add([page(1, "a.test"), page(2, "a.test"), page(3, "b.test")])
            assert numbers(await frontier.lease(1)) == [1]
            assert numbers(await frontier.lease(1)) == [3]

    async def test_a_pause_that_is_longer_than_the_delay_counts_from_the_end(
        self, tmp_path: Path, clock: Clock
    ) -> None:
        async with self.open(tmp_path, clock, polite(delay=1.0)) as frontier:
            await frontier.add([page(1), page(2)])
            (first,) = await frontier.lease(1)
            clock.advance(5.0)
            frontier.fetched(first, pause=30.0)
            assert frontier.next_due() == 30.0

    async def test_a_lease_that_did_not_ask_the_host_costs_it_no_delay(self, tmp_path: Path, clock: Clock) -> None:
        async with self.open(tmp_path, clock, polite(delay=10.0)) as frontier:
            await frontier.add([page(n) for n in range(3)])
            for n in range(3):
                (request,) = await frontier.lease(9)
                assert numbers([request]) == [n]
                frontier.fetched(request, asked=False)

    async def test_a_delay_of_its_own_takes_the_place_of_the_usual_one(self, tmp_path: Path, clock: Clock) -> None:
        async with self.open(tmp_path, clock, polite(delay=1.0)) as frontier:
            await frontier.add([page(1), page(2), page(3)])
            (first,) = await frontier.lease(1)
            frontier.set_delay("a.test", 20.0)
            frontier.fetched(first)
            assert frontier.next_due() == 20.0
            clock.advance(20.0)
            (second,) = await frontier.lease(1)
            frontier.fetched(second)
            assert frontier.next_due() == 20.0

    async def test_nothing_will_be_due_where_nothing_is_queued(self, tmp_path: Path, clock: Clock) -> None:
        async with self.open(tmp_path, clock, polite(delay=10.0)) as frontier:
            assert frontier.next_due() is None
            assert list(await frontier.lease(9)) == []
            await frontier.add([page(1)])
            assert frontier.next_due() == 0.0
            await finish(frontier, await frontier.lease(9))
            assert frontier.next_due() is None

    async def test_the_rest_of_a_pause_does_not_outlast_the_crawl(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as frontier:
            await frontier.add([page(1)])
            (request,) = await frontier.lease(9)
            frontier.fetched(request, pause=HOUR)
            await frontier.commit([Done(request, Outcome.OK)], {})
            assert frontier.next_due() is None

    async def test_hosts_in_a_long_pause_do_not_keep_others_waiting(self, tmp_path: Path, clock: Clock) -> None:
        async with self.open(tmp_path, clock, polite(active_hosts=2)) as frontier:
            await frontier.add([page(10 * h + n, f"{h}.test") for h in range(5) for n in range(2)])
            paused: list[CrawlRequest] = []
            while leased := await frontier.lease(9):
                paused += leased
                for request in leased:
                    frontier.fetched(request, pause=HOUR)
            assert sorted(numbers(paused)) == [0, 10, 20, 30, 40]
            assert frontier.next_due() == HOUR
            await frontier.commit([Done(request, Outcome.OK) for request in paused], {})
            clock.advance(HOUR)
            assert sorted(numbers(await drain(frontier))) == [1, 11, 21, 31, 41]

    # Leases that are given back

    async def test_a_successor_comes_first_and_as_it_was_given(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as frontier:
            await frontier.add([page(1), page(2)])
            (first,) = await frontier.lease(1)
            retry = replace(first, attempt=2)
            frontier.again(first, retry)
            assert frontier.counts().leased == 0
            assert list(await frontier.lease(1)) == [retry]

    async def test_a_successor_that_must_wait_lets_others_go_first(self, tmp_path: Path, clock: Clock) -> None:
        async with self.open(tmp_path, clock) as frontier:
            await frontier.add([page(1), page(2), page(3)])
            (first,) = await frontier.lease(1)
            frontier.again(first, replace(first, attempt=2), after=5.0)
            second = await frontier.lease(1)
            assert numbers(second) == [2]
            clock.advance(5.0)
            await finish(frontier, second)
            assert numbers(await drain(frontier)) == [1, 3]

    async def test_a_successor_alone_is_due_when_it_has_waited(self, tmp_path: Path, clock: Clock) -> None:
        async with self.open(tmp_path, clock, polite(delay=1.0)) as frontier:
            await frontier.add([page(1)])
            (first,) = await frontier.lease(1)
            frontier.again(first, first, after=5.0)
            assert frontier.next_due() == 5.0
            clock.advance(5.0)
            (first,) = await frontier.lease(1)
            frontier.again(first, first, after=5.0, pause=8.0)
            assert frontier.next_due() == 8.0

    async def test_a_redirect_to_another_host_waits_for_that_host(self, tmp_path: Path, clock: Clock) -> None:
        async with self.open(tmp_path, clock, polite(delay=10.0)) as frontier:
            await frontier.add([page(1, "a.test"), page(2, "a.test"), page(3, "b.test")])
            from_a, from_b = await frontier.lease(9)
            hop = replace(from_a, host="b.test", redirects=("http://b.test/hop",))
            frontier.again(from_a, hop)
            clock.advance(5.0)
            frontier.fetched(from_b)
            clock.advance(5.0)
            assert numbers(await frontier.lease(9)) == [2]
            clock.advance(5.0)
            leased = await frontier.lease(9)
            assert list(leased) == [hop]
            assert leased[0].target == "http://b.test/hop"

    async def test_a_redirect_to_a_new_host_needs_no_place_among_the_active(self, tmp_path: Path) -> None:
        async with self.open(tmp_path, settings=polite(active_hosts=1)) as frontier:
            await frontier.add([page(1, "a.test"), page(2, "a.test")])
            (first,) = await frontier.lease(9)
            hop = replace(first, host="b.test", redirects=("http://b.test/hop",))
            frontier.again(first, hop)
            assert sorted(numbers(await frontier.lease(9))) == [1, 2]

    async def test_a_redirected_url_is_not_leased_twice(self, tmp_path: Path) -> None:
        async with self.open(tmp_path, settings=polite(buffer=2)) as frontier:
            await frontier.add([page(n) for n in range(20)])
            (first,) = await frontier.lease(1)
            hop = replace(first, host="b.test", redirects=("http://b.test/hop",))
            frontier.again(first, hop, after=HOUR)
            assert numbers(await drain(frontier)) == list(range(1, 20))
            assert frontier.counts().queued == 1

    async def test_a_redirect_target_is_known_for_ever(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as frontier:
            await frontier.add([page(1), page(2)])
            assert not await frontier.claim("http://a.test/2")
            assert await frontier.claim("http://a.test/hop")
            assert not await frontier.claim("http://a.test/hop")
            assert await frontier.add([CrawlRequest("http://a.test/hop", "a.test")]) == 0
            assert frontier.counts().known == 2

    async def test_a_request_that_broke_before_it_was_fetched_frees_its_host(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as frontier:
            await frontier.add([page(1), page(2)])
            (broken,) = await frontier.lease(1)
            await frontier.commit([Done(broken, Outcome.FAILED)], {})
            assert numbers(await drain(frontier)) == [2]

    async def test_a_new_store_has_no_positions(self, tmp_path: Path) -> None:
        frontier = self.make(Place(tmp_path, Clock(), polite()))
        assert dict(await frontier.open()) == {}
        await frontier.aclose()


class DurableFrontierSuite(FrontierSuite):
    """For stores that outlive the process."""

    # Close and open again

    async def test_only_what_was_committed_is_done(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as frontier:
            await frontier.add([page(n, f"{n}.test") for n in range(4)])
            one, two, three = await frontier.lease(3)
            frontier.fetched(one)
            frontier.fetched(two)
            await frontier.commit([Done(one, Outcome.HTTP_ERROR)], {})
        async with self.open(tmp_path) as frontier:
            counts = frontier.counts()
            assert (counts.known, counts.queued, counts.leased, counts.hosts) == (4, 3, 0, 4)
            assert counts.outcomes == {Outcome.HTTP_ERROR: 1}
            assert await frontier.add([page(n, f"{n}.test") for n in range(4)]) == 0
            assert {two, three} <= set(await drain(frontier))
            assert await frontier.lease(9) == []

    async def test_a_host_is_known_to_be_done_also_when_its_last_requests_fill_the_memory(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as frontier:
            await frontier.add([page(1)])
        async with self.open(tmp_path, settings=polite(buffer=1)) as frontier:
            (request,) = await frontier.lease(9)
            frontier.fetched(request, pause=HOUR)
            await frontier.commit([Done(request, Outcome.OK)], {})
            assert frontier.next_due() is None

    async def test_positions_are_those_of_the_last_commit(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as frontier:
            await frontier.commit([], {"jsonl": 10, "warc": 5})
            await frontier.commit([], {"jsonl": 20})
        frontier = self.make(Place(tmp_path, Clock(), polite()))
        assert dict(await frontier.open()) == {"jsonl": 20, "warc": 5}
        await frontier.aclose()

    async def test_what_was_added_is_kept_by_a_close(self, tmp_path: Path) -> None:
        request = page(7, depth=3, priority=2, parent="http://b.test/parent")
        async with self.open(tmp_path) as frontier:
            await frontier.add([request])
        async with self.open(tmp_path) as frontier:
            assert await frontier.lease(9) == [request]

    async def test_parents_are_kept(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as frontier:
            await frontier.add([page(1)])
            (seed,) = await frontier.lease(1)
            await frontier.add([page(2, parent=seed.url), page(3, parent="http://a.test/no-record")])
            await finish(frontier, [seed])
        async with self.open(tmp_path) as frontier:
            parents = [request.parent for request in await drain(frontier)]
        assert parents == ["http://a.test/1", "http://a.test/no-record"]

    async def test_the_order_is_kept(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as frontier:
            await frontier.add([page(1, depth=2), page(2, depth=1), page(3, depth=1), page(4, depth=3, priority=1)])
        async with self.open(tmp_path, settings=polite(buffer=2)) as frontier:
            await frontier.add([page(5, depth=1)])
            assert numbers(await drain(frontier)) == [4, 2, 3, 5, 1]

    async def test_redirect_targets_stay_known_once_their_request_is_committed(self, tmp_path: Path) -> None:
        async with self.open(tmp_path, settings=polite(per_host=2)) as frontier:
            await frontier.add([page(1), page(2, "b.test")])
            one, two = await frontier.lease(2)
            for request in (one, two):
                assert await frontier.claim(request.url + "/hop")
            one, two = (replace(request, redirects=(request.url + "/hop",)) for request in (one, two))
            frontier.fetched(one)
            await frontier.commit([Done(one, Outcome.OK)], {})
        async with self.open(tmp_path) as frontier:
            assert not await frontier.claim(one.url + "/hop")
            assert await frontier.claim(two.url + "/hop")
            counts = frontier.counts()
            assert (counts.known, counts.queued, counts.outcomes) == (2, 1, {Outcome.OK: 1})

    async def test_a_known_url_that_was_redirected_to_stays_a_record_of_its_own(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as frontier:
            await frontier.add([page(1), page(2)])
            (first,) = await frontier.lease(1)
            assert not await frontier.claim("http://a.test/2")
            frontier.fetched(first)
            await frontier.commit([Done(replace(first, redirects=("http://a.test/2",)), Outcome.SKIPPED)], {})
        async with self.open(tmp_path) as frontier:
            assert numbers(await drain(frontier)) == [2]

    async def test_a_resumed_crawl_waits_for_each_delay_first(self, tmp_path: Path, clock: Clock) -> None:
        async with self.open(tmp_path, clock, polite(delay=5.0)) as frontier:
            await frontier.add([page(1, "a.test"), page(2, "b.test")])
            for request in await frontier.lease(2):
                frontier.set_delay(request.host, 60.0 if request.host == "a.test" else 5.0)
        async with self.open(tmp_path, clock, polite(delay=5.0)) as frontier:
            await frontier.add([page(3, "c.test")])
            assert await frontier.lease(9) == []
            assert frontier.next_due() == 5.0
            clock.advance(5.0)
            assert {request.host for request in await frontier.lease(9)} == {"b.test", "c.test"}
            clock.advance(55.0)
            assert [request.host for request in await frontier.lease(9)] == ["a.test"]

    async def test_a_pause_goes_on_by_the_wall_clock(self, tmp_path: Path, clock: Clock) -> None:
        async with self.open(tmp_path, clock) as frontier:
            await frontier.add([page(1), page(2)])
            (first,) = await frontier.lease(1)
            frontier.fetched(first, pause=100.0)
            await frontier.commit([Done(first, Outcome.HTTP_ERROR)], {})
        clock.ahead += 30.0  # the time between the processes; a monotonic clock does not count it
        async with self.open(tmp_path, clock) as frontier:
            assert await frontier.lease(9) == []
            assert frontier.next_due() == 70.0

    async def test_a_clock_that_was_set_back_does_not_make_a_pause_longer(self, tmp_path: Path, clock: Clock) -> None:
        async with self.open(tmp_path, clock) as frontier:
            await frontier.add([page(1), page(2)])
            (first,) = await frontier.lease(1)
            frontier.fetched(first, pause=100.0)
        clock.ahead -= 10 * HOUR
        async with self.open(tmp_path, clock) as frontier:
            assert await frontier.lease(9) == []
            assert frontier.next_due() == 100.0

    async def test_the_longest_of_two_pauses_is_kept(self, tmp_path: Path, clock: Clock) -> None:
        async with self.open(tmp_path, clock, polite(per_host=2)) as frontier:
            await frontier.add([page(n) for n in range(9)])
            frontier.fetched((await frontier.lease(1))[0])
            for request, pause in zip(await frontier.lease(2), (100.0, 2.0), strict=True):
                frontier.fetched(request, pause=pause)
        async with self.open(tmp_path, clock) as frontier:
            assert await frontier.lease(9) == []
            assert frontier.next_due() == 100.0

    # kill -9

    def test_a_kill_at_any_instant_loses_and_repeats_nothing_that_was_committed(self, tmp_path: Path) -> None:
        rng = random.Random(0)
        for _ in range(6):
            committed = _crawl_and_kill(self.make, tmp_path, rng.randrange(1, 40), rng.uniform(0.0, 0.01))
            asyncio.run(self._check_after_kill(tmp_path, committed))

    async def _check_after_kill(self, folder: Path, committed: int) -> None:
        frontier = self.make(Place(folder, Clock(), _CRAWL))
        positions = await frontier.open()
        assert positions["sink"] >= committed
        done = [int(line) for line in (folder / "sink").read_bytes()[: positions["sink"]].split()]
        counts = frontier.counts()
        assert len(done) == len(set(done)) == counts.outcomes[Outcome.OK]
        assert counts.known == counts.queued + len(done)
        assert not set(done) & set(numbers(await frontier.lease(1000)))
        assert await frontier.add([link for n in done for link in _links(n)]) == 0
        assert not any([await frontier.claim(_hop(n)) for n in done])
        await frontier.aclose()


# The crawl that is killed: its web is a tree without end. It keeps a sink, as a real one does: records first, then
# their position in the commit.

_CRAWL = polite(per_host=50, buffer=8)


def _links(n: int) -> list[CrawlRequest]:
    depth = len(f"{n:b}")
    return [page(m, f"{m % 5}.test", depth, parent=f"http://{n % 5}.test/{n}") for m in (2 * n, 2 * n + 1)]


def _hop(n: int) -> str:
    return f"http://hop.test/{n}"


def _crawl_and_kill(make: Make, folder: Path, commits: int, after: float) -> int:
    """Crawl in a process that is killed ``after`` some commits and seconds; return the position of the last."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_crawl, args=(make, folder, theirs))
    process.start()
    theirs.close()
    try:
        position = 0
        for _ in range(commits):
            position = ours.recv()
        time.sleep(after)  # waits for nothing: it is to hit another instant each time
    finally:
        process.kill()
        process.join()
        ours.close()
    return position


def _crawl(make: Make, folder: Path, committed: Connection) -> None:
    asyncio.run(_crawl_for_ever(make(Place(folder, Clock(), _CRAWL)), folder / "sink", committed))


async def _crawl_for_ever(frontier: Frontier, path: Path, committed: Connection) -> None:
    positions = await frontier.open()
    with path.open("ab") as sink:
        sink.truncate(positions.get("sink", 0))
        await frontier.add([page(1, "1.test")])
        while True:
            done = [await _visit(frontier, request) for request in await frontier.lease(25)]
            sink.writelines(f"{n}\n".encode() for n in numbers([item.request for item in done]))
            sink.flush()
            position = sink.seek(0, 2)
            await frontier.commit(done, {"sink": position})
            committed.send(position)


async def _visit(frontier: Frontier, request: CrawlRequest) -> Done:
    (n,) = numbers([request])
    frontier.fetched(request)
    await frontier.claim(_hop(n))
    await frontier.add(_links(n))
    return Done(replace(request, redirects=(_hop(n),)), Outcome.OK)
