"""The Publisher and Subscriber services, method by method: request in, response out."""

from collections.abc import Iterator, Sequence
from typing import Any

from google.protobuf import empty_pb2
from google.pubsub_v1 import types

from local.pubsub import limits
from local.pubsub.admin import Admin
from local.pubsub.clock import Clock
from local.pubsub.errors import invalid
from local.pubsub.leases import Leased, Queue
from local.pubsub.names import check_project
from local.pubsub.store import Store

_EMPTY = empty_pb2.Empty()
_MAX_PULL = 1_000


class Publisher:
    """``google.pubsub.v1.Publisher``."""

    def __init__(self, admin: Admin, queue: Queue) -> None:
        self.admin, self.queue = admin, queue

    def create_topic(self, r: types.Topic) -> types.Topic:
        """CreateTopic."""
        return self.admin.create_topic(r)

    def update_topic(self, r: types.UpdateTopicRequest) -> types.Topic:
        """UpdateTopic."""
        return self.admin.update_topic(r.topic, types.UpdateTopicRequest.pb(r).update_mask.paths)

    def publish(self, r: types.PublishRequest) -> types.PublishResponse:
        """Publish; the response means that the messages are on disk."""
        self.admin.topic(r.topic)
        pb = types.PublishRequest.pb(r)
        messages = [(m.data, dict(m.attributes), m.ordering_key) for m in pb.messages]
        limits.check_publish(messages, pb.ByteSize())
        return types.PublishResponse(message_ids=[str(i) for i in self.queue.publish(r.topic, messages)])

    def get_topic(self, r: types.GetTopicRequest) -> types.Topic:
        """GetTopic."""
        return self.admin.topic(r.topic)

    def list_topics(self, r: types.ListTopicsRequest) -> types.ListTopicsResponse:
        """ListTopics, paged."""
        page, token = _page(self.admin.topics(check_project(r.project)), r)
        return types.ListTopicsResponse(topics=page, next_page_token=token)

    def list_topic_subscriptions(self, r: types.ListTopicSubscriptionsRequest) -> Any:
        """ListTopicSubscriptions, paged."""
        self.admin.topic(r.topic)
        page, token = _page([s.name for s in self.admin.subscriptions_of(r.topic)], r)
        return types.ListTopicSubscriptionsResponse(subscriptions=page, next_page_token=token)

    def list_topic_snapshots(self, r: types.ListTopicSnapshotsRequest) -> types.ListTopicSnapshotsResponse:
        """ListTopicSnapshots, paged."""
        self.admin.topic(r.topic)
        page, token = _page([s.name for s in self.admin.snapshots(topic=r.topic)], r)
        return types.ListTopicSnapshotsResponse(snapshots=page, next_page_token=token)

    def delete_topic(self, r: types.DeleteTopicRequest) -> empty_pb2.Empty:
        """DeleteTopic."""
        self.admin.delete_topic(r.topic)
        return _EMPTY

    def detach_subscription(self, r: types.DetachSubscriptionRequest) -> types.DetachSubscriptionResponse:
        """DetachSubscription."""
        self.admin.detach(r.subscription)
        return types.DetachSubscriptionResponse()


