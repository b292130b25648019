"""A frontier against a model of it that is too simple to be wrong. A binding gives ``make``, as for the suite.

The model keeps every URL in one dictionary and looks through all of it for each question. It says of each lease
whether it was due and whether it was the best of its host; where nothing is leased, that nothing was due.
"""

import abc
import asyncio
import math
import tempfile
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from crawler.protocols import Frontier
from crawler.types import CrawlRequest, Done, Outcome
from tests.contract.frontier_suite import Clock, Place, page, polite

T = TypeVar("T")
QUEUED, LEASED, FETCHED, DONE = range(4)
HOSTS = st.sampled_from(["a.test", "b.test", "c.test", "d.test"])
PAUSES = st.sampled_from([0.0, 0.5, 2.0, 100.0])

few_steps = settings(
    derandomize=True,
    deadline=None,
    max_examples=60,
    stateful_step_count=40,
    suppress_health_check=[HealthCheck.too_slow],  # a busy machine is not the frontier's fault
)


@dataclass(slots=True)
class Url:
    request: CrawlRequest  # as it will be, or was, leased
    added: CrawlRequest
    place: int  # in the order of adding
    state: int = QUEUED
    returned: bool = False
    not_before: float = -math.inf
    spaced_before: float = -math.inf

    @property
    def rank(self) -> tuple[object, ...]:
        """First what was given back, by its time; then by priority, depth and age."""
        if self.returned:
            return (0, self.not_before, self.place)
        return (1, -self.added.priority, self.added.depth, self.place)


@dataclass(slots=True)
class Host:
    delay: float
    paused: float = -math.inf
    spaced: float = -math.inf
    lasting: float = -math.inf
    probed: bool = False
    leases: int = 0
    last: str = ""

    @property
    def due(self) -> float:
        return max(self.paused, self.spaced)


