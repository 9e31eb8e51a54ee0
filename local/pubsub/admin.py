"""Topics, subscriptions and snapshots: what is configured, and seek."""

from collections.abc import Iterable
from typing import Any

from google.protobuf import field_mask_pb2, timestamp_pb2
from google.pubsub_v1 import types

from local.pubsub.clock import Clock
from local.pubsub.errors import already_exists, invalid, not_found, precondition
from local.pubsub.filters import compile_filter
from local.pubsub.limits import DAY, check_range, seconds
from local.pubsub.names import DELETED_TOPIC, check
from local.pubsub.store import Store

_MUTABLE_SUBSCRIPTION = {
    "push_config", "ack_deadline_seconds", "retain_acked_messages", "message_retention_duration", "labels",
    "expiration_policy", "dead_letter_policy", "retry_policy", "enable_exactly_once_delivery", "bigquery_config",
    "cloud_storage_config",
}  # fmt: skip


class Admin:
    """What the Publisher and Subscriber services configure."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    # -- topics

    def create_topic(self, topic: types.Topic) -> types.Topic:
        """Create a topic."""
        check(topic.name, "topics")
        self._check_topic(topic)
        if self._store.one("SELECT 1 FROM topics WHERE name = ?", (topic.name,)):
            raise already_exists(topic.name)
        self._store.run("INSERT INTO topics VALUES (?, ?)", (topic.name, types.Topic.serialize(topic)))
        return topic

    def _check_topic(self, topic: types.Topic) -> None:
        kept = seconds(types.Topic.pb(topic).message_retention_duration)
        if kept:
            check_range("message_retention_duration of a topic, in seconds", kept, 600, 31 * DAY)

    def topic(self, name: str) -> types.Topic:
        """Return a topic.

        Raises:
            ServiceError: NOT_FOUND.
        """
        row = self._store.one("SELECT proto FROM topics WHERE name = ?", (check(name, "topics"),))
        if row is None:
            raise not_found(name)
        found: types.Topic = types.Topic.deserialize(row[0])
        return found

    def update_topic(self, topic: types.Topic, mask: Iterable[str]) -> types.Topic:
        """Change the masked fields of a topic."""
        current = self.topic(topic.name)
        _merge(types.Topic.pb(topic), types.Topic.pb(current), mask, {"labels", "message_retention_duration",
               "message_storage_policy", "kms_key_name", "schema_settings"})  # fmt: skip
        self._check_topic(current)
        self._store.run("UPDATE topics SET proto = ? WHERE name = ?", (types.Topic.serialize(current), topic.name))
        return current

    def topics(self, project: str) -> list[types.Topic]:
        """Return the topics of ``projects/P`` by name."""
        rows = self._store.all("SELECT proto FROM topics WHERE name LIKE ? ORDER BY name", (f"{project}/topics/%",))
        return [types.Topic.deserialize(r[0]) for r in rows]

    def delete_topic(self, name: str) -> None:
        """Delete a topic; its subscriptions stay and name ``_deleted-topic_``."""
        self.topic(name)
        for sub in self.subscriptions_of(name):
            sub.topic = DELETED_TOPIC
            self._save(sub)
        self._store.run("UPDATE messages SET topic = ? WHERE topic = ?", (DELETED_TOPIC, name))
        self._store.run("DELETE FROM topics WHERE name = ?", (name,))

    # -- subscriptions

    def create_subscription(self, sub: types.Subscription) -> types.Subscription:
        """Create a subscription with the documented defaults."""
        check(sub.name, "subscriptions")
        self.topic(sub.topic)
        if self._row(sub.name):
            raise already_exists(sub.name)
        sub.ack_deadline_seconds = sub.ack_deadline_seconds or 10
        pb = types.Subscription.pb(sub)
        if not pb.HasField("message_retention_duration"):
            pb.message_retention_duration.seconds = 7 * DAY
        if not pb.HasField("expiration_policy"):
            pb.expiration_policy.ttl.seconds = 31 * DAY
        self._check_subscription(sub)
        self._store.run(
            "INSERT INTO subscriptions (name, topic, proto) VALUES (?, ?, ?)",
            (sub.name, sub.topic, types.Subscription.serialize(sub)),
        )
        sub.state = types.Subscription.State.ACTIVE  # type: ignore[assignment]
        return sub

    def _check_subscription(self, sub: types.Subscription) -> None:
        pb = types.Subscription.pb(sub)
        compile_filter(sub.filter)
        check_range("ack_deadline_seconds", sub.ack_deadline_seconds, 10, 600)
        kept = seconds(pb.message_retention_duration)
        check_range("message_retention_duration, in seconds", kept, 600, 31 * DAY)
        if pb.dead_letter_policy.dead_letter_topic:
            check(pb.dead_letter_policy.dead_letter_topic, "topics")
            attempts = pb.dead_letter_policy.max_delivery_attempts
            check_range("max_delivery_attempts", attempts or 5, 5, 100)
        if pb.HasField("retry_policy"):
            low, high = seconds(pb.retry_policy.minimum_backoff), seconds(pb.retry_policy.maximum_backoff)
            check_range("minimum_backoff, in seconds", low, 0, 600)
            check_range("maximum_backoff, in seconds", high, 0, 600)
            if high and low > high:
                raise invalid("minimum_backoff must not be above maximum_backoff.")
        if pb.push_config.push_endpoint and not pb.push_config.push_endpoint.startswith(("http://", "https://")):
            raise invalid(f"Invalid push endpoint given (endpoint={pb.push_config.push_endpoint}).")

    def _row(self, name: str) -> Any:
        return self._store.one("SELECT id, proto FROM subscriptions WHERE name = ?", (name,))

    def find(self, name: str) -> tuple[int, types.Subscription]:
        """Return a subscription and its number in the store.

        Raises:
            ServiceError: NOT_FOUND.
        """
        row = self._row(check(name, "subscriptions"))
        if row is None:
            raise not_found(name)
        sub = types.Subscription.deserialize(row[1])
        sub.state = types.Subscription.State.ACTIVE
        return row[0], sub

    def attached(self, name: str) -> tuple[int, types.Subscription]:
        """Return a subscription from which messages can be had.

        Raises:
            ServiceError: NOT_FOUND, or FAILED_PRECONDITION when it is detached.
        """
        number, sub = self.find(name)
        if sub.detached:
            raise precondition(f"Subscription {name} is detached.")
        return number, sub

    def _save(self, sub: types.Subscription) -> None:
        self._store.run(
            "UPDATE subscriptions SET proto = ?, topic = ? WHERE name = ?",
            (types.Subscription.serialize(sub), sub.topic, sub.name),
        )
        self._store.wake()

    def update_subscription(self, sub: types.Subscription, mask: Iterable[str]) -> types.Subscription:
        """Change the masked fields of a subscription; topic, filter and ordering never change."""
        _, current = self.find(sub.name)
        _merge(types.Subscription.pb(sub), types.Subscription.pb(current), mask, _MUTABLE_SUBSCRIPTION)
        self._check_subscription(current)
        self._save(current)
        return current

    def set_push(self, name: str, push: types.PushConfig) -> None:
        """Change where a subscription pushes; an empty endpoint makes it a pull subscription."""
        _, sub = self.find(name)
        sub.push_config = push
        self._check_subscription(sub)
        self._save(sub)

    def detach(self, name: str) -> None:
        """Cut a subscription off its topic and forget its messages."""
        number, sub = self.find(name)
        sub.detached = True
        self._save(sub)
        self._store.run("DELETE FROM deliveries WHERE subscription = ?", (number,))

    def delete_subscription(self, name: str) -> None:
        """Delete a subscription and its messages."""
        number, _ = self.find(name)
        self._store.run("DELETE FROM deliveries WHERE subscription = ?", (number,))
        self._store.run("DELETE FROM subscriptions WHERE id = ?", (number,))
        self._store.wake()

    def subscriptions(self, project: str) -> list[types.Subscription]:
        """Return the subscriptions of ``projects/P`` by name."""
        rows = self._store.all(
            "SELECT proto FROM subscriptions WHERE name LIKE ? ORDER BY name", (f"{project}/subscriptions/%",)
        )
        return [types.Subscription.deserialize(r[0]) for r in rows]

    def subscriptions_of(self, topic: str) -> list[types.Subscription]:
        """Return the subscriptions of a topic by name."""
        rows = self._store.all("SELECT proto FROM subscriptions WHERE topic = ? ORDER BY name", (topic,))
        return [types.Subscription.deserialize(r[0]) for r in rows]

    # -- snapshots and seek

    def create_snapshot(self, name: str, subscription: str, labels: dict[str, str]) -> types.Snapshot:
        """Remember which messages of a subscription are not acknowledged now, for seven days at most."""
        check(name, "snapshots")
        number, sub = self.attached(subscription)
        if self._store.one("SELECT 1 FROM snapshots WHERE name = ?", (name,)):
            raise already_exists(name)
        now = self._clock()
        oldest = self._store.one(
            "SELECT MIN(m.published) FROM deliveries d JOIN messages m ON m.id = d.message "
            "WHERE d.subscription = ? AND d.acked = 0",
            (number,),
        )[0]
        expires = (oldest or now) + 7 * DAY
        if expires - now < 3600:
            raise precondition("The snapshot would expire in less than one hour: its backlog is too old.")
        snapshot = types.Snapshot(name=name, topic=sub.topic, expire_time=_timestamp(expires), labels=labels)
        with self._store.transaction() as db:
            proto = types.Snapshot.serialize(snapshot)
            db.execute("INSERT INTO snapshots VALUES (?, ?, ?, ?, ?)", (name, sub.topic, now, expires, proto))
            db.execute(
                "INSERT INTO snapshot_messages SELECT ?, message FROM deliveries WHERE subscription = ? AND acked = 0",
                (name, number),
            )
        return snapshot

    def snapshot(self, name: str) -> types.Snapshot:
        """Return a snapshot that has not expired.

        Raises:
            ServiceError: NOT_FOUND.
        """
        sql = "SELECT proto FROM snapshots WHERE name = ? AND expires > ?"
        row = self._store.one(sql, (check(name, "snapshots"), self._clock()))
        if row is None:
            raise not_found(name)
        found: types.Snapshot = types.Snapshot.deserialize(row[0])
        return found

    def update_snapshot(self, snapshot: types.Snapshot, mask: Iterable[str]) -> types.Snapshot:
        """Change a snapshot's labels or shorten its life."""
        current = self.snapshot(snapshot.name)
        pb = types.Snapshot.pb(current)
        _merge(types.Snapshot.pb(snapshot), pb, mask, {"labels", "expire_time"})
        self._store.run(
            "UPDATE snapshots SET proto = ?, expires = ? WHERE name = ?",
            (
                types.Snapshot.serialize(current),
                pb.expire_time.seconds + pb.expire_time.nanos / 1e9,
                current.name,
            ),
        )
        return current

    def snapshots(self, project: str = "", topic: str = "") -> list[types.Snapshot]:
        """Return the snapshots of ``projects/P``, or of a topic, by name."""
        sql = "SELECT proto, topic FROM snapshots WHERE name LIKE ? AND expires > ? ORDER BY name"
        rows = self._store.all(sql, (f"{project}/snapshots/%" if project else "%", self._clock()))
        return [types.Snapshot.deserialize(p) for p, of in rows if not topic or of == topic]

    def delete_snapshot(self, name: str) -> None:
        """Delete a snapshot."""
        self.snapshot(name)
        self._store.run("DELETE FROM snapshots WHERE name = ?", (name,))
        self._store.run("DELETE FROM snapshot_messages WHERE snapshot = ?", (name,))

    def seek_time(self, name: str, at: float) -> None:
        """Mark what was published before ``at`` acknowledged, and the rest not, as far as it is retained."""
        number, sub = self.attached(name)
        passes, now = compile_filter(sub.filter), self._clock()
        retained = bool(self._retention(sub.topic))
        with self._store.transaction() as db:
            db.execute(_ACK_BEFORE, (number, at))
            back = "acked = 0" if not sub.retain_acked_messages else "1"
            db.execute(_REVIVE.format(back), (now, number, at))
            if retained:
                _adopt(db, number, passes, db.execute(_MISSED, (sub.topic, at, number)).fetchall(), now)
        self._store.wake()

    def seek_snapshot(self, name: str, snapshot: str) -> None:
        """Make unacknowledged what the snapshot says, and what was published since; acknowledge the rest."""
        number, sub = self.attached(name)
        self.snapshot(snapshot)
        created, topic = self._store.one("SELECT created, topic FROM snapshots WHERE name = ?", (snapshot,))
        if topic != sub.topic:
            raise invalid("The snapshot is of another topic than the subscription.")
        passes, now = compile_filter(sub.filter), self._clock()
        with self._store.transaction() as db:
            db.execute("UPDATE deliveries SET acked = 1, leased = 0 WHERE subscription = ?", (number,))
            db.execute(_REVIVE_SNAPSHOT, (now, number, snapshot, created))
            rows = db.execute(_MISSED_SNAPSHOT, (topic, snapshot, created, number)).fetchall()
            _adopt(db, number, passes, rows, now)
        self._store.wake()

    def _retention(self, topic: str) -> float:
        row = self._store.one("SELECT proto FROM topics WHERE name = ?", (topic,))
        if row is None:
            return 0.0
        return seconds(types.Topic.pb(types.Topic.deserialize(row[0])).message_retention_duration)


