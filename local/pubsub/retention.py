"""Forgets what is older than its retention: deliveries, snapshots, then messages that nobody has."""

import sqlite3

from local.pubsub.catalog import Catalog, Sub
from local.pubsub.clock import Clock
from local.pubsub.names import DELETED_TOPIC
from local.pubsub.store import Store
from local.pubsub.wire import get_time


def tidy(store: Store, catalog: Catalog, clock: Clock) -> None:
    """Delete what nobody can have any more."""
    now = clock()
    for sub in catalog.subscriptions():
        with store.transaction() as db:
            _tidy_subscription(db, sub, now)
    with store.transaction() as db:
        db.execute("DELETE FROM snapshots WHERE expires <= ?", (now,))
        db.execute("DELETE FROM snapshot_messages WHERE snapshot NOT IN (SELECT name FROM snapshots)")
        for (topic,) in db.execute("SELECT DISTINCT topic FROM messages").fetchall():
            kept = 0.0 if topic == DELETED_TOPIC else catalog.topic_retention(topic)
            db.execute(_UNWANTED, (topic, now - kept))


def _tidy_subscription(db: sqlite3.Connection, sub: Sub, now: float) -> None:
    if not sub.pb.retain_acked_messages:
        db.execute("DELETE FROM deliveries WHERE subscription = ? AND acked = 1", (sub.number,))
    kept = get_time(sub.pb.message_retention_duration)
    db.execute(_TOO_OLD, (sub.number, sub.pb.topic, now - kept))


_TOO_OLD = """
DELETE FROM deliveries WHERE subscription = ?
AND message IN (SELECT id FROM messages WHERE topic = ? AND published < ?)
"""
# A snapshot keeps its backlog and all that came after it.
_UNWANTED = """
DELETE FROM messages WHERE topic = ? AND published < ?
AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.message = messages.id)
AND NOT EXISTS (SELECT 1 FROM snapshot_messages s WHERE s.message = messages.id)
AND NOT EXISTS (SELECT 1 FROM snapshots s WHERE s.topic = messages.topic AND messages.id > s.last)
"""