class FrontierMachine(RuleBasedStateMachine):
    @abc.abstractmethod
    def make(self, place: Place) -> Frontier: ...

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.urls: dict[str, Url] = {}
        self.hosts: dict[str, Host] = {}
        self.claimed: set[str] = set()  # not committed yet
        self.aliases: set[str] = set()
        self.positions: dict[str, int] = {}
        self.resumed = -math.inf

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(coroutine)

    @initialize(
        per_host=st.integers(1, 3),
        delay=st.sampled_from([0.0, 4.0]),
        active=st.sampled_from([2, 100]),
        buffer=st.sampled_from([1, 2, 3, 256]),
    )
    def start(self, per_host: int, delay: float, active: int, buffer: int) -> None:
        self.settings = polite(per_host, delay, active_hosts=active, buffer=buffer)
        self.open()

    def open(self) -> None:
        self.frontier = self.make(Place(Path(self.folder.name), self.clock, self.settings))
        assert dict(self.run(self.frontier.open())) == self.positions

    # What the model knows

    @property
    def now(self) -> float:
        return self.clock.time

    def host(self, name: str) -> Host:
        if name not in self.hosts:
            self.hosts[name] = Host(self.settings.delay, paused=self.resumed + self.settings.delay)
        return self.hosts[name]

    def in_state(self, *states: int) -> list[Url]:
        return [url for url in self.urls.values() if url.state in states]

    def is_free(self, host: Host) -> bool:
        return host.leases < (self.settings.per_host if host.probed else 1)

    def due_times(self) -> list[float]:
        """When each queued URL could be leased; nothing of those whose hosts have no free lease."""
        return [
            max(self.host(url.request.host).due, url.not_before)
            for url in self.in_state(QUEUED)
            if self.is_free(self.host(url.request.host))
        ]

    def best_of(self, name: str) -> Url:
        queued = [url for url in self.in_state(QUEUED) if url.request.host == name and url.not_before <= self.now]
        return min(queued, key=lambda url: url.rank)

    def end_lease(self, url: Url, pause: float, *, asked: bool) -> None:
        host = self.host(url.request.host)
        host.leases -= 1
        host.probed = True
        if not asked and host.last == url.request.url:
            host.spaced = url.spaced_before
        host.paused = max(host.paused, self.now + (max(pause, host.delay) if asked else pause))
        if pause >= 1.0:
            host.lasting = host.paused

    # Rules

    @rule(pages=st.lists(st.tuples(st.integers(0, 60), HOSTS, st.integers(0, 3), st.integers(0, 1)), max_size=12))
    def add(self, pages: list[tuple[int, str, int, int]]) -> None:
        requests = [page(*each) for each in pages]
        new = {request.url: request for request in reversed(requests) if request.url not in self.urls}
        assert self.run(self.frontier.add(requests)) == len(new)
        for request in requests:
            if request.url in new:
                self.urls.setdefault(request.url, Url(new[request.url], new[request.url], len(self.urls)))
                self.host(request.host)

    @rule(seconds=st.sampled_from([0.5, 4.0, 100.0]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(limit=st.integers(1, 8))
    def lease(self, limit: int) -> None:
        leased = self.run(self.frontier.lease(limit))
        assert len(leased) <= limit
        for request in leased:
            self.check_lease(request)
        if not leased and self.settings.active_hosts > len(self.hosts):
            due = self.due_times()
            assert self.frontier.next_due() == (min(due) - self.now if due else None)
            assert min(due, default=math.inf) > self.now

    def check_lease(self, request: CrawlRequest) -> None:
        host, url = self.host(request.host), self.urls[request.url]
        assert url is self.best_of(request.host)
        assert request == url.request
        assert self.is_free(host)
        assert host.due <= self.now
        url.state, url.returned, url.not_before = LEASED, False, -math.inf
        url.spaced_before = host.spaced
        host.spaced, host.last = self.now + host.delay, request.url
        host.leases += 1

    @precondition(lambda self: self.in_state(LEASED))
    @rule(data=st.data(), pause=PAUSES, asked=st.booleans())
    def fetched(self, data: st.DataObject, pause: float, asked: bool) -> None:
        url = data.draw(st.sampled_from(self.in_state(LEASED)))
        self.frontier.fetched(url.request, pause=pause, asked=asked)
        self.end_lease(url, pause, asked=asked)
        url.state = FETCHED

    @precondition(lambda self: self.in_state(LEASED))
    @rule(data=st.data(), pause=PAUSES, after=PAUSES)
    def retry(self, data: st.DataObject, pause: float, after: float) -> None:
        url = data.draw(st.sampled_from(self.in_state(LEASED)))
        self.give_back(url, replace(url.request, attempt=url.request.attempt + 1), after, pause)

    @precondition(lambda self: self.in_state(LEASED))
    @rule(data=st.data(), name=HOSTS)
    def redirect(self, data: st.DataObject, name: str) -> None:
        url = data.draw(st.sampled_from(self.in_state(LEASED)))
        hop = f"{url.request.url}/hop-{len(url.request.redirects)}/{name}"
        known = hop in self.claimed | self.aliases
        assert self.run(self.frontier.claim(hop)) is not known
        if not known:
            self.claimed.add(hop)
            redirects = (*url.request.redirects, hop)
            self.give_back(url, replace(url.request, host=name, redirects=redirects), 0.0, 0.0)

    def give_back(self, url: Url, successor: CrawlRequest, after: float, pause: float) -> None:
        self.frontier.again(url.request, successor, after=after, pause=pause)
        self.end_lease(url, pause, asked=True)
        self.host(successor.host)
        url.request, url.state, url.returned, url.not_before = successor, QUEUED, True, self.now + after

    @rule(name=HOSTS, delay=st.sampled_from([1.0, 8.0]))
    def set_delay(self, name: str, delay: float) -> None:
        if name in self.hosts and self.hosts[name].leases:  # its robots.txt was asked for by a lease
            host = self.hosts[name]
            self.frontier.set_delay(name, delay)
            host.spaced += max(0.0, delay - host.delay)
            host.delay = delay

    @rule(data=st.data(), position=st.integers(0, 9))
    def commit(self, data: st.DataObject, position: int) -> None:
        done = [url for url in self.in_state(FETCHED) if data.draw(st.booleans())]
        self.run(self.frontier.commit([Done(url.request, Outcome.OK) for url in done], {"sink": position}))
        self.positions["sink"] = position
        for url in done:
            url.state = DONE
            self.aliases.update(url.request.redirects)

    @rule()
    def open_again(self) -> None:
        self.run(self.frontier.aclose())
        for url in self.in_state(QUEUED, LEASED, FETCHED):
            url.request, url.state, url.returned, url.not_before = url.added, QUEUED, False, -math.inf
        self.claimed.clear()
        self.resumed = self.now
        for host in self.hosts.values():
            host.leases, host.probed, host.spaced = 0, False, -math.inf
            host.paused = max(self.resumed + host.delay, host.lasting)
        self.open()

    # Always

    @invariant()
    def counts_are_right(self) -> None:
        if self.resumed == -math.inf and not self.urls:
            return  # before the first rule, perhaps before start
        counts, states = self.frontier.counts(), Counter(url.state for url in self.urls.values())
        assert counts.known == len(self.urls)
        assert counts.queued == states[QUEUED]
        assert counts.leased == states[LEASED] + states[FETCHED]
        assert counts.outcomes.get(Outcome.OK, 0) == states[DONE]

    def teardown(self) -> None:
        """Crawl to the end: nothing may be left behind, or come twice."""
        try:
            for url in self.in_state(LEASED):
                self.fetched_all(url)
            while self.in_state(QUEUED):
                self.clock.advance(200.0)
                leased = self.run(self.frontier.lease(100))
                assert leased, "queued, long due, and not leased"
                for request in leased:
                    self.check_lease(request)
                    self.fetched_all(self.urls[request.url])
            assert self.run(self.frontier.lease(100)) == []
            assert self.frontier.next_due() is None
        finally:
            self.run(self.frontier.aclose())
            self.loop.close()
            self.folder.cleanup()

    def fetched_all(self, url: Url) -> None:
        self.frontier.fetched(url.request)
        self.end_lease(url, 0.0, asked=True)
        url.state = FETCHED
        self.run(self.frontier.commit([Done(url.request, Outcome.OK)], {}))
        url.state = DONE
