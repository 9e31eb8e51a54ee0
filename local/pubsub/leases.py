"""Leases: which messages a subscriber gets, what an acknowledgement does, what comes back."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from google.pubsub_v1 import types

from local.pubsub.clock import Clock
from local.pubsub.delivery import Policy
from local.pubsub.filters import Predicate, compile_filter
from local.pubsub.limits import seconds
from local.pubsub.names import DELETED_TOPIC
from local.pubsub.store import Store


@dataclass(frozen=True)
class Leased:
    """One delivery of one message."""

    ack_id: str
    message: int
    data: bytes
    attributes: dict[str, str]
    ordering_key: str
    published: float
    attempts: int

    @property
    def size(self) -> int:
        """Bytes that count for flow control."""
        return len(self.data) + sum(len(k) + len(v) for k, v in self.attributes.items())


class Queue:
    """Publishing to subscriptions and leasing from them."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    # -- in

    def publish(self, topic: str, messages: Sequence[tuple[bytes, dict[str, str], str]]) -> list[int]:
        """Store messages for every subscription whose filter lets them through; return their ids."""
        now = self._clock()
        targets = self._targets(topic)
        ids: list[int] = []
        with self._store.transaction() as db:
            for data, attributes, key in messages:
                row = (topic, data, json.dumps(attributes, ensure_ascii=False), key, now)
                cursor = db.execute(
                    "INSERT INTO messages (topic, data, attributes, ordering_key, published) VALUES (?,?,?,?,?)",
                    row,
                )
                ids.append(int(cursor.lastrowid or 0))
                db.executemany(
                    "INSERT INTO deliveries (subscription, message, available, ordering_key) VALUES (?,?,?,?)",
                    [(sub, ids[-1], now, key) for sub, passes in targets if passes(attributes)],
                )
        self._store.wake()
        return ids

    def _targets(self, topic: str) -> list[tuple[int, Predicate]]:
        rows = self._store.all("SELECT id, proto FROM subscriptions WHERE topic = ?", (topic,))
        parsed = [(i, types.Subscription.deserialize(proto)) for i, proto in rows]
        return [(i, compile_filter(s.filter)) for i, s in parsed if not s.detached]

    # -- out

    def lease(self, sub_id: int, sub: types.Subscription, limit: int, deadline: float | None = None) -> list[Leased]:
        """Lease up to ``limit`` due messages for ``deadline`` seconds; dead letters are moved away first."""
        policy, now = Policy.of(sub), self._clock()
        until = now + (deadline or sub.ack_deadline_seconds or 10)
        with self._store.transaction() as db:
            _take_back(db, sub_id, policy, now)
            due = db.execute(_ORDERED if sub.enable_message_ordering else _DUE, (sub_id, now, limit)).fetchall()
            fresh = [row for row in due if not policy.is_dead(row[5])]
            for row in fresh:
                db.execute(
                    "UPDATE deliveries SET attempts = attempts + 1, token = token + 1, leased = 1, available = ? "
                    "WHERE subscription = ? AND message = ?",
                    (until, sub_id, row[0]),
                )
        self._bury(sub_id, sub, policy, [row for row in due if policy.is_dead(row[5])])
        return [
            Leased(f"{sub_id}:{r[0]}:{r[6] + 1}", r[0], r[1], json.loads(r[2]), r[3], r[4], r[5] + 1) for r in fresh
        ]

    def _bury(self, sub_id: int, sub: types.Subscription, policy: Policy, rows: Sequence[tuple[Any, ...]]) -> None:
        """Publish dead letters to their topic, with where they come from, and be done with them here."""
        for message, data, attributes, key, published, attempts, _token in rows:
            project, name = sub.name.split("/")[1], sub.name.rsplit("/", 1)[-1]
            extra = {
                "CloudPubSubDeadLetterSourceDeliveryCount": str(attempts),
                "CloudPubSubDeadLetterSourceSubscription": name,
                "CloudPubSubDeadLetterSourceSubscriptionProject": project,
                "CloudPubSubDeadLetterSourceTopicPublishTime": _iso(published),
            }
            self.publish(
                policy.dead_letter_topic,
                [(data, {**json.loads(attributes), **extra}, key)],
            )
            self._finish(sub_id, message)

    def acknowledge(self, sub_id: int, sub: types.Subscription, ack_ids: Iterable[str]) -> list[str]:
        """Acknowledge deliveries; return the ids that are no longer valid (which matters for exactly-once)."""
        stale = []
        for ack_id in ack_ids:
            found = self._current(sub_id, ack_id)
            if found is None or (sub.enable_exactly_once_delivery and not found[1]):
                stale.append(ack_id)
            if found is not None and not (sub.enable_exactly_once_delivery and not found[1]):
                self._finish(sub_id, found[0])
        self._store.wake()
        return stale

    def _finish(self, sub_id: int, message: int) -> None:
        self._store.run(
            "UPDATE deliveries SET acked = 1, leased = 0 WHERE subscription = ? AND message = ?",
            (sub_id, message),
        )

    def modify(self, sub_id: int, sub: types.Subscription, ack_ids: Iterable[str], deadline: float) -> list[str]:
        """Move the leases' ends; 0 is a negative acknowledgement. Return the ids that are no longer valid."""
        stale, policy, now = [], Policy.of(sub), self._clock()
        for ack_id in ack_ids:
            found = self._current(sub_id, ack_id)
            if found is None or not found[1]:
                stale.append(ack_id)
                continue
            message, _, attempts = found
            available = now + (deadline or policy.backoff(attempts))
            self._store.run(
                "UPDATE deliveries SET available = ?, leased = ? WHERE subscription = ? AND message = ? AND acked = 0",
                (available, int(deadline > 0), sub_id, message),
            )
        self._store.wake()
        return stale

    def release(self, sub_id: int, ack_ids: Iterable[str]) -> None:
        """Give leases back whose stream ended: no failed attempt, so no back-off."""
        for ack_id in ack_ids:
            found = self._current(sub_id, ack_id)
            if found is not None and found[1]:
                self._store.run(
                    "UPDATE deliveries SET leased = 0, available = ? WHERE subscription = ? AND message = ?",
                    (self._clock(), sub_id, found[0]),
                )
        self._store.wake()

    def still_leased(self, sub_id: int, ack_ids: Iterable[str]) -> set[str]:
        """Return the ack ids whose lease is still held."""
        found = {ack_id: self._current(sub_id, ack_id) for ack_id in ack_ids}
        return {ack_id for ack_id, state in found.items() if state is not None and state[1]}

    def _current(self, sub_id: int, ack_id: str) -> tuple[int, bool, int] | None:
        """Return (message, lease still held, attempts) of an ack id, or None when it is nobody's."""
        parts = ack_id.split(":")
        if len(parts) != 3 or not all(p.isdigit() for p in parts) or int(parts[0]) != sub_id:
            return None
        row = self._store.one(
            "SELECT acked, token, available, attempts, leased FROM deliveries WHERE subscription = ? AND message = ?",
            (sub_id, int(parts[1])),
        )
        if row is None:
            return None
        held = not row[0] and row[1] == int(parts[2]) and row[4] == 1 and row[2] > self._clock()
        return int(parts[1]), held, int(row[3])

    def next_due(self, sub_id: int) -> float | None:
        """Return when the next unacknowledged message is due, or None when there is none."""
        row = self._store.one("SELECT MIN(available) FROM deliveries WHERE subscription = ? AND acked = 0", (sub_id,))
        return None if row is None or row[0] is None else float(row[0])

    # -- time passes

    def expire(self) -> None:
        """Forget what is older than its retention: deliveries, snapshots, then messages nobody has."""
        now = self._clock()
        for sub_id, proto in self._store.all("SELECT id, proto FROM subscriptions"):
            sub = types.Subscription.deserialize(proto)
            kept = seconds(types.Subscription.pb(sub).message_retention_duration) or 7 * 86_400
            acked = "" if sub.retain_acked_messages else "acked = 1 AND leased = 0 OR"
            self._store.run(
                f"DELETE FROM deliveries WHERE subscription = ? AND ({acked} message IN "
                "(SELECT id FROM messages WHERE published < ?))",
                (sub_id, now - kept),
            )
        self._store.run("DELETE FROM snapshots WHERE expires <= ?", (now,))
        self._store.run("DELETE FROM snapshot_messages WHERE snapshot NOT IN (SELECT name FROM snapshots)")
        for name, proto in [*self._store.all("SELECT name, proto FROM topics"), (DELETED_TOPIC, b"")]:
            retention = types.Topic.pb(types.Topic.deserialize(proto)).message_retention_duration
            self._store.run(_UNWANTED, (name, now - seconds(retention)))


