"""What is kept on disk, in SQLite: an acknowledged publish survives kill -9 and power loss at any time."""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SCHEMA = (Path(__file__).parent / "schema.sql").read_text(encoding="utf-8")
_VERSION = 1
# What a file of the version before lacks.
_MIGRATION = """
ALTER TABLE deliveries ADD COLUMN floor INTEGER NOT NULL DEFAULT 0;
ALTER TABLE snapshots ADD COLUMN last INTEGER NOT NULL DEFAULT 0;
"""


class Store:
    """One connection, one transaction at a time.

    A commit reaches the operating system at once (safe over kill -9); ``sync`` makes it reach the disk, outside of
    the lock, so that concurrent publishers share the wait.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._guard = _only_one(folder / "lock")
        path = folder / "pubsub.sqlite"
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("PRAGMA cache_size = -32000")
        self._migrate()
        self._lock = threading.RLock()
        self._log = os.open(f"{path}-wal", os.O_RDONLY | os.O_CREAT, 0o644)

    def _migrate(self) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        old = self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'deliveries'").fetchone()
        if old and version < 1:
            self._db.executescript(_MIGRATION)
        self._db.executescript(f"{_SCHEMA}PRAGMA user_version = {_VERSION};")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run statements that take effect together, or not at all."""
        with self._lock:
            if self._db.in_transaction:
                yield self._db
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def sync(self) -> None:
        """Return when what was committed is on the disk."""
        os.fsync(self._log)

    def all(self, sql: str, args: Sequence[Any] = ()) -> list[Any]:
        """Return all rows of a query."""
        with self._lock:
            return self._db.execute(sql, args).fetchall()

    def one(self, sql: str, args: Sequence[Any] = ()) -> Any:
        """Return the first row of a query, or None."""
        with self._lock:
            return self._db.execute(sql, args).fetchone()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()
            os.close(self._log)
            os.close(self._guard)


def _only_one(path: Path) -> int:
    """Hold a lock for the life of this process: two servers on one folder would lose messages."""
    guard = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(guard)
        raise OSError(
            f"{path.parent} is in use by another Pub/Sub emulator; stop it or choose another folder"
        ) from None
    return guard
