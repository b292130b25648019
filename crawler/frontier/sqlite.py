"""The frontier in SQLite: one file, one writer thread, one transaction per commit.

A row is queued or done; leases live in memory only, so whatever was not committed is queued again on the next
start. SQLite runs in WAL mode with synchronous=NORMAL: a kill loses nothing that was committed, a power cut may
lose the last commits but never the order of them. One connection writes; readers never checkpoint.
"""

import asyncio
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from crawler.errors import JobError
from crawler.frontier.hosts import Entry, HostQueue, HostQueues
from crawler.types import CrawlRequest, Done, FrontierCounts, Outcome

T = TypeVar("T")
VERSION = 1
_PENDING = 10_000
_ALIAS = "alias"
_HASH = (1 << 60) - 1

_SCHEMA = """
CREATE TABLE urls (
  id INTEGER PRIMARY KEY, url TEXT NOT NULL, host TEXT NOT NULL, depth INTEGER NOT NULL,
  priority INTEGER NOT NULL, parent TEXT, outcome TEXT);
CREATE INDEX queued ON urls (host, priority DESC, depth, id) WHERE outcome IS NULL;
CREATE TABLE sinks (name TEXT PRIMARY KEY, position INTEGER NOT NULL);
CREATE TABLE delays (host TEXT PRIMARY KEY, delay REAL NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class FrontierSettings:
    """Politeness and bounds: leases per host, seconds between them, requests of a host held in memory."""

    per_host: int = 2
    delay: float = 0.25
    buffer: int = 256


class SqliteFrontier:
    """See :class:`crawler.protocols.Frontier`. ``path`` None keeps everything in memory."""

    def __init__(
        self, path: Path | None, settings: FrontierSettings, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._path = path
        self._settings = settings
        self._now = now
        self._queues = HostQueues(settings.per_host, settings.delay, settings.buffer)
        self._seen: set[int] = set()
        self._ids: dict[str, int] = {}  # of leased requests
        self._next_id = 1
        self._pending: list[tuple[Any, ...]] = []
        self._delays: dict[str, float] = {}
        self._outcomes: Counter[Outcome] = Counter()
        self._known = 0
        self._done = 0
        self._writer = ThreadPoolExecutor(1, "frontier")
        self._db: sqlite3.Connection | None = None

    async def open(self) -> Mapping[str, int]:
        """Open or create the store; return the sinks' positions."""
        return await self._in_writer(self._open)

    async def add(self, requests: Sequence[CrawlRequest]) -> int:
        """Queue new requests; they can be leased at once and are stored by the next commit."""
        entries = list(self._admit(requests))
        self._queues.push(entries, self._now())
        if len(self._pending) >= _PENDING:
            await self.commit((), {})
        return len(entries)

    def _admit(self, requests: Sequence[CrawlRequest]) -> Iterator[Entry]:
        for request in requests:
            key = hash(request.url) & _HASH
            if key in self._seen:
                continue
            self._seen.add(key)
            self._known += 1
            r, row = request, self._next_id
            self._next_id += 1
            self._pending.append((row, r.url, r.host, r.depth, r.priority, r.parent, None))
            yield (-r.priority, r.depth, row, r)

    async def lease(self, limit: int) -> Sequence[CrawlRequest]:
        """Hand out requests of hosts that are due."""
        for host in self._queues.hungry():
            await self._refill(host)
        leased = self._queues.lease(limit, self._now())
        for entry in leased:
            self._ids[entry[3].url] = entry[2]
        return [entry[3] for entry in leased]

    def fetched(self, request: CrawlRequest, *, pause: float = 0.0, asked: bool = True) -> None:
        """Free the host."""
        self._queues.give_back(request, self._now(), pause=pause, asked=asked)

    def again(self, leased: CrawlRequest, successor: CrawlRequest, *, after: float = 0.0, pause: float = 0.0) -> None:
        """Give the lease back and queue its successor first in its host's line."""
        now = self._now()
        row = self._ids.pop(leased.url)
        self._queues.give_back(leased, now, pause=pause, asked=True)
        self._queues.push_later((-successor.priority, successor.depth, row, successor), now + after)

    async def claim(self, url: str) -> bool:
        """Mark a redirect target as known."""
        key = hash(url) & _HASH
        if key in self._seen:
            return False
        self._seen.add(key)
        return True

    def set_delay(self, host: str, delay: float) -> None:
        """Set a host's delay; it is stored by the next commit."""
        self._delays[host] = delay
        self._queues.set_delay(host, delay, self._now())

    def next_due(self) -> float | None:
        """Return the seconds until a queued request is due."""
        return self._queues.next_due(self._now())

    def counts(self) -> FrontierCounts:
        """Count what it holds."""
        leased = len(self._ids)
        queued = self._known - self._done - leased
        return FrontierCounts(self._known, queued, leased, len(self._queues), dict(self._outcomes))

    async def commit(self, done: Sequence[Done], positions: Mapping[str, int]) -> None:
        """Store everything since the last commit in one transaction."""
        pending, self._pending = self._pending, []
        delays, self._delays = self._delays, {}
        rows = [(each.outcome.value, self._ids[each.request.url]) for each in done]
        aliases = [
            (hop, each.request.host, each.request.depth, 0, each.request.url, _ALIAS)
            for each in done
            if each.outcome is not Outcome.SKIPPED
            for hop in each.request.redirects
        ]
        self._next_id += len(aliases)
        first = self._next_id - len(aliases)
        aliases_with_id = [(first + n, *alias) for n, alias in enumerate(aliases)]
        await self._in_writer(self._store, pending + aliases_with_id, rows, positions, delays)
        for each in done:
            del self._ids[each.request.url]
            self._outcomes[each.outcome] += 1
        self._done += len(done)

    async def seed_hosts(self) -> list[str]:
        """Return the hosts of the seeds, and those that they redirected to."""
        return await self._in_writer(self._seed_hosts)

    async def aclose(self) -> None:
        """Close the store."""
        await self._in_writer(self._close)
        self._writer.shutdown()

    async def _in_writer(self, call: Callable[..., T], *arguments: Any) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._writer, call, *arguments)
        except sqlite3.Error as error:
            raise JobError(f"{self._path}: {error}") from error

    # In the writer thread

    def _open(self) -> Mapping[str, int]:
        self._db = db = sqlite3.connect(str(self._path or ":memory:"), isolation_level=None, check_same_thread=False)
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise JobError(f"{self._path}: made by a newer version (format {version}; this one reads {VERSION})")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        if version == 0:
            db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
        self._load(db)
        return dict(db.execute("SELECT name, position FROM sinks").fetchall())

    def _load(self, db: sqlite3.Connection) -> None:
        for row, url, outcome in db.execute("SELECT id, url, outcome FROM urls"):
            self._seen.add(hash(url) & _HASH)
            self._next_id = max(self._next_id, row + 1)
            if outcome == _ALIAS:
                continue
            self._known += 1
            if outcome is not None:
                self._done += 1
                self._outcomes[Outcome(outcome)] += 1
        now = self._now()
        for (name,) in db.execute("SELECT DISTINCT host FROM urls WHERE outcome IS NULL").fetchall():
            self._queues.resume(name, now + self._settings.delay)  # a kill must not break politeness
        for name, delay in db.execute("SELECT host, delay FROM delays").fetchall():
            self._queues.set_delay(name, delay, now)

    async def _refill(self, host: HostQueue) -> None:
        """Read the head of a host's queue from the store, which has to hold all of it first."""
        known = self._next_id  # what is added from here on may be in neither the rows read nor memory
        await self.commit((), {})
        busy = set(self._ids.values()) | self._queues.later_ids()
        rows = await self._in_writer(self._read, host.name, self._settings.buffer + len(busy))
        host.stored = len(rows) == self._settings.buffer + len(busy)
        fresh = [row for row in rows if row[0] not in busy][: self._settings.buffer]
        stored = host.stored or len(fresh) == self._settings.buffer or self._next_id != known
        host.stored = False
        entries = [(-r[4], r[3], r[0], CrawlRequest(r[1], r[2], r[3], r[5], r[4])) for r in fresh]
        self._queues.push(entries, self._now())
        host.stored = stored

    def _read(self, host: str, limit: int) -> list[tuple[Any, ...]]:
        assert self._db is not None
        query = (
            "SELECT id, url, host, depth, priority, parent FROM urls WHERE host = ? AND outcome IS NULL"
            " ORDER BY priority DESC, depth, id LIMIT ?"
        )
        return self._db.execute(query, (host, limit)).fetchall()

    def _store(
        self,
        added: Sequence[tuple[Any, ...]],
        done: Sequence[tuple[str, int]],
        positions: Mapping[str, int],
        delays: Mapping[str, float],
    ) -> None:
        db = self._db
        assert db is not None
        db.execute("BEGIN IMMEDIATE")
        try:
            db.executemany("INSERT INTO urls VALUES (?, ?, ?, ?, ?, ?, ?)", added)
            db.executemany("UPDATE urls SET outcome = ? WHERE id = ?", done)
            db.executemany("INSERT OR REPLACE INTO sinks VALUES (?, ?)", list(positions.items()))
            db.executemany("INSERT OR REPLACE INTO delays VALUES (?, ?)", list(delays.items()))
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")

    def _seed_hosts(self) -> list[str]:
        assert self._db is not None
        return [host for (host,) in self._db.execute("SELECT DISTINCT host FROM urls WHERE depth = 0")]

    def _close(self) -> None:
        if self._db is not None:
            self._db.close()


def read_counts(path: Path) -> FrontierCounts:
    """Count a job's URLs from outside, also while a crawl writes; reads only."""
    try:
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            rows = db.execute("SELECT outcome, count(*) FROM urls GROUP BY outcome").fetchall()
            (hosts,) = db.execute("SELECT count(DISTINCT host) FROM urls").fetchone()
        finally:
            db.close()
    except sqlite3.Error as error:
        raise JobError(f"{path}: {error}") from error
    outcomes = {Outcome(name): n for name, n in rows if name not in {None, _ALIAS}}
    queued = sum(n for name, n in rows if name is None)
    return FrontierCounts(queued + sum(outcomes.values()), queued, 0, hosts, outcomes)