class Subscriber:
    """``google.pubsub.v1.Subscriber``, without the streaming pull (see streaming.py)."""

    def __init__(self, admin: Admin, queue: Queue, store: Store, clock: Clock) -> None:
        self.admin, self.queue, self.store, self.clock = admin, queue, store, clock

    def create_subscription(self, r: types.Subscription) -> types.Subscription:
        """CreateSubscription."""
        return self.admin.create_subscription(r)

    def get_subscription(self, r: types.GetSubscriptionRequest) -> types.Subscription:
        """GetSubscription."""
        return self.admin.find(r.subscription)[1]

    def update_subscription(self, r: types.UpdateSubscriptionRequest) -> types.Subscription:
        """UpdateSubscription."""
        mask = types.UpdateSubscriptionRequest.pb(r).update_mask.paths
        return self.admin.update_subscription(r.subscription, mask)

    def list_subscriptions(self, r: types.ListSubscriptionsRequest) -> types.ListSubscriptionsResponse:
        """ListSubscriptions, paged."""
        page, token = _page(self.admin.subscriptions(check_project(r.project)), r)
        return types.ListSubscriptionsResponse(subscriptions=page, next_page_token=token)

    def delete_subscription(self, r: types.DeleteSubscriptionRequest) -> empty_pb2.Empty:
        """DeleteSubscription."""
        self.admin.delete_subscription(r.subscription)
        return _EMPTY

    def modify_ack_deadline(self, r: types.ModifyAckDeadlineRequest) -> empty_pb2.Empty:
        """ModifyAckDeadline; 0 is a negative acknowledgement."""
        limits.check_range("ack_deadline_seconds", r.ack_deadline_seconds, 0, 600)
        number, sub = self.admin.attached(r.subscription)
        stale = self.queue.modify(number, sub, r.ack_ids, r.ack_deadline_seconds)
        _refuse_stale(sub, stale)
        return _EMPTY

    def acknowledge(self, r: types.AcknowledgeRequest) -> empty_pb2.Empty:
        """Acknowledge."""
        if not r.ack_ids:
            raise invalid("No ack ids specified.")
        number, sub = self.admin.attached(r.subscription)
        _refuse_stale(sub, self.queue.acknowledge(number, sub, r.ack_ids))
        return _EMPTY

    def pull(self, r: types.PullRequest) -> types.PullResponse:
        """Pull: wait a little for the first message unless told to return at once."""
        if r.max_messages <= 0:
            raise invalid("The value for max_messages must be greater than 0.")
        deadline = self.clock() + (0 if r.return_immediately else 5)
        while True:
            number, sub = self.admin.attached(r.subscription)
            leased = self.queue.lease(number, sub, min(r.max_messages, _MAX_PULL))
            left = deadline - self.clock()
            if leased or left <= 0:
                return types.PullResponse(received_messages=[received(sub, m) for m in leased])
            self.store.wait(min(left, 0.25))

    def modify_push_config(self, r: types.ModifyPushConfigRequest) -> empty_pb2.Empty:
        """ModifyPushConfig."""
        self.admin.set_push(r.subscription, r.push_config)
        return _EMPTY

    def get_snapshot(self, r: types.GetSnapshotRequest) -> types.Snapshot:
        """GetSnapshot."""
        return self.admin.snapshot(r.snapshot)

    def list_snapshots(self, r: types.ListSnapshotsRequest) -> types.ListSnapshotsResponse:
        """ListSnapshots, paged."""
        page, token = _page(self.admin.snapshots(check_project(r.project)), r)
        return types.ListSnapshotsResponse(snapshots=page, next_page_token=token)

    def create_snapshot(self, r: types.CreateSnapshotRequest) -> types.Snapshot:
        """CreateSnapshot."""
        return self.admin.create_snapshot(r.name, r.subscription, dict(r.labels))

    def update_snapshot(self, r: types.UpdateSnapshotRequest) -> types.Snapshot:
        """UpdateSnapshot."""
        return self.admin.update_snapshot(r.snapshot, types.UpdateSnapshotRequest.pb(r).update_mask.paths)

    def delete_snapshot(self, r: types.DeleteSnapshotRequest) -> empty_pb2.Empty:
        """DeleteSnapshot."""
        self.admin.delete_snapshot(r.snapshot)
        return _EMPTY

    def seek(self, r: types.SeekRequest) -> types.SeekResponse:
        """Seek to a time or to a snapshot."""
        pb = types.SeekRequest.pb(r)
        if pb.HasField("time"):
            self.admin.seek_time(r.subscription, pb.time.seconds + pb.time.nanos / 1e9)
        elif pb.snapshot:
            self.admin.seek_snapshot(r.subscription, pb.snapshot)
        else:
            raise invalid("A seek needs a time or a snapshot.")
        return types.SeekResponse()


def received(sub: types.Subscription, leased: Leased) -> types.ReceivedMessage:
    """Return a lease as the service sends it; attempts only show where there is a dead-letter policy."""
    message = types.PubsubMessage(
        data=leased.data,
        attributes=leased.attributes,
        message_id=str(leased.message),
        ordering_key=leased.ordering_key,
        publish_time={"seconds": int(leased.published), "nanos": int(leased.published % 1 * 1e9)},
    )
    attempts = leased.attempts if sub.dead_letter_policy.dead_letter_topic else 0
    return types.ReceivedMessage(ack_id=leased.ack_id, message=message, delivery_attempt=attempts)


def _refuse_stale(sub: types.Subscription, stale: list[str]) -> None:
    if sub.enable_exactly_once_delivery and stale:
        raise StaleAckIdsError(stale)


class StaleAckIdsError(Exception):
    """Acknowledgements of an exactly-once subscription that came too late, by ack id."""

    def __init__(self, ack_ids: list[str]) -> None:
        super().__init__("Some acknowledgement ids in the request were invalid. This could be because the "
                         "acknowledgement ids have expired or the acknowledgement ids were malformed.")  # fmt: skip
        self.ack_ids = ack_ids


def _page(items: Sequence[Any], request: Any) -> tuple[list[Any], str]:
    """Return one page and the token of the next; a token is the place to go on at."""
    size = min(request.page_size or 1000, 1000)
    if not (request.page_token or "0").isdigit():
        raise invalid("Invalid page_token.")
    start = int(request.page_token or 0)
    token = str(start + size) if start + size < len(items) else ""
    return list(items[start : start + size]), token


def methods(service: Any) -> Iterator[str]:
    """Yield the names of a service's methods."""
    return (n for n in dir(service) if not n.startswith("_") and callable(getattr(service, n)))
