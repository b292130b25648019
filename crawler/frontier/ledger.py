"""The SQL of the SQLite frontier: one file, one connection, one thread.

::

    urls       one row per URL that is known: queued (outcome NULL), done (its outcome), or a redirect target
               (``alias``). ``parent`` is the row of the parent, or its URL where it has no row.
    queue      index of the queued rows, in the order in which a host's URLs are leased
    hosts      what must outlive the process: a host's own delay, its pause (end by the wall clock, and length)
    positions  of the sinks, as of the last transaction
    meta       ``version`` of this format, ``created_at``

Write-ahead log with ``synchronous=NORMAL``: a killed process loses nothing that was committed; a power cut may lose
the last commits, never consistency. A closed ledger is one plain file, without a log.

SQLite before 3.51.3 can damage a file while two connections checkpoint it at the same moment. Here only one ever
does: readers open the file read-only.
"""

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import orjson

from crawler.errors import JobError
from crawler.frontier import schema
from crawler.frontier.hosts import Refill, Want
from crawler.frontier.seen import SeenSet
from crawler.types import CrawlRequest, Outcome

_CACHE_KIB = 8192
_HOST_IDS = 65_536  # kept in memory

_INSERT_URLS = (
    "INSERT INTO urls (id, url, host, depth, priority, parent, outcome) SELECT"
    " json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),"
    " json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]'),"
    " json_extract(value, '$[6]') FROM json_each(?)"
)
_SET_OUTCOMES = (
    "UPDATE urls SET outcome = json_extract(done.value, '$[0]') FROM json_each(?) done"
    " WHERE urls.id = json_extract(done.value, '$[1]')"
)
_NEXT_URLS = (
    "SELECT json_group_array(json_array(id, url, depth, priority, source)) FROM ("
    "SELECT id, url, depth, priority, coalesce((SELECT url FROM urls p WHERE p.id = u.parent), parent) source"
    " FROM urls u WHERE host = ? AND outcome IS NULL AND id NOT IN (SELECT value FROM json_each(?))"
    " ORDER BY priority DESC, depth, id LIMIT ?)"
)
"""Many rows in one step of a statement: at each step the module gives up the interpreter's lock, and has to win it back
from an event loop that is busy."""

UrlRow = tuple[int, str, str, int, int, int | str | None, str | None]
"""``(id, url, host name, depth, priority, parent, outcome)``."""


@dataclass(frozen=True, slots=True)
class HostChange:
    """What is new of a host. None: as it was. ``paused_until`` is wall clock time."""

    delay: float | None = None
    pause: float | None = None
    paused_until: float | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """One transaction. ``done``: (outcome, row)."""

    urls: Sequence[UrlRow]
    done: Sequence[tuple[str, int]]
    hosts: Mapping[str, HostChange]
    positions: Mapping[str, int]

    def __bool__(self) -> bool:
        """Whether anything changes."""
        return bool(self.urls or self.done or self.hosts or self.positions)


