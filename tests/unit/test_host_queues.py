"""The sans-I/O half of a frontier: what is due, what is in memory, what it asks the store for."""

from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.frontier.hostqueue import Item
from crawler.frontier.hosts import FrontierSettings, HostQueues, Refill
from crawler.frontier.seen import SeenSet
from crawler.types import CrawlRequest


def item(n: int, host: str = "a.test", depth: int = 0, priority: int = 0) -> Item:
    return -priority, depth, n, CrawlRequest(f"http://{host}/{n}", host, depth, priority=priority)


def queues(
    *, per_host: int = 1, delay: float = 0.0, active_hosts: int = 100, buffer: int = 4, items: Iterable[Item] = ()
) -> HostQueues:
    hosts = HostQueues(FrontierSettings(per_host, delay, active_hosts, buffer))
    for one in items:
        hosts.add(one, 0.0)
    return hosts


def finish(hosts: HostQueues, leased: Iterable[CrawlRequest], now: float) -> None:
    for request in leased:
        hosts.fetched(request, now, pause=0.0, asked=True)
        hosts.committed(request.url, now)


def drain(hosts: HostQueues, now: float = 0.0) -> list[int]:
    """Lease and finish one at a time until there is no more in memory; return the ids."""
    order = []
    while leased := hosts.lease(1, now):
        order.append(int(leased[0].url.rpartition("/")[2]))
        finish(hosts, leased, now)
    return order


class Store:
    """The rows that a real store would hold: all that was added and not committed."""

    def __init__(self, items: Iterable[Item]) -> None:
        self.rows = {one[2]: one for one in items}

    def refill(self, hosts: HostQueues, now: float = 0.0) -> int:
        """Answer what is asked for; return how many rows that were."""
        wants, dormant = hosts.wants()
        asked = {want.host: set(want.held) for want in wants}
        names = sorted({one[3].host for one in self.rows.values()} - hosts.active())
        refills = [self.of(name, held, hosts.refill_size) for name, held in asked.items()]
        refills += [self.of(name, set(), hosts.first_size) for name in names[:dormant]]
        hosts.refilled(refills, now, dormant=bool(dormant) and len(names) > dormant)
        return sum(len(refill.items) for refill in refills)

    def of(self, name: str, held: set[int], size: int) -> Refill:
        rows = sorted(one for one in self.rows.values() if one[3].host == name and one[2] not in held)
        return Refill(name, None, 0.0, rows[:size], complete=len(rows) <= size)

    def crawl(self, hosts: HostQueues, now: float = 0.0) -> list[int]:
        """Lease, refill and finish until nothing is left; return the ids in their order."""
        order: list[int] = []
        while self.rows:
            leased = hosts.lease(1, now)
            order += [int(request.url.rpartition("/")[2]) for request in leased]
            finish(hosts, leased, now)
            for request in leased:
                del self.rows[int(request.url.rpartition("/")[2])]
            if not leased:
                assert hosts.starved(), "nothing to lease, and nothing to refill"
                self.refill(hosts, now)
        return order


# Memory


def test_a_host_keeps_its_best_requests_in_memory_and_leaves_the_others_to_the_store() -> None:
    hosts = queues(items=[item(n, depth=9 - n) for n in range(10)])
    assert drain(hosts) == [9, 8, 7, 6]
    assert hosts.starved()


def test_what_comes_after_the_stored_ones_is_left_to_the_store_too() -> None:
    hosts = queues(items=[item(n) for n in range(5)])  # 4 is in the store only
    assert drain(hosts) == [0, 1, 2, 3]
    hosts.add(item(5), 0.0)
    assert drain(hosts) == []


@settings(derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=40), st.integers(1, 6))
def test_any_number_of_requests_comes_out_in_order(ranks: list[tuple[int, int]], buffer: int) -> None:
    items = [item(n, depth=depth, priority=priority) for n, (depth, priority) in enumerate(ranks)]
    hosts = queues(buffer=buffer, items=items)
    assert Store(items).crawl(hosts) == [one[2] for one in sorted(items)]


