from crawler.frontier.hosts import Entry, HostQueues
from crawler.types import CrawlRequest

HOST = "example.test"


def queues(requests: int) -> HostQueues:
    """A host that was asked before, so that it may have two leases, a second apart, with requests waiting."""
    hosts = HostQueues(per_host=2, delay=1.0, most=100)
    entries: list[Entry] = [(0, 0, n, CrawlRequest(f"http://{HOST}/{n}", HOST)) for n in range(requests + 1)]
    hosts.push(entries, now=0.0)
    hosts.give_back(lease(hosts, 0.0), now=0.0, pause=0.0, asked=True)
    return hosts


def lease(hosts: HostQueues, now: float) -> CrawlRequest:
    [entry] = hosts.lease(1, now)
    return entry[3]


def test_a_lease_that_was_not_used_costs_the_host_no_delay() -> None:
    hosts = queues(2)
    hosts.give_back(lease(hosts, 10.0), now=10.0, pause=0.0, asked=False)
    assert lease(hosts, 10.0)


def test_a_lease_that_was_not_used_takes_nothing_from_the_delay_of_a_later_one() -> None:
    hosts = queues(4)
    first = lease(hosts, 10.0)
    refused = lease(hosts, 11.0)
    hosts.give_back(first, now=11.5, pause=0.0, asked=True)
    later = lease(hosts, 12.0)
    hosts.give_back(later, now=12.2, pause=0.0, asked=True)
    hosts.give_back(refused, now=12.3, pause=0.0, asked=False)
    assert hosts.lease(1, now=12.5) == []
    assert lease(hosts, 13.0)


def test_a_lease_that_was_not_used_does_not_end_a_pause() -> None:
    hosts = queues(3)
    first = lease(hosts, 10.0)
    refused = lease(hosts, 11.0)
    hosts.give_back(first, now=11.1, pause=60.0, asked=True)  # Retry-After
    hosts.give_back(refused, now=11.2, pause=0.0, asked=False)
    assert hosts.lease(1, now=30.0) == []
    assert lease(hosts, 71.2)
