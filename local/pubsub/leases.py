"""Leases: which messages a subscriber gets, what an acknowledgement does, what comes back."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from local.pubsub.catalog import Catalog, Sub
from local.pubsub.clock import Clock
from local.pubsub.delivery import AckId, Delivery, pick
from local.pubsub.errors import invalid
from local.pubsub.signals import Signals
from local.pubsub.store import Store

_MAX_BYTES = 20_000_000


@dataclass(frozen=True)
class Message:
    """What is published: the content without its id."""

    data: bytes
    attributes: dict[str, str]
    ordering_key: str = ""


@dataclass(frozen=True)
class Leased:
    """One delivery of one message."""

    ack_id: str
    id: int
    message: Message
    published: float
    attempts: int

    @property
    def size(self) -> int:
        """Bytes that count for flow control."""
        return len(self.message.data) + sum(len(k) + len(v) for k, v in self.message.attributes.items())


class Queue:
    """Publishing to subscriptions and leasing from them."""

    def __init__(self, store: Store, catalog: Catalog, signals: Signals, clock: Clock) -> None:
        self._store, self._catalog, self._signals, self._clock = store, catalog, signals, clock

    # -- in

    def publish(self, topic: str, messages: Sequence[Message]) -> list[int]:
        """Store messages for every subscription whose filter lets them through; return their ids."""
        with self._store.transaction() as db:
            self._catalog.topic(topic)
            ids = self._insert(db, topic, messages)
        self._store.sync()
        return ids

    def _insert(self, db: sqlite3.Connection, topic: str, messages: Sequence[Message]) -> list[int]:
        now, ids, rows = self._clock(), [], []
        subs = self._catalog.subscriptions_of(topic)
        for message in messages:
            attributes = json.dumps(message.attributes, ensure_ascii=False)
            cursor = db.execute(_INSERT, (topic, message.data, attributes, message.ordering_key, now))
            ids.append(int(cursor.lastrowid or 0))
            rows += [(s.number, ids[-1], now, message.ordering_key) for s in subs if s.passes(message.attributes)]
        db.executemany(_DELIVER, rows)
        for number in {row[0] for row in rows}:
            self._signals.ring(number)  # who wakes waits for this transaction
        return ids

    # -- out

    def lease(
        self,
        sub: Sub,
        limit: int,
        seconds: float,
        room: int = _MAX_BYTES,
        one_per_key: bool = False,
        strict: bool = False,
    ) -> list[Leased]:
        """Lease due messages, at most ``limit`` and ``room`` bytes, for ``seconds``; bury dead letters.

        The first may be larger than the room, or it would never leave; not when ``strict``.
        """
        now = self._clock()
        if not self._is_due(sub, now):
            return []
        with self._store.transaction() as db:
            self._end_leases(db, sub, now)
            fresh = self._fill(db, sub, self._due(db, sub, now, limit, one_per_key), room, strict)
            db.executemany(_LEASE, [(now + seconds, sub.number, state.message) for _, state, _ in fresh])
        return [
            Leased(str(AckId(sub.number, d.message, d.token + 1)), d.message, m, published, d.attempts + 1)
            for m, d, published in fresh
        ]

    def _fill(
        self, db: sqlite3.Connection, sub: Sub, due: Sequence[int], room: int, strict: bool
    ) -> list[tuple[Message, Delivery, float]]:
        """Read due messages until ``room`` bytes are full, one at least unless ``strict``; bury what is dead."""
        fresh: list[tuple[Message, Delivery, float]] = []
        for number in due:
            message, state, published = self._read(db, sub, number)
            if sub.policy.is_dead(state.attempts) and self._has_grave(sub):
                self._bury(db, sub, state)
                continue
            room -= len(message.data)
            if room < 0 and (fresh or strict):
                break
            fresh.append((message, state, published))
        return fresh

    def _due(self, db: sqlite3.Connection, sub: Sub, now: float, limit: int, one_per_key: bool) -> list[int]:
        if not sub.pb.enable_message_ordering:
            return [m for (m,) in db.execute(_DUE, (sub.number, now, limit))]
        blocked = {key for (key,) in db.execute(_BLOCKED, (sub.number, now))}
        due = db.execute(_DUE_IN_ORDER, (sub.number, now)).fetchall()
        return list(pick(due, blocked, limit, one_per_key))

    def _read(self, db: sqlite3.Connection, sub: Sub, message: int) -> tuple[Message, Delivery, float]:
        row = db.execute("SELECT data, attributes, ordering_key, published FROM messages WHERE id = ?", (message,))
        data, attributes, key, published = row.fetchone()
        state = _state(db, sub, message)
        if state is None:
            raise LookupError(f"message {message} of {sub.name} is not there")
        return Message(data, json.loads(attributes), key), state, published

    def _has_grave(self, sub: Sub) -> bool:
        """Without its dead-letter topic a message is not lost: it is delivered again."""
        return self._catalog.has_topic(sub.policy.dead_letter_topic)

    def _bury(self, db: sqlite3.Connection, sub: Sub, state: Delivery) -> None:
        """Publish a dead letter to its topic, with where it comes from, and be done with it here."""
        message, _, published = self._read(db, sub, state.message)
        source = {
            "CloudPubSubDeadLetterSourceDeliveryCount": str(state.attempts),
            "CloudPubSubDeadLetterSourceSubscription": sub.name.rsplit("/", 1)[-1],
            "CloudPubSubDeadLetterSourceSubscriptionProject": sub.name.split("/")[1],
            "CloudPubSubDeadLetterSourceTopicPublishTime": iso(published),
        }
        letter = Message(message.data, {**message.attributes, **source}, message.ordering_key)
        self._insert(db, sub.policy.dead_letter_topic, [letter])
        db.execute(_ACK, (sub.number, state.message))

    # -- back

    def acknowledge(self, sub: Sub, ack_ids: Iterable[str]) -> list[str]:
        """Acknowledge deliveries; return the ids that did not count."""

        def settle(db: sqlite3.Connection, state: Delivery, token: int) -> bool:
            counts = state.acknowledgeable(token, self._clock(), sub.pb.enable_exactly_once_delivery)
            if counts:
                db.execute(_ACK, (sub.number, state.message))
            return counts

        return self._each(sub, [(a, settle) for a in ack_ids])

    def modify(self, sub: Sub, deadlines: Iterable[tuple[str, float]]) -> list[str]:
        """Move leases' ends; 0 is a negative acknowledgement. Return the ids that did not count."""
        return self._each(sub, [(ack_id, self._extension(sub, seconds)) for ack_id, seconds in deadlines])

    def settle(self, sub: Sub, outcomes: Iterable[tuple[str, bool]]) -> None:
        """Record how pushes ended."""
        results = list(outcomes)
        with self._store.transaction():
            self.acknowledge(sub, [ack_id for ack_id, good in results if good])
            self.modify(sub, [(ack_id, 0) for ack_id, good in results if not good])

    def _extension(self, sub: Sub, seconds: float) -> "Change":
        def move(db: sqlite3.Connection, state: Delivery, token: int) -> bool:
            now = self._clock()
            if not state.held(token, now):
                return False
            if seconds:
                db.execute("UPDATE deliveries SET available = ? WHERE subscription = ? AND message = ?",
                           (now + seconds, sub.number, state.message))  # fmt: skip
            else:
                self._fail(db, sub, state, now)
            return True

        return move

    def _each(self, sub: Sub, changes: Sequence[tuple[str, "Change"]]) -> list[str]:
        parsed = [(text, AckId.parse(text), change) for text, change in changes]
        for text, ack_id, _ in parsed:
            if ack_id.subscription != sub.number:
                raise invalid(f"You have passed an ack ID of another subscription (ack_id={text}).")
        stale = []
        with self._store.transaction() as db:
            for text, ack_id, change in parsed:
                state = _state(db, sub, ack_id.message)
                if state is None or not change(db, state, ack_id.token):
                    stale.append(text)
        self._signals.ring(sub.number)
        return stale

    def still_held(self, sub: Sub, ack_ids: Iterable[str]) -> set[str]:
        """Return the ack ids whose lease still holds."""
        now, held = self._clock(), set()
        with self._store.transaction() as db:
            for text in ack_ids:
                ack_id = AckId.parse(text)
                state = _state(db, sub, ack_id.message)
                if state is not None and state.held(ack_id.token, now):
                    held.add(text)
        return held

    def _end_leases(self, db: sqlite3.Connection, sub: Sub, now: float) -> None:
        """A lease that ran out is a failed delivery: it waits out its back-off like one."""
        for row in db.execute(f"{_STATE} WHERE {_ENDED} ORDER BY message", (sub.number, now)).fetchall():
            state = Delivery(*row)
            self._fail(db, sub, state, state.available)

    def _fail(self, db: sqlite3.Connection, sub: Sub, state: Delivery, at: float) -> None:
        """End a lease without success at a time; with ordering, what follows of the same key comes back too."""
        dead = sub.policy.is_dead(state.attempts) and self._has_grave(sub)
        again = at if dead else at + sub.policy.backoff(state.attempts)
        if dead:
            self._bury(db, sub, state)
        else:
            db.execute(_RETURN, (again, sub.number, state.message))
        if sub.pb.enable_message_ordering and state.ordering_key:
            db.execute(_RETURN_LATER, (again, sub.number, state.message, state.ordering_key))

    def bury_the_expired(self) -> None:
        """Move dead letters whose last lease ran out, also where nobody asks for more."""
        now = self._clock()
        for sub in self._catalog.subscriptions():
            if sub.policy.dead_letter_topic and self._is_due(sub, now):
                with self._store.transaction() as db:
                    self._end_leases(db, sub, now)

    def _is_due(self, sub: Sub, now: float) -> bool:
        sql = "SELECT 1 FROM deliveries WHERE subscription = ? AND acked = 0 AND available <= ? LIMIT 1"
        return self._store.one(sql, (sub.number, now)) is not None

    def next_change(self, sub: Sub) -> float | None:
        """Return when time alone will make a message due that is not due now; None when there is none."""
        sql = "SELECT MIN(available) FROM deliveries WHERE subscription = ? AND acked = 0 AND available > ?"
        (at,) = self._store.one(sql, (sub.number, self._clock()))
        return None if at is None else float(at)

    def forget_pushes(self) -> None:
        """The pushes under way died with the process that made them: they did not fail, and are due again."""
        with self._store.transaction() as db:
            for sub in self._catalog.subscriptions():
                if sub.pushes:
                    db.execute(_FORGET, (self._clock(), sub.number))