def test_a_better_request_that_comes_during_a_refill_is_not_overtaken_by_it() -> None:
    items = [item(n, depth=5) for n in range(20)]
    hosts, store = queues(items=items), Store(items)
    for n in drain(hosts):
        del store.rows[n]
    wants, _ = hosts.wants()
    assert wants[0].held == []
    stale = [store.of("a.test", set(wants[0].held), hosts.refill_size)]
    late = item(100, depth=1)
    hosts.add(late, 0.0)
    store.rows[100] = late
    hosts.refilled(stale, 0.0, dormant=False)
    assert store.crawl(hosts)[0] == 100


def test_a_request_that_falls_out_of_memory_during_a_refill_comes_back_in_its_turn() -> None:
    items = [item(n, depth=5) for n in range(8)]
    hosts, store = queues(items=items), Store(items)
    for n in range(3):
        finish(hosts, hosts.lease(1, 0.0), 0.0)
        del store.rows[n]
    wants, _ = hosts.wants()
    stale = [store.of("a.test", set(wants[0].held), hosts.refill_size)]
    for n in range(50, 54):  # 3 makes room for them
        better = item(n, depth=1)
        hosts.add(better, 0.0)
        store.rows[n] = better
    hosts.refilled(stale, 0.0, dormant=False)
    assert store.crawl(hosts) == [50, 51, 52, 53, 3, 4, 5, 6, 7]


def test_a_refill_asks_only_for_what_is_not_in_memory() -> None:
    items = [item(n) for n in range(20)]
    hosts = queues(per_host=20, items=items)
    first = hosts.lease(1, 0.0)
    hosts.fetched(first[0], 0.0, pause=0.0, asked=True)
    hosts.lease(2, 0.0)
    wants, _ = hosts.wants()
    assert [(want.host, sorted(want.held)) for want in wants] == [("a.test", [0, 1, 2, 3])]


def test_requests_in_memory_stay_bounded_however_many_hosts_there_are() -> None:
    items = [item(n, host=f"{n % 4000}.test") for n in range(80_000)]
    hosts = queues(active_hosts=4000, buffer=256, per_host=100, items=items)
    in_memory = 0
    while leased := hosts.lease(10_000, 0.0):
        in_memory += len(leased)
        for request in leased:
            hosts.fetched(request, 0.0, pause=0.0, asked=True)
    assert 32_000 <= in_memory <= 65_536


# Dormant hosts


def test_hosts_that_become_active_together_do_not_each_bring_the_share_of_the_only_one() -> None:
    hosts = HostQueues(FrontierSettings(per_host=1, delay=0.0), dormant=True)
    store = Store(item(1_000 * host + n, f"{host}.test") for host in range(100) for n in range(1_000))
    read = 0
    while hosts.hungry():
        read += store.refill(hosts)
    assert len(hosts.active()) == 100
    assert read <= 100 * 128


def test_more_hosts_than_may_be_active_take_turns() -> None:
    items = [item(10 * h + n, host=f"{h}.test") for n in range(3) for h in range(7)]
    hosts = queues(active_hosts=2, items=items)
    assert sorted(Store(items).crawl(hosts)) == sorted(one[2] for one in items)


def test_a_dormant_host_is_not_woken_while_there_is_no_room() -> None:
    hosts = queues(active_hosts=1, items=[item(1, "a.test"), item(2, "b.test")])
    assert not hosts.starved()
    assert [request.host for request in hosts.lease(5, 0.0)] == ["a.test"]
    assert not hosts.starved()


def test_a_host_that_pauses_for_long_gives_its_place_to_another() -> None:
    items = [item(1, "a.test"), item(2, "a.test"), item(3, "b.test")]
    hosts, store = queues(active_hosts=1, items=items), Store(items)
    (first,) = hosts.lease(5, 0.0)
    hosts.fetched(first, 0.0, pause=3600.0, asked=True)
    hosts.committed(first.url, 0.0)
    del store.rows[1]
    assert hosts.starved()
    store.refill(hosts)
    assert [request.host for request in hosts.lease(5, 0.0)] == ["b.test"]
    assert hosts.next_due(0.0) == 3600.0
    assert hosts.lease(5, 3600.0) == []
    store.refill(hosts, 3600.0)
    assert [request.url for request in hosts.lease(5, 3600.0)] == ["http://a.test/2"]


