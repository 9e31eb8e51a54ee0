"""``google.pubsub.v1.Subscriber``, method by method: request in, response out (StreamingPull: streaming.py)."""

import threading
import time
from collections.abc import Callable
from typing import Any

from local.pubsub import limits, wire
from local.pubsub.catalog import Catalog, Sub
from local.pubsub.clock import Clock
from local.pubsub.errors import StaleAckIdsError, already_exists, invalid
from local.pubsub.leases import Leased, Queue
from local.pubsub.names import check, check_project
from local.pubsub.paging import page
from local.pubsub.signals import Signals
from local.pubsub.snapshots import Snapshots
from local.pubsub.store import Store

PULL_SECONDS = 5.0
"""How long a pull waits for its first message."""
NAP = 0.25
"""The longest wait between two looks at the clock, which need not be the wall's."""
_MAX_PULL = 1_000


class Subscriber:
    """Subscriptions, snapshots, and messages for those who ask."""

    def __init__(self, store: Store, catalog: Catalog, queue: Queue, snapshots: Snapshots) -> None:
        self._store, self._catalog, self._queue, self._snapshots = store, catalog, queue, snapshots

    # -- subscriptions

    def create_subscription(self, request: Any) -> Any:
        """CreateSubscription."""
        check(request.name, "subscriptions")
        with self._store.transaction():
            topic = self._catalog.topic(request.topic)
            if self._catalog.get(request.name):
                raise already_exists(request.name)
            limits.complete(request)
            limits.check_subscription(request)
            self._check_grave(request)
            if topic.HasField("message_retention_duration"):
                request.topic_message_retention_duration.CopyFrom(topic.message_retention_duration)
            self._catalog.save_subscription(request)
        self._store.sync()
        return request

    def _check_grave(self, sub: Any) -> None:
        if sub.HasField("dead_letter_policy"):
            self._catalog.topic(sub.dead_letter_policy.dead_letter_topic)

    def get_subscription(self, request: Any) -> Any:
        """GetSubscription."""
        return self._catalog.find(request.subscription).pb

    def update_subscription(self, request: Any) -> Any:
        """UpdateSubscription."""

        def change(sub: Any) -> None:
            limits.merge(request.subscription, sub, request.update_mask.paths)
            limits.complete(sub)
            limits.check_subscription(sub)
            if "dead_letter_policy" in request.update_mask.paths:
                self._check_grave(sub)

        return self._change(request.subscription.name, change)

    def modify_push_config(self, request: Any) -> Any:
        """ModifyPushConfig; an empty endpoint makes it a pull subscription."""

        def change(sub: Any) -> None:
            sub.push_config.CopyFrom(request.push_config)
            limits.check_push(sub)

        self._change(request.subscription, change)
        return wire.Empty()

    def _change(self, name: str, change: Callable[[Any], None]) -> Any:
        with self._store.transaction():
            pb = wire.Subscription()
            pb.CopyFrom(self._catalog.find(name).pb)
            change(pb)
            self._catalog.save_subscription(pb)
        self._store.sync()
        return pb

    def list_subscriptions(self, request: Any) -> Any:
        """ListSubscriptions."""
        found = [s.pb for s in self._catalog.subscriptions(check_project(request.project))]
        subscriptions, following = page(found, request)
        return wire.ListSubscriptionsResponse(subscriptions=subscriptions, next_page_token=following)

    def delete_subscription(self, request: Any) -> Any:
        """DeleteSubscription."""
        with self._store.transaction():
            self._catalog.delete_subscription(self._catalog.find(request.subscription))
        self._store.sync()
        return wire.Empty()

    # -- messages

    def acknowledge(self, request: Any) -> Any:
        """Acknowledge."""
        if not request.ack_ids:
            raise invalid("No ack ids specified.")
        sub = self._catalog.attached(request.subscription)
        _refuse_stale(sub, self._queue.acknowledge(sub, request.ack_ids))
        return wire.Empty()

    def modify_ack_deadline(self, request: Any) -> Any:
        """ModifyAckDeadline; 0 is a negative acknowledgement."""
        if not request.ack_ids:
            raise invalid("No ack ids specified.")
        limits.check_range("ack_deadline_seconds", request.ack_deadline_seconds, 0, 600)
        sub = self._catalog.attached(request.subscription)
        _refuse_stale(sub, self._queue.modify(sub, [(a, request.ack_deadline_seconds) for a in request.ack_ids]))
        return wire.Empty()

    def pull(self, request: Any, signals: Signals, clock: Clock, alive: Callable[[], bool] = lambda: True) -> Any:
        """Pull: wait a little for the first message unless told to return at once."""
        limits.check_range("max_messages", request.max_messages, 1, 2**31)
        deadline = time.monotonic() + (0 if request.return_immediately else PULL_SECONDS)
        rung = threading.Event()
        stop = signals.listen(self._catalog.pulled(request.subscription).number, rung.set)
        try:
            while alive():
                rung.clear()
                sub = self._catalog.pulled(request.subscription)
                count = min(request.max_messages, _MAX_PULL)
                leased = self._queue.lease(sub, count, sub.pb.ack_deadline_seconds)
                left = deadline - time.monotonic()
                if leased or left <= 0:
                    return wire.PullResponse(received_messages=[received(sub, m) for m in leased])
                rung.wait(min(left, nap(self._queue.next_change(sub), clock)))
        finally:
            stop()
        return wire.PullResponse()

    # -- snapshots

    def get_snapshot(self, request: Any) -> Any:
        """GetSnapshot."""
        return self._snapshots.get(request.snapshot)

    def list_snapshots(self, request: Any) -> Any:
        """ListSnapshots."""
        found, following = page(self._snapshots.list(project=check_project(request.project)), request)
        return wire.ListSnapshotsResponse(snapshots=found, next_page_token=following)

    def create_snapshot(self, request: Any) -> Any:
        """CreateSnapshot."""
        snapshot = self._snapshots.create(request.name, request.subscription, dict(request.labels))
        self._store.sync()
        return snapshot

    def update_snapshot(self, request: Any) -> Any:
        """UpdateSnapshot."""
        return self._snapshots.update(request.snapshot, request.update_mask.paths)

    def delete_snapshot(self, request: Any) -> Any:
        """DeleteSnapshot."""
        self._snapshots.delete(request.snapshot)
        return wire.Empty()

    def seek(self, request: Any) -> Any:
        """Seek to a time or to a snapshot."""
        if request.HasField("time"):
            self._snapshots.seek_to_time(request.subscription, wire.get_time(request.time))
        elif request.snapshot:
            self._snapshots.seek_to_snapshot(request.subscription, request.snapshot)
        else:
            raise invalid("No target was specified in the SeekRequest. Must specify either a time or a snapshot")
        self._store.sync()
        return wire.SeekResponse()


def received(sub: Sub, leased: Leased) -> Any:
    """Return a lease as the service sends it; attempts only show where there is a dead-letter policy."""
    message = wire.PubsubMessage(
        data=leased.message.data,
        attributes=leased.message.attributes,
        message_id=str(leased.id),
        ordering_key=leased.message.ordering_key,
    )
    wire.set_time(message.publish_time, leased.published)
    attempts = leased.attempts if sub.policy.dead_letter_topic else 0
    return wire.ReceivedMessage(ack_id=leased.ack_id, message=message, delivery_attempt=attempts)


def nap(change_at: float | None, clock: Clock) -> float:
    """Return how long to wait, at most, when nothing is due before ``change_at``."""
    return NAP if change_at is None else min(max(change_at - clock(), 0.005), NAP)


def _refuse_stale(sub: Sub, stale: list[str]) -> None:
    if sub.pb.enable_exactly_once_delivery and stale:
        raise StaleAckIdsError(stale)