Change = Callable[[sqlite3.Connection, Delivery, int], bool]


def _state(db: sqlite3.Connection, sub: Sub, message: int) -> Delivery | None:
    row = db.execute(f"{_STATE} WHERE subscription = ? AND message = ?", (sub.number, message)).fetchone()
    return None if row is None else Delivery(*row)


def iso(at: float) -> str:
    """Return a time as Pub/Sub writes it in JSON: UTC with milliseconds."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_INSERT = "INSERT INTO messages (topic, data, attributes, ordering_key, published) VALUES (?,?,?,?,?)"
_DELIVER = "INSERT INTO deliveries (subscription, message, available, ordering_key) VALUES (?,?,?,?)"
_STATE = "SELECT message, acked, token, available, attempts, leased, floor, ordering_key FROM deliveries"
_ENDED = "subscription = ? AND acked = 0 AND available <= ? AND leased = 1"
_DUE = """
SELECT message FROM deliveries WHERE subscription = ? AND acked = 0 AND available <= ?
ORDER BY available, message LIMIT ?
"""
_DUE_IN_ORDER = """
SELECT message, ordering_key FROM deliveries INDEXED BY deliveries_unacked
WHERE subscription = ? AND acked = 0 AND available <= ? ORDER BY message
"""
_BLOCKED = """
SELECT DISTINCT ordering_key FROM deliveries
WHERE subscription = ? AND acked = 0 AND available > ? AND ordering_key <> ''
"""
_LEASE = """
UPDATE deliveries SET attempts = attempts + 1, token = token + 1, leased = 1, available = ?
WHERE subscription = ? AND message = ?
"""
_ACK = "UPDATE deliveries SET acked = 1, leased = 0 WHERE subscription = ? AND message = ?"
_RETURN = "UPDATE deliveries SET leased = 0, available = ? WHERE subscription = ? AND message = ? AND acked = 0"
_RETURN_LATER = """
UPDATE deliveries SET leased = 0, available = ?
WHERE subscription = ? AND message > ? AND ordering_key = ? AND acked = 0 AND leased = 1
"""
_FORGET = """
UPDATE deliveries SET leased = 0, attempts = attempts - 1, available = ?
WHERE subscription = ? AND acked = 0 AND leased = 1
"""
