"""The tables of a ledger, its version, and what SQLite's errors mean to a user."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from crawler.errors import JobError
from crawler.types import FrontierCounts, Outcome

ALIAS = "alias"
"""The outcome of a redirect target: known for ever, without a record of its own."""

BUSY_S = 5.0
"""How long to wait for another process that has locked the file, in seconds."""

_VERSION = 1
_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE hosts (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, delay REAL, pause REAL, paused_until REAL
);
CREATE TABLE urls (
    id INTEGER PRIMARY KEY, url TEXT NOT NULL, host INTEGER NOT NULL, depth INTEGER NOT NULL,
    priority INTEGER NOT NULL, parent, outcome TEXT
);
CREATE INDEX queue ON urls (host, priority DESC, depth) WHERE outcome IS NULL;
CREATE TABLE positions (sink TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID
"""
# What SQLite's own check lets pass: it stores values of any type in any column.
_WRONG_ROWS = {
    "hosts": """
        SELECT 1 FROM hosts WHERE typeof(name) <> 'text' OR typeof(delay) NOT IN ('null', 'real')
        OR typeof(pause) NOT IN ('null', 'real') OR typeof(paused_until) <> typeof(pause) LIMIT 1
    """,
    "positions": """
        SELECT 1 FROM positions
        WHERE typeof(sink) <> 'text' OR typeof(position) <> 'integer' OR position < 0 LIMIT 1
    """,
    "urls": """
        SELECT 1 FROM urls WHERE typeof(url) <> 'text' OR NOT (url GLOB 'http://*' OR url GLOB 'https://*')
        OR typeof(depth) <> 'integer' OR typeof(priority) <> 'integer'
        OR typeof(parent) NOT IN ('null', 'integer', 'text') OR host NOT IN (SELECT id FROM hosts) LIMIT 1
    """,
}
_REASONS = {
    sqlite3.SQLITE_FULL: "the disk is full; the last commit stands",
    sqlite3.SQLITE_IOERR: "the disk failed; the last commit stands",
    sqlite3.SQLITE_NOTADB: "is not a crawl's ledger",
    sqlite3.SQLITE_CORRUPT: "is damaged",
    sqlite3.SQLITE_BUSY: "another process writes to it",
    sqlite3.SQLITE_LOCKED: "another process writes to it",
    sqlite3.SQLITE_READONLY: "cannot be written",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened",
    sqlite3.SQLITE_PERM: "cannot be opened",
}


def prepare(db: sqlite3.Connection, name: str) -> bool:
    """Create the tables in an empty file, within the caller's transaction; return whether they were there.

    Raises:
        JobError: they are not those of this version.
    """
    if _check(db, name):
        return True
    for table in _TABLES.split(";"):
        db.execute(table)
    rows = [("version", _VERSION), ("created_at", time.time())]
    db.executemany("INSERT INTO meta (key, value) VALUES (?, ?)", rows)
    return False


def _check(db: sqlite3.Connection, name: str) -> bool:
    """Return whether there are tables, and they are ours; there are none where a kill came before the first."""
    if not db.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone():
        return False
    if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'meta'").fetchone():
        raise JobError(f"{name}: is an SQLite database, but not a crawl's ledger")
    alien = db.execute("SELECT type, name FROM sqlite_schema WHERE type NOT IN ('table', 'index')").fetchone()
    if alien:  # code of SQLite's own kind, which would run when we write
        raise JobError(f"{name}: has the {alien[0]} {alien[1]!r} in it, which no crawl makes")
    row = db.execute("SELECT value FROM meta WHERE key = 'version'").fetchone()
    if row != (_VERSION,):
        found = "none" if row is None else row[0]
        raise JobError(f"{name}: its format is of another version of this program ({found}, not {_VERSION})")
    return True


def count(db: sqlite3.Connection) -> tuple[int, dict[Outcome, int]]:
    """Return how many URLs are queued, and how many have which outcome."""
    counts = dict(db.execute("SELECT outcome, count(*) FROM urls GROUP BY outcome"))
    return counts.get(None, 0), {outcome: counts[outcome] for outcome in Outcome if outcome in counts}


def read_counts(path: Path) -> FrontierCounts:
    """Count what a ledger holds, also beside the process that writes it (what is leased there is queued here).

    Raises:
        JobError: there is no ledger, or it cannot be read.
    """
    with _read_only(path) as db:
        if not _check(db, str(path)):
            return FrontierCounts(0, 0, 0, 0)
        queued, outcomes = count(db)
        (hosts,) = db.execute("SELECT count(*) FROM hosts").fetchone()
        return FrontierCounts(queued + sum(outcomes.values()), queued, 0, hosts, outcomes)


def check_file(path: Path) -> None:
    """Check all of a ledger before anything touches it (0.7 s for a million URLs).

    A damage that shows later, in the middle of a crawl, would have cost records by then.

    Raises:
        JobError: it cannot be read, is damaged, or is of another version.
    """
    with _read_only(path) as db:
        if not _check(db, str(path)):
            return
        (found,) = db.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok":
            words = " ".join(str(found).split())
            raise JobError(f"{path}: {_REASONS[sqlite3.SQLITE_CORRUPT]} ({words})")
        for table, wrong_rows in _WRONG_ROWS.items():
            if db.execute(wrong_rows).fetchone():
                raise JobError(f"{path}: {_REASONS[sqlite3.SQLITE_CORRUPT]} (a value in the table {table!r})")


@contextmanager
def _read_only(path: Path) -> Iterator[sqlite3.Connection]:
    """Open one snapshot of a ledger."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    with explained(str(path)), closing(sqlite3.connect(uri, timeout=BUSY_S, isolation_level=None, uri=True)) as db:
        db.execute("BEGIN")
        yield db


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Turn the errors of SQLite into a JobError of one line that begins with ``name``."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # of extended codes, the primary
        raise JobError(f"{name}: {_REASONS.get(code, 'cannot be used')} ({error})") from error
    except UnicodeDecodeError as error:  # of the message that SQLite makes of a damaged name
        raise JobError(f"{name}: {_REASONS[sqlite3.SQLITE_CORRUPT]}") from error