@dataclass(frozen=True, slots=True)
class Question:
    """What to read after a transaction: ``size`` requests at most of each host in ``wants``, and ``first`` of others.

    The others are ``dormant`` hosts at most that have queued requests and are not ``active``. ``now`` is wall clock
    time.
    """

    wants: Sequence[Want]
    dormant: int
    active: Collection[str]
    size: int
    first: int
    now: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What was read. ``more``: there are other dormant hosts."""

    refills: Sequence[Refill] = ()
    more: bool = False


@dataclass(frozen=True, slots=True)
class Contents:
    """What a ledger holds when it is opened. ``existed``: it was not created just now."""

    existed: bool
    seen: SeenSet
    hosts: SeenSet
    last_id: int
    queued: int
    outcomes: Mapping[Outcome, int]
    positions: Mapping[str, int]


class Ledger:
    """The open file (None: in memory). Every method belongs to one thread, and raises JobError."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._name = ":memory:" if path is None else str(path)
        self._host_ids: dict[str, int] = {}
        self._cursor = 0  # the last dormant host that was read
        self._data_version = 0
        self._db: sqlite3.Connection

    def open(self) -> Contents:
        """Open or create the file, and read all of it but the requests."""
        if self._path is not None and self._path.exists() and self._path.stat().st_size:
            schema.check_file(self._path)
        with schema.explained(self._name):
            if self._path is not None:
                with suppress(OSError):  # SQLite says it better
                    self._path.touch(mode=0o600)
            self._db = sqlite3.connect(self._name, timeout=schema.BUSY_S, isolation_level=None)
            try:
                return self._read_all(existed=self._prepare())
            except BaseException:
                self._db.close()
                raise

    def close(self) -> None:
        """Close the file. Readers may keep it from becoming a plain file without a log; that does no harm."""
        with suppress(sqlite3.Error):
            self._db.execute("PRAGMA journal_mode = DELETE")
        self._db.close()

    def step(self, changes: Changes, question: Question) -> Answer:
        """Store the changes in one transaction; then read."""
        with schema.explained(self._name):
            if changes:
                with self._transaction():
                    self._write(changes)
            return self._read(question)

    def seed_hosts(self) -> list[str]:
        """Return the hosts of all URLs of depth 0, redirect targets included."""
        with schema.explained(self._name):
            sql = "SELECT name FROM hosts WHERE id IN (SELECT host FROM urls WHERE depth = 0) ORDER BY id"
            return [name for (name,) in self._db.execute(sql)]

    def pages_of_hosts(self) -> dict[str, int]:
        """Return how many URLs of each host are done, those aside that no host was asked for."""
        with schema.explained(self._name):
            sql = (
                "SELECT name, count(*) FROM urls JOIN hosts ON hosts.id = urls.host"
                " WHERE outcome IN (?, ?, ?) GROUP BY name"
            )
            return dict(self._db.execute(sql, (Outcome.OK, Outcome.HTTP_ERROR, Outcome.FAILED)))

    # Open

    def _prepare(self) -> bool:
        """Set up the connection and, in a new file, the tables; return whether they were there."""
        db = self._db
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        (self._data_version,) = db.execute("PRAGMA data_version").fetchone()
        with self._transaction():
            return schema.prepare(db, self._name)

    def _read_all(self, *, existed: bool) -> Contents:
        db = self._db
        (last_id,) = db.execute("SELECT coalesce(max(id), 0) FROM urls").fetchone()
        seen, hosts = SeenSet(expected=last_id), SeenSet()
        for (url,) in db.execute("SELECT url FROM urls"):
            seen.add(url)
        for (name,) in db.execute("SELECT name FROM hosts"):
            hosts.add(name)
        queued, outcomes = schema.count(db)
        positions = dict(db.execute("SELECT sink, position FROM positions"))
        return Contents(existed, seen, hosts, last_id, queued, outcomes, positions)

    # Write

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing; refuses to go on where another process has written to the file."""
        db = self._db
        db.execute("BEGIN IMMEDIATE")
        try:
            (version,) = db.execute("PRAGMA data_version").fetchone()
            if version != self._data_version:
                raise JobError(f"{self._name}: another process writes to it")
            yield
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:  # some errors have rolled it back already
                db.execute("ROLLBACK")
            raise

    def _write(self, changes: Changes) -> None:
        db = self._db
        ids = self._ids({row[2] for row in changes.urls}.union(changes.hosts))
        rows = orjson.dumps([(row, url, ids[host], *rest) for row, url, host, *rest in changes.urls]).decode()
        db.execute(_INSERT_URLS, (rows,))
        db.execute(_SET_OUTCOMES, (orjson.dumps(changes.done).decode(),))
        db.executemany(
            "UPDATE hosts SET delay = coalesce(?, delay), pause = coalesce(?, pause),"
            " paused_until = coalesce(?, paused_until) WHERE id = ?",
            [(c.delay, c.pause, c.paused_until, ids[host]) for host, c in changes.hosts.items()],
        )
        db.executemany("INSERT OR REPLACE INTO positions (sink, position) VALUES (?, ?)", changes.positions.items())

    def _ids(self, names: Collection[str]) -> Mapping[str, int]:
        """Return the rows of hosts; unknown ones get theirs."""
        known = self._host_ids
        if len(known) > _HOST_IDS:
            known.clear()
        new = [(name,) for name in names if name not in known]
        self._db.executemany("INSERT OR IGNORE INTO hosts (name) VALUES (?)", new)
        for name in new:
            (known[name[0]],) = self._db.execute("SELECT id FROM hosts WHERE name = ?", name).fetchone()
        return known

    # Read

    def _read(self, question: Question) -> Answer:
        size, first, now = question.size, question.first, question.now
        refills = [r for want in question.wants if (r := self._refill(want.host, want.held, size, now))]
        names, more = self._dormant(question)
        refills += [r for name in names if (r := self._refill(name, (), first, now))]
        return Answer(refills, more)

    def _refill(self, name: str, held: Sequence[int], size: int, now: float) -> Refill | None:
        sql = "SELECT id, delay, pause, paused_until FROM hosts WHERE name = ?"
        row = self._db.execute(sql, (name,)).fetchone()
        if row is None:
            return None
        host, delay, pause, until = row
        # A clock that was set back must not make the pause longer than it was.
        left = 0.0 if until is None else min(max(0.0, until - now), pause)
        sought = host, orjson.dumps(held).decode(), size + 1  # one more, to know whether there are others
        (found,) = self._db.execute(_NEXT_URLS, sought).fetchone()
        rows = orjson.loads(found)
        items = [
            (-priority, depth, row, CrawlRequest(url, name, depth, parent, priority))
            for row, url, depth, priority, parent in rows[:size]
        ]
        return Refill(name, delay, left, items, complete=len(rows) <= size)

    def _dormant(self, question: Question) -> tuple[list[str], bool]:
        """Return the next hosts with queued URLs that are not active, in turns; and whether there may be more."""
        names: list[str] = []
        start = self._cursor
        hosts = chain(self._queued_hosts(start, None), self._queued_hosts(0, start)) if question.dormant else ()
        for host in hosts:
            self._cursor = host
            (name,) = self._db.execute("SELECT name FROM hosts WHERE id = ?", (host,)).fetchone()
            if name not in question.active:
                names.append(name)
            if len(names) == question.dormant:
                return names, True
        return names, False

    def _queued_hosts(self, after: int, last: int | None) -> Iterator[int]:
        """Return hosts with queued URLs, by one seek in the index per host, however many URLs it has."""
        sql = "SELECT min(host) FROM urls WHERE outcome IS NULL AND host > ?"
        while True:
            (host,) = self._db.execute(sql, (after,)).fetchone()
            if host is None or (last is not None and host > last):
                return
            yield host
            after = host
