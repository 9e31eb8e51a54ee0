"""Snapshots, and seek to a time or to one of them."""

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from local.pubsub.catalog import Catalog, Sub
from local.pubsub.clock import Clock
from local.pubsub.errors import already_exists, invalid, not_found, precondition
from local.pubsub.limits import DAY, merge
from local.pubsub.names import check
from local.pubsub.signals import Signals
from local.pubsub.store import Store
from local.pubsub.wire import Snapshot, get_time, set_time

_LIFE = 7 * DAY


class Snapshots:
    """What was unacknowledged at a time, to come back to."""

    def __init__(self, store: Store, catalog: Catalog, signals: Signals, clock: Clock) -> None:
        self._store, self._catalog, self._signals, self._clock = store, catalog, signals, clock

    def create(self, name: str, subscription: str, labels: dict[str, str]) -> Any:
        """Remember which messages of a subscription are not acknowledged, until the oldest is seven days old."""
        check(name, "snapshots")
        with self._store.transaction() as db:
            sub, now = self._catalog.attached(subscription), self._clock()
            if db.execute("SELECT 1 FROM snapshots WHERE name = ?", (name,)).fetchone():
                raise already_exists(name)
            expires = (db.execute(_OLDEST, (sub.number,)).fetchone()[0] or now) + _LIFE
            if expires - now < 3600:
                raise precondition("The snapshot would expire in less than one hour: its backlog is too old.")
            snapshot = Snapshot(name=name, topic=sub.pb.topic, labels=labels)
            set_time(snapshot.expire_time, expires)
            row = (name, sub.pb.topic, now, expires, snapshot.SerializeToString())
            db.execute(_CREATE, row)
            db.execute(_REMEMBER, (name, sub.number))
        return snapshot

    def get(self, name: str) -> Any:
        """Return a snapshot that has not expired.

        Raises:
            ServiceError: NOT_FOUND.
        """
        sql = "SELECT proto FROM snapshots WHERE name = ? AND expires > ?"
        row = self._store.one(sql, (check(name, "snapshots"), self._clock()))
        if row is None:
            raise not_found(name)
        return Snapshot.FromString(row[0])

    def update(self, new: Any, paths: Sequence[str]) -> Any:
        """Change a snapshot's labels or its end."""
        with self._store.transaction() as db:
            current = self.get(new.name)
            merge(new, current, paths)
            row = (current.SerializeToString(), get_time(current.expire_time), current.name)
            db.execute("UPDATE snapshots SET proto = ?, expires = ? WHERE name = ?", row)
        return current

    def delete(self, name: str) -> None:
        """Delete a snapshot."""
        with self._store.transaction() as db:
            self.get(name)
            db.execute("DELETE FROM snapshots WHERE name = ?", (name,))
            db.execute("DELETE FROM snapshot_messages WHERE snapshot = ?", (name,))

    def list(self, project: str = "", topic: str = "") -> list[Any]:
        """Return the snapshots of ``projects/P``, or of a topic, by name."""
        rows = self._store.all("SELECT proto FROM snapshots WHERE expires > ? ORDER BY name", (self._clock(),))
        found = [Snapshot.FromString(proto) for (proto,) in rows]
        return [s for s in found if s.name.startswith(f"{project}/" if project else "") and topic in ("", s.topic)]

    # -- seek

    def seek_to_time(self, subscription: str, at: float) -> None:
        """Mark what was published before ``at`` acknowledged, and the rest not, as far as it is retained."""
        with self._store.transaction() as db:
            sub, now = self._catalog.attached(subscription), self._clock()
            db.execute(_ACK_BEFORE, (sub.number, sub.pb.topic, at))
            retained = self._catalog.topic_retention(sub.pb.topic)
            kept = 2 if sub.pb.retain_acked_messages or retained else 1
            db.execute(_REVIVE, (now, sub.number, kept, sub.pb.topic, at))
            if retained:
                _adopt(db, sub, db.execute(_MISSED, (sub.pb.topic, at, sub.number)).fetchall(), now)
        self._signals.ring(sub.number)

    def seek_to_snapshot(self, subscription: str, name: str) -> None:
        """Make unacknowledged what the snapshot says and what was published since; acknowledge the rest."""
        with self._store.transaction() as db:
            sub, now = self._catalog.attached(subscription), self._clock()
            snapshot = self.get(name)
            if snapshot.topic != sub.pb.topic:
                raise invalid("The subscription and the snapshot must be of the same topic.")
            (last,) = db.execute("SELECT last FROM snapshots WHERE name = ?", (name,)).fetchone()
            db.execute(_ACK_ALL, (sub.number,))
            db.execute(_REVIVE_SNAPSHOT, (now, sub.number, name, last))
            rows = db.execute(_MISSED_SNAPSHOT, (sub.pb.topic, name, last, sub.number)).fetchall()
            _adopt(db, sub, rows, now)
        self._signals.ring(sub.number)


def _adopt(db: sqlite3.Connection, sub: Sub, rows: Sequence[tuple[int, str, str]], now: float) -> None:
    """Deliver messages that the subscription does not (any more) know of."""
    db.executemany(
        "INSERT INTO deliveries (subscription, message, available, ordering_key) VALUES (?, ?, ?, ?)",
        [(sub.number, message, now, key) for message, attributes, key in rows if sub.passes(json.loads(attributes))],
    )


_OLDEST = """
SELECT MIN(m.published) FROM deliveries d JOIN messages m ON m.id = d.message
WHERE d.subscription = ? AND d.acked = 0
"""
_CREATE = """
INSERT INTO snapshots (name, topic, created, expires, proto, last)
VALUES (?, ?, ?, ?, ?, (SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'messages'))
"""
_REMEMBER = "INSERT INTO snapshot_messages SELECT ?, message FROM deliveries WHERE subscription = ? AND acked = 0"
_ACK_BEFORE = """
UPDATE deliveries SET acked = 1, leased = 0, floor = token WHERE subscription = ?
AND message IN (SELECT id FROM messages WHERE topic = ? AND published < ?)
"""
_ACK_ALL = "UPDATE deliveries SET acked = 1, leased = 0, floor = token WHERE subscription = ?"
# A message that comes back by a seek is new to its subscriber: attempts start again, old ack ids are void.
_REVIVE = """
UPDATE deliveries SET acked = 0, leased = 0, attempts = 0, floor = token, available = ?
WHERE subscription = ? AND acked < ?
AND message IN (SELECT id FROM messages WHERE topic = ? AND published >= ?)
"""
_REVIVE_SNAPSHOT = """
UPDATE deliveries SET acked = 0, leased = 0, attempts = 0, floor = token, available = ?
WHERE subscription = ? AND (message IN (SELECT message FROM snapshot_messages WHERE snapshot = ?) OR message > ?)
"""
_MISSED = """
SELECT id, attributes, ordering_key FROM messages WHERE topic = ? AND published >= ?
AND id NOT IN (SELECT message FROM deliveries WHERE subscription = ?)
"""
_MISSED_SNAPSHOT = """
SELECT id, attributes, ordering_key FROM messages WHERE topic = ?
AND (id IN (SELECT message FROM snapshot_messages WHERE snapshot = ?) OR id > ?)
AND id NOT IN (SELECT message FROM deliveries WHERE subscription = ?)
"""
