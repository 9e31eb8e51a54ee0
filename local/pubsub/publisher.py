"""``google.pubsub.v1.Publisher``, method by method: request in, response out."""

from typing import Any

from local.pubsub import limits, wire
from local.pubsub.catalog import Catalog
from local.pubsub.errors import already_exists
from local.pubsub.leases import Message, Queue
from local.pubsub.names import check, check_project
from local.pubsub.paging import page
from local.pubsub.snapshots import Snapshots
from local.pubsub.store import Store


class Publisher:
    """Topics, and publishing to them."""

    def __init__(self, store: Store, catalog: Catalog, queue: Queue, snapshots: Snapshots) -> None:
        self._store, self._catalog, self._queue, self._snapshots = store, catalog, queue, snapshots

    def create_topic(self, request: Any) -> Any:
        """CreateTopic."""
        check(request.name, "topics")
        with self._store.transaction():
            if self._catalog.has_topic(request.name):
                raise already_exists(request.name)
            limits.check_topic(request)
            self._catalog.save_topic(request)
        self._store.sync()
        return request

    def update_topic(self, request: Any) -> Any:
        """UpdateTopic."""
        with self._store.transaction():
            topic = wire.Topic()
            topic.CopyFrom(self._catalog.topic(request.topic.name))
            limits.merge(request.topic, topic, request.update_mask.paths)
            limits.check_topic(topic)
            self._catalog.save_topic(topic)
        self._store.sync()
        return topic

    def publish(self, request: Any) -> Any:
        """Publish; the response means that the messages are on disk."""
        self._catalog.topic(request.topic)
        limits.check_publish(request.messages, request.ByteSize())
        messages = [Message(m.data, dict(m.attributes), m.ordering_key) for m in request.messages]
        return wire.PublishResponse(message_ids=[str(i) for i in self._queue.publish(request.topic, messages)])

    def get_topic(self, request: Any) -> Any:
        """GetTopic."""
        return self._catalog.topic(request.topic)

    def list_topics(self, request: Any) -> Any:
        """ListTopics."""
        topics, following = page(self._catalog.topics(check_project(request.project)), request)
        return wire.ListTopicsResponse(topics=topics, next_page_token=following)

    def list_topic_subscriptions(self, request: Any) -> Any:
        """ListTopicSubscriptions."""
        self._catalog.topic(request.topic)
        names, following = page([s.name for s in self._catalog.subscriptions_of(request.topic)], request)
        return wire.ListTopicSubscriptionsResponse(subscriptions=names, next_page_token=following)

    def list_topic_snapshots(self, request: Any) -> Any:
        """ListTopicSnapshots."""
        self._catalog.topic(request.topic)
        names, following = page([s.name for s in self._snapshots.list(topic=request.topic)], request)
        return wire.ListTopicSnapshotsResponse(snapshots=names, next_page_token=following)

    def delete_topic(self, request: Any) -> Any:
        """DeleteTopic."""
        with self._store.transaction():
            self._catalog.topic(request.topic)
            self._catalog.delete_topic(request.topic)
        self._store.sync()
        return wire.Empty()

    def detach_subscription(self, request: Any) -> Any:
        """DetachSubscription: it gets nothing any more, and what it had is dropped."""
        with self._store.transaction() as db:
            sub = self._catalog.find(request.subscription)
            changed = wire.Subscription()
            changed.CopyFrom(sub.pb)
            changed.detached = True
            self._catalog.save_subscription(changed)
            db.execute("DELETE FROM deliveries WHERE subscription = ?", (sub.number,))
        self._store.sync()
        return wire.DetachSubscriptionResponse()