def test_hosts_that_are_done_are_forgotten() -> None:
    hosts = queues(active_hosts=10)
    for n in range(1000):
        hosts.add(item(n, host=f"{n}.test"), float(n))
        finish(hosts, hosts.lease(1, float(n)), float(n))
    assert len(hosts.known) == 1000
    assert len(hosts.active()) <= 20


def test_a_host_is_not_forgotten_before_its_delay_has_passed() -> None:
    hosts = queues(active_hosts=1, delay=100.0)
    for n in range(20):
        hosts.add(item(n, host=f"{n}.test"), 0.0)
        finish(hosts, hosts.lease(1, 0.0), 0.0)
    hosts.add(item(100, host="0.test"), 1.0)
    assert hosts.lease(1, 1.0) == []
    assert hosts.next_due(1.0) == 99.0


# Politeness


def test_the_host_that_was_served_least_recently_comes_first() -> None:
    hosts = queues(items=[item(n, host=f"{n % 3}.test") for n in range(9)])
    order = []
    for _ in range(9):
        leased = hosts.lease(1, 0.0)
        order.append(leased[0].host)
        finish(hosts, leased, 0.0)
    assert order == ["0.test", "1.test", "2.test"] * 3


def test_a_lease_takes_one_request_of_each_host_before_a_second_of_any() -> None:
    hosts = queues(per_host=4, items=[item(n, host=f"{n % 3}.test") for n in range(12)])
    finish(hosts, hosts.lease(3, 0.0), 0.0)
    assert [request.host for request in hosts.lease(6, 0.0)] == ["0.test", "1.test", "2.test"] * 2


def test_a_resumed_crawl_asks_no_host_before_its_delay_has_passed() -> None:
    settings = FrontierSettings(per_host=1, delay=5.0)
    hosts = HostQueues(settings, SeenSet(), resumed_at=100.0, dormant=True)
    slow = Refill("slow.test", 30.0, 0.0, [item(1, "slow.test")], complete=True)
    usual = Refill("usual.test", None, 0.0, [item(2, "usual.test")], complete=True)
    paused = Refill("paused.test", None, 60.0, [item(3, "paused.test")], complete=True)
    hosts.wants()
    hosts.refilled([slow, usual, paused], 100.0, dormant=False)
    hosts.add(item(4, "new.test"), 100.0)
    assert hosts.lease(9, 104.9) == []
    assert sorted(request.host for request in hosts.lease(9, 105.0)) == ["new.test", "usual.test"]
    assert [request.host for request in hosts.lease(9, 130.0)] == ["slow.test"]
    assert [request.host for request in hosts.lease(9, 160.0)] == ["paused.test"]


def test_a_lease_that_did_not_ask_costs_no_delay_but_undoes_no_pause() -> None:
    hosts = queues(per_host=2, delay=10.0, items=[item(n) for n in range(4)])
    finish(hosts, hosts.lease(1, 0.0), 0.0)
    (asked,) = hosts.lease(1, 10.0)
    (refused,) = hosts.lease(1, 20.0)
    hosts.fetched(asked, 20.0, pause=30.0, asked=True)
    hosts.fetched(refused, 20.0, pause=0.0, asked=False)
    assert hosts.next_due(20.0) == 30.0


def test_nothing_is_due_by_time_where_a_host_only_rests() -> None:
    hosts = queues(delay=10.0, items=[item(1)])
    (request,) = hosts.lease(1, 0.0)
    assert hosts.next_due(0.0) is None
    hosts.fetched(request, 0.0, pause=500.0, asked=True)
    assert hosts.next_due(0.0) is None


def test_a_host_is_not_filled_up_before_most_of_what_it_began_with_is_used() -> None:
    hosts = HostQueues(FrontierSettings(1_000, 0.0, 100, 1_000), dormant=True)
    began = Store(item(n) for n in range(1_000)).refill(hosts)
    drained = 0
    while not hosts.wants()[0]:
        [leased] = hosts.lease(1, 0.0)
        finish(hosts, [leased], 0.0)
        drained += 1
    assert drained == began - began // 4
