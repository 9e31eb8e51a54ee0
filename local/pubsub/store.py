"""What is kept on disk, in SQLite: an acknowledged publish survives kill -9 at any time."""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SCHEMA = (Path(__file__).parent / "schema.sql").read_text()


class Store:
    """One connection, one writer at a time; ``changed`` wakes whoever waits for messages."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(folder / "pubsub.sqlite", check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)
        self._lock = threading.RLock()
        self.changed = threading.Condition()
        # Who held a lease is gone with the process that gave it: deliver again, and at once.
        self._db.execute("UPDATE deliveries SET available = 0, leased = 0 WHERE acked = 0 AND leased = 1")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run statements that take effect together, or not at all."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def sync(self) -> None:
        """Force what was committed to the disk (power loss, not only kill -9)."""
        with self._lock:
            self._db.execute("PRAGMA wal_checkpoint(FULL)")

    def all(self, sql: str, args: Sequence[Any] = ()) -> list[Any]:
        """Return all rows of a query."""
        with self._lock:
            return self._db.execute(sql, args).fetchall()

    def one(self, sql: str, args: Sequence[Any] = ()) -> Any:
        """Return the first row of a query, or None."""
        with self._lock:
            return self._db.execute(sql, args).fetchone()

    def run(self, sql: str, args: Sequence[Any] = ()) -> int:
        """Run one statement; return how many rows it changed."""
        with self._lock:
            return self._db.execute(sql, args).rowcount

    def run_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for many rows, together."""
        with self.transaction() as db:
            db.executemany(sql, rows)

    def wake(self) -> None:
        """Tell waiting deliveries that something changed."""
        with self.changed:
            self.changed.notify_all()

    def wait(self, seconds: float) -> None:
        """Wait until something changed, at most so long."""
        with self.changed:
            self.changed.wait(seconds)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()