def _take_back(db: sqlite3.Connection, sub_id: int, policy: Policy, now: float) -> None:
    """A lease that ran out is a failed delivery: it waits out its back-off like one."""
    ended = "subscription = ? AND acked = 0 AND leased = 1 AND available <= ?"
    for message, attempts, available in db.execute(
        f"SELECT message, attempts, available FROM deliveries WHERE {ended}", (sub_id, now)
    ).fetchall():
        db.execute(
            "UPDATE deliveries SET leased = 0, available = ? WHERE subscription = ? AND message = ?",
            (available + policy.backoff(attempts), sub_id, message),
        )


_COLUMNS = "m.id, m.data, m.attributes, m.ordering_key, m.published, d.attempts, d.token"
_DUE = f"""
SELECT {_COLUMNS} FROM deliveries d JOIN messages m ON m.id = d.message
WHERE d.subscription = ? AND d.acked = 0 AND d.available <= ? ORDER BY d.available, d.message LIMIT ?
"""
# One message of a key at a time, and none before the ones published earlier.
_ORDERED = f"""
SELECT {_COLUMNS} FROM deliveries d JOIN messages m ON m.id = d.message
WHERE d.subscription = ? AND d.acked = 0 AND d.available <= ? AND (d.ordering_key = '' OR NOT EXISTS (
  SELECT 1 FROM deliveries e WHERE e.subscription = d.subscription AND e.acked = 0
  AND e.ordering_key = d.ordering_key AND e.message < d.message
)) ORDER BY d.message LIMIT ?
"""
_UNWANTED = """
DELETE FROM messages WHERE topic = ? AND published < ?
AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.message = messages.id)
AND NOT EXISTS (SELECT 1 FROM snapshot_messages s WHERE s.message = messages.id)
"""


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
