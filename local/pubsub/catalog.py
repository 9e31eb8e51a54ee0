"""Which topics and subscriptions there are: kept on disk, read from memory."""

from dataclasses import dataclass
from typing import Any

from local.pubsub.delivery import Policy
from local.pubsub.errors import not_found, precondition
from local.pubsub.filters import Predicate, compile_filter
from local.pubsub.names import DELETED_TOPIC, check
from local.pubsub.signals import CATALOG, Signals
from local.pubsub.store import Store
from local.pubsub.wire import Subscription, Topic, get_time


@dataclass(frozen=True)
class Sub:
    """A subscription as it stands now; ``pb`` is never changed in place."""

    number: int
    pb: Any
    policy: Policy
    passes: Predicate

    @classmethod
    def of(cls, number: int, pb: Any) -> "Sub":
        """Return what follows from a subscription's description."""
        return cls(number, pb, Policy.of(pb), compile_filter(pb.filter))

    @property
    def name(self) -> str:
        """The full resource name."""
        return str(self.pb.name)

    @property
    def pushes(self) -> bool:
        """Whether its messages are pushed."""
        return bool(self.pb.push_config.push_endpoint) and not self.pb.detached


class Catalog:
    """Topics and subscriptions by name. Whoever changes it holds a transaction of the store."""

    def __init__(self, store: Store, signals: Signals) -> None:
        self._store, self._signals = store, signals
        rows = store.all("SELECT name, proto FROM topics")
        self._topics: dict[str, Any] = {name: Topic.FromString(proto) for name, proto in rows}
        rows = store.all("SELECT id, name, proto FROM subscriptions")
        self._subs = {name: Sub.of(number, Subscription.FromString(proto)) for number, name, proto in rows}

    # -- topics

    def has_topic(self, name: str) -> bool:
        """Whether there is such a topic."""
        return name in self._topics

    def topic(self, name: str) -> Any:
        """Return a topic's description, not to be changed.

        Raises:
            ServiceError: NOT_FOUND.
        """
        found = self._topics.get(check(name, "topics"))
        if found is None:
            raise not_found(name)
        return found

    def topics(self, project: str) -> list[Any]:
        """Return the topics of ``projects/P`` by name."""
        return [t for n, t in sorted(self._topics.items()) if n.startswith(f"{project}/")]

    def topic_retention(self, name: str) -> float:
        """Return for how many seconds a topic itself keeps its messages."""
        topic = self._topics.get(name)
        return 0.0 if topic is None else get_time(topic.message_retention_duration)

    def save_topic(self, topic: Any) -> None:
        """Write a topic."""
        with self._store.transaction() as db:
            row = (topic.name, topic.SerializeToString())
            db.execute("INSERT INTO topics VALUES (?, ?) ON CONFLICT DO UPDATE SET proto = excluded.proto", row)
            self._topics = {**self._topics, topic.name: topic}

    def delete_topic(self, name: str) -> None:
        """Delete a topic; its subscriptions stay and name ``_deleted-topic_``."""
        with self._store.transaction() as db:
            for sub in self.subscriptions_of(name):
                pb = Subscription()
                pb.CopyFrom(sub.pb)
                pb.topic = DELETED_TOPIC
                self.save_subscription(pb)
            db.execute("UPDATE messages SET topic = ? WHERE topic = ?", (DELETED_TOPIC, name))
            db.execute("DELETE FROM topics WHERE name = ?", (name,))
            self._topics = {n: t for n, t in self._topics.items() if n != name}

    # -- subscriptions

    def get(self, name: str) -> Sub | None:
        """Return a subscription, or None."""
        return self._subs.get(name)

    def find(self, name: str) -> Sub:
        """Return a subscription.

        Raises:
            ServiceError: NOT_FOUND.
        """
        found = self._subs.get(check(name, "subscriptions"))
        if found is None:
            raise not_found(name)
        return found

    def attached(self, name: str) -> Sub:
        """Return a subscription that still gets messages.

        Raises:
            ServiceError: NOT_FOUND, or FAILED_PRECONDITION when it is detached.
        """
        sub = self.find(name)
        if sub.pb.detached:
            raise precondition(f"Subscription is detached (subscription={name}).")
        return sub

    def pulled(self, name: str) -> Sub:
        """Return a subscription from which messages can be pulled.

        Raises:
            ServiceError: NOT_FOUND, or FAILED_PRECONDITION when it is detached or pushes.
        """
        sub = self.attached(name)
        if sub.pushes:
            raise precondition("This method is not supported for this subscription type.")
        return sub

    def subscriptions(self, project: str = "") -> list[Sub]:
        """Return the subscriptions of ``projects/P``, or all, by name."""
        return [s for n, s in sorted(self._subs.items()) if not project or n.startswith(f"{project}/")]

    def subscriptions_of(self, topic: str) -> list[Sub]:
        """Return the subscriptions of a topic that are not detached, by name."""
        return [s for s in self.subscriptions() if s.pb.topic == topic and not s.pb.detached]

    def save_subscription(self, pb: Any) -> Sub:
        """Write a subscription, new or changed."""
        with self._store.transaction() as db:
            known = self._subs.get(pb.name)
            if known is None:
                sql = "INSERT INTO subscriptions (name, topic, proto) VALUES (?, ?, ?)"
                number = int(db.execute(sql, (pb.name, pb.topic, pb.SerializeToString())).lastrowid or 0)
            else:
                number = known.number
                sql = "UPDATE subscriptions SET topic = ?, proto = ? WHERE id = ?"
                db.execute(sql, (pb.topic, pb.SerializeToString(), number))
            sub = Sub.of(number, pb)
            self._subs = {**self._subs, pb.name: sub}
        self._changed(number)
        return sub

    def delete_subscription(self, sub: Sub) -> None:
        """Delete a subscription and its messages."""
        with self._store.transaction() as db:
            db.execute("DELETE FROM deliveries WHERE subscription = ?", (sub.number,))
            db.execute("DELETE FROM subscriptions WHERE id = ?", (sub.number,))
            self._subs = {n: s for n, s in self._subs.items() if n != sub.name}
        self._changed(sub.number)

    def _changed(self, number: int) -> None:
        self._signals.ring(number)
        self._signals.ring(CATALOG)