_ACK_BEFORE = """
UPDATE deliveries SET acked = 1, leased = 0 WHERE subscription = ?
AND message IN (SELECT id FROM messages WHERE published < ?)
"""
# A message that comes back by a seek is new to its subscriber: attempts start again, old ack ids are void.
_REVIVE = """
UPDATE deliveries SET acked = 0, leased = 0, attempts = 0, token = token + 1, available = ?
WHERE subscription = ? AND {} AND message IN (SELECT id FROM messages WHERE published >= ?)
"""
_REVIVE_SNAPSHOT = """
UPDATE deliveries SET acked = 0, leased = 0, attempts = 0, token = token + 1, available = ?
WHERE subscription = ? AND (message IN (SELECT message FROM snapshot_messages WHERE snapshot = ?)
  OR message IN (SELECT id FROM messages WHERE published > ?))
"""
_MISSED = """
SELECT id, attributes, ordering_key FROM messages WHERE topic = ? AND published >= ?
AND id NOT IN (SELECT message FROM deliveries WHERE subscription = ?)
"""
_MISSED_SNAPSHOT = """
SELECT id, attributes, ordering_key FROM messages WHERE topic = ?
AND (id IN (SELECT message FROM snapshot_messages WHERE snapshot = ?) OR published > ?)
AND id NOT IN (SELECT message FROM deliveries WHERE subscription = ?)
"""


def _adopt(db: Any, number: int, passes: Any, rows: Iterable[tuple[int, str, str]], now: float) -> None:
    import json

    db.executemany(
        "INSERT INTO deliveries (subscription, message, available, ordering_key) VALUES (?, ?, ?, ?)",
        [(number, message, now, key) for message, attributes, key in rows if passes(json.loads(attributes))],
    )


def _merge(new: Any, current: Any, mask: Iterable[str], allowed: set[str]) -> None:
    paths = list(mask)
    if not paths:
        raise invalid("The update_mask in the request must be set and contain at least one path.")
    for path in paths:
        if path.split(".")[0] not in allowed:
            raise invalid(f"Invalid update_mask provided in the request: {path} cannot be changed.")
        top = path.split(".")[0]
        current.ClearField(top)
        field_mask_pb2.FieldMask(paths=[top]).MergeMessage(new, current, True, True)


def _timestamp(at: float) -> timestamp_pb2.Timestamp:
    return timestamp_pb2.Timestamp(seconds=int(at), nanos=int((at % 1) * 1e9))
