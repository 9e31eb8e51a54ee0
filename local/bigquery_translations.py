"""Keeps translated statements in a file of this checkout, for the emulators that start after this one.

A stack that starts has translated nothing yet, and translates each of its statements once: a quarter of the Python
that runs while the samples load (py-spy, 40 s of them). Each of a suite's test modules starts an emulator, too.
"""

import hashlib
import sqlite3
import threading
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
FOLDER = HERE.parent / ".stockflow" / "translations"
MOST = 20_000  # statements; a suite leaves some thousand
_MADE_BY = ("local-bigquery", "sqlglot", "duckdb")
_TABLE = "CREATE TABLE IF NOT EXISTS translations (statement TEXT PRIMARY KEY, translation TEXT NOT NULL)"


class Translations:
    """What statements became, by a hash of all that it depends on; shared by processes. A lost file costs time only."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None
        with suppress(OSError, sqlite3.Error):
            folder.mkdir(parents=True, exist_ok=True)
            self._db = _opened(folder / f"{_makers()}.sqlite")

    def find(self, key: str) -> str | None:
        """Return what is kept for a key, or None."""
        if self._db is None:
            return None
        with self._lock, suppress(sqlite3.Error):
            row = self._db.execute("SELECT translation FROM translations WHERE statement = ?", [_hash(key)]).fetchone()
            return str(row[0]) if row else None
        return None

    def keep(self, key: str, translation: str) -> None:
        """Keep a translation; nothing happens if the file is busy or cannot be written."""
        if self._db is not None:
            with self._lock, suppress(sqlite3.Error):
                self._db.execute("INSERT OR REPLACE INTO translations VALUES (?, ?)", [_hash(key), translation])


def _opened(path: Path) -> sqlite3.Connection:
    if not path.exists():
        for older in path.parent.glob("*.sqlite*"):
            older.unlink(missing_ok=True)
    db = sqlite3.connect(path, timeout=1, check_same_thread=False, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = OFF")  # what a power cut loses is translated again
    db.execute(_TABLE)
    db.execute("DELETE FROM translations WHERE rowid <= (SELECT MAX(rowid) FROM translations) - ?", [MOST])
    return db


def _makers() -> str:
    """Return a name that changes with every piece of code that translates."""
    ours = b"".join(path.read_bytes() for path in sorted(HERE.glob("bigquery_*.py")))
    return _hash(" ".join(map(version, _MADE_BY)) + hashlib.sha256(ours).hexdigest())[:16]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
