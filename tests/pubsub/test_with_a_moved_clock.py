"""What the real service does, with the unmodified client."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api_core import exceptions as api
from google.protobuf import field_mask_pb2

from tests.pubsub.conftest import PROJECT, PubSub


def at(seconds: float) -> datetime:
    """Return a time of the test's clock."""
    return datetime.fromtimestamp(seconds, UTC)


# -- publish and pull


def test_a_message_reaches_every_subscription_once_acknowledged_never_again(pubsub: PubSub) -> None:
    """Two subscriptions each get it; what is acknowledged does not come back after the deadline."""
    topic = pubsub.topic()
    one, two = pubsub.subscription(topic, "one"), pubsub.subscription(topic, "two")
    assert pubsub.publish(topic, "hello", colour="red") == ["1"]
    (message,) = pubsub.pull(one)
    assert (message.message.data, dict(message.message.attributes)) == (b"hello", {"colour": "red"})
    pubsub.ack(one, message)
    pubsub.clock.move(700)
    assert pubsub.pull(one) == []
    assert pubsub.texts(two) == ["hello"]


def test_what_is_not_acknowledged_comes_back_after_the_deadline(pubsub: PubSub) -> None:
    """Not before."""
    sub = pubsub.subscription(pubsub.topic(), ack_deadline_seconds=20)
    pubsub.publish(f"projects/{PROJECT}/topics/orders", "a")
    assert pubsub.texts(sub) == ["a"]
    pubsub.clock.move(19)
    assert pubsub.pull(sub) == []
    pubsub.clock.move(2)
    assert pubsub.texts(sub) == ["a"]


def test_a_longer_deadline_keeps_the_lease(pubsub: PubSub) -> None:
    """ModifyAckDeadline moves its end."""
    topic = pubsub.topic()
    sub = pubsub.subscription(topic)
    pubsub.publish(topic, "a")
    (message,) = pubsub.pull(sub)
    request = {"subscription": sub, "ack_ids": [message.ack_id], "ack_deadline_seconds": 60}
    pubsub.subscriber.modify_ack_deadline(request=request)
    pubsub.clock.move(50)
    assert pubsub.pull(sub) == []
    pubsub.ack(sub, message)
    pubsub.clock.move(50)
    assert pubsub.pull(sub) == []


def test_a_filter_lets_only_its_messages_through(pubsub: PubSub) -> None:
    """The others are acknowledged by the service itself."""
    topic = pubsub.topic()
    sub = pubsub.subscription(topic, filter='attributes.event_type = "load.ingested"')
    pubsub.publish(topic, "yes", event_type="load.ingested")
    pubsub.publish(topic, "no", event_type="load.validated")
    assert pubsub.texts(sub) == ["yes"]


def test_the_back_off_doubles_up_to_its_maximum(pubsub: PubSub) -> None:
    """10, 20, 40, 40 seconds after each negative acknowledgement."""
    topic = pubsub.topic()
    retry = {"minimum_backoff": timedelta(seconds=10), "maximum_backoff": timedelta(seconds=40)}
    sub = pubsub.subscription(topic, retry_policy=retry)
    pubsub.publish(topic, "a")
    for wait in (10, 20, 40, 40):
        (message,) = pubsub.pull(sub)
        pubsub.nack(sub, message)
        pubsub.clock.move(wait - 1)
        assert pubsub.pull(sub) == []
        pubsub.clock.move(1.5)


def test_after_the_last_attempt_a_message_is_a_dead_letter(pubsub: PubSub) -> None:
    """It carries where it comes from and how often it was delivered; its neighbours are not held up."""
    topic, dead = pubsub.topic(), pubsub.topic("orders-dead")
    grave = pubsub.subscription(dead, "grave")
    policy = {"dead_letter_topic": dead, "max_delivery_attempts": 5}
    sub = pubsub.subscription(topic, dead_letter_policy=policy)
    pubsub.publish(topic, "poison", "good")
    for attempt in range(1, 6):
        messages = pubsub.pull(sub)
        poison = next(m for m in messages if m.message.data == b"poison")
        assert poison.delivery_attempt == attempt
        pubsub.nack(sub, poison)
        if good := [m for m in messages if m is not poison]:
            pubsub.ack(sub, *good)
    assert pubsub.pull(sub) == []
    (letter,) = pubsub.pull(grave)
    assert letter.message.data == b"poison"
    assert letter.message.attributes["CloudPubSubDeadLetterSourceDeliveryCount"] == "5"
    assert letter.message.attributes["CloudPubSubDeadLetterSourceSubscription"] == "reader"


def test_messages_of_one_key_come_in_order_and_wait_for_those_that_are_out(pubsub: PubSub) -> None:
    """One pull may hold several of a key, in order; later ones wait until these are acknowledged."""
    topic = pubsub.topic()
    sub = pubsub.subscription(topic, enable_message_ordering=True)
    for text, key in (("a1", "a"), ("a2", "a"), ("b1", "b"), ("a3", "a")):
        pubsub.publisher.publish(request={"topic": topic, "messages": [{"data": text.encode(), "ordering_key": key}]})
    first = pubsub.pull(sub, 2)
    assert [m.message.data for m in first] == [b"a1", b"a2"]
    assert pubsub.texts(sub) == ["b1"]
    pubsub.ack(sub, *first)
    assert pubsub.texts(sub) == ["a3"]


def test_a_refused_message_of_a_key_brings_back_what_follows_it(pubsub: PubSub) -> None:
    """Given a1 and a2 out, when a1 is refused, then both come again, in order."""
    topic = pubsub.topic()
    sub = pubsub.subscription(topic, enable_message_ordering=True)
    for text in ("a1", "a2"):
        pubsub.publisher.publish(request={"topic": topic, "messages": [{"data": text.encode(), "ordering_key": "a"}]})
    first, _second = pubsub.pull(sub)
    pubsub.nack(sub, first)
    assert pubsub.texts(sub) == ["a1", "a2"]


def test_a_late_acknowledgement_fails_for_exactly_once(pubsub: PubSub) -> None:
    """The lease ran out, so the client is told that its acknowledgement did not count."""
    topic = pubsub.topic()
    sub = pubsub.subscription(topic, enable_exactly_once_delivery=True)
    pubsub.publish(topic, "a")
    (message,) = pubsub.pull(sub)
    pubsub.clock.move(11)
    with pytest.raises(api.FailedPrecondition, match="invalid") as caught:
        pubsub.ack(sub, message)
    assert caught.value.details[0].metadata[message.ack_id] == "PERMANENT_FAILURE_INVALID_ACK_ID"
    assert pubsub.texts(sub) == ["a"]


def test_a_streaming_pull_delivers_and_acknowledges(pubsub: PubSub) -> None:
    """The client's own subscribe(), with its flow control."""
    from google.cloud.pubsub_v1.types import FlowControl

    topic = pubsub.topic()
    sub = pubsub.subscription(topic)
    pubsub.publish(topic, *[str(n) for n in range(200)])
    got: set[str] = set()
    done = threading.Event()

    def take(message: Any) -> None:
        got.add(message.data.decode())
        message.ack()
        if len(got) == 200:
            done.set()

    future = pubsub.subscriber.subscribe(sub, take, flow_control=FlowControl(max_messages=10))
    assert done.wait(30), f"{len(got)} of 200"
    future.cancel()
    future.result(10)


# -- seek and snapshots


def test_a_seek_into_the_past_replays_what_was_acknowledged(pubsub: PubSub) -> None:
    """From that time on, and only where acknowledged messages are retained."""
    topic = pubsub.topic()
    kept = pubsub.subscription(topic, "kept", retain_acked_messages=True)
    plain = pubsub.subscription(topic, "plain")
    pubsub.publish(topic, "old")
    pubsub.clock.move(60)
    middle = pubsub.clock()
    pubsub.publish(topic, "new")
    for sub in (kept, plain):
        pubsub.ack(sub, *pubsub.pull(sub))
        pubsub.subscriber.seek(request={"subscription": sub, "time": at(middle)})
    assert pubsub.texts(kept) == ["new"]
    assert pubsub.texts(plain) == []


def test_a_topic_that_retains_replays_also_for_a_subscription_that_came_later(pubsub: PubSub) -> None:
    """Topic retention is for all its subscriptions."""
    topic = pubsub.topic(message_retention_duration=timedelta(days=31))
    start = pubsub.clock()
    pubsub.publish(topic, "before", kind="a")
    pubsub.publish(topic, "other", kind="b")
    late = pubsub.subscription(topic, filter='attributes.kind = "a"')
    assert pubsub.pull(late) == []
    pubsub.subscriber.seek(request={"subscription": late, "time": at(start - 1)})
    assert pubsub.texts(late) == ["before"]


def test_a_seek_into_the_future_purges(pubsub: PubSub) -> None:
    """Nothing that was published is delivered any more."""
    topic = pubsub.topic()
    sub = pubsub.subscription(topic)
    pubsub.publish(topic, "a", "b")
    pubsub.subscriber.seek(request={"subscription": sub, "time": at(pubsub.clock() + 3600)})
    assert pubsub.pull(sub) == []


def test_a_snapshot_brings_back_the_backlog_of_its_moment(pubsub: PubSub) -> None:
    """What was unacknowledged then, and what was published since."""
    topic = pubsub.topic()
    sub = pubsub.subscription(topic, retain_acked_messages=True)
    pubsub.publish(topic, "done")
    pubsub.ack(sub, *pubsub.pull(sub))
    pubsub.publish(topic, "open")
    name = f"projects/{PROJECT}/snapshots/before"
    pubsub.subscriber.create_snapshot(request={"name": name, "subscription": sub})
    pubsub.clock.move(1)
    pubsub.publish(topic, "since")
    pubsub.ack(sub, *pubsub.pull(sub))
    pubsub.subscriber.seek(request={"subscription": sub, "snapshot": name})
    assert sorted(pubsub.texts(sub)) == ["open", "since"]


def test_a_snapshot_expires_after_seven_days(pubsub: PubSub) -> None:
    """Then it is not found."""
    sub = pubsub.subscription(pubsub.topic())
    name = f"projects/{PROJECT}/snapshots/before"
    pubsub.subscriber.create_snapshot(request={"name": name, "subscription": sub})
    pubsub.clock.move(7 * 86_400 + 1)
    with pytest.raises(api.NotFound):
        pubsub.subscriber.seek(request={"subscription": sub, "snapshot": name})


# -- configuration


def test_updates_change_only_what_the_mask_names(pubsub: PubSub) -> None:
    """A filter cannot be changed at all."""
    topic = pubsub.topic()
    sub = pubsub.subscription(topic, filter="attributes:a", labels={"x": "1"})
    mask = field_mask_pb2.FieldMask(paths=["ack_deadline_seconds"])
    wanted = {"name": sub, "ack_deadline_seconds": 77, "labels": {}}
    updated = pubsub.subscriber.update_subscription(request={"subscription": wanted, "update_mask": mask})
    assert (updated.ack_deadline_seconds, dict(updated.labels)) == (77, {"x": "1"})
    mask = field_mask_pb2.FieldMask(paths=["filter"])
    with pytest.raises(api.InvalidArgument, match="filter field in the Subscription is not mutable"):
        pubsub.subscriber.update_subscription(request={"subscription": wanted, "update_mask": mask})


def test_a_detached_subscription_has_no_messages(pubsub: PubSub) -> None:
    """FAILED_PRECONDITION, as the real service says."""
    topic = pubsub.topic()
    sub = pubsub.subscription(topic)
    pubsub.publish(topic, "a")
    pubsub.publisher.detach_subscription(request={"subscription": sub})
    with pytest.raises(api.FailedPrecondition, match="detached"):
        pubsub.pull(sub)


def test_lists_are_paged(pubsub: PubSub) -> None:
    """Each name once, in order, over all pages."""
    topic = pubsub.topic()
    names = [pubsub.subscription(topic, f"sub-{n:02}") for n in range(7)]
    project = f"projects/{PROJECT}"
    pages = pubsub.subscriber.list_subscriptions(request={"project": project, "page_size": 3})
    assert [len(p.subscriptions) for p in pages.pages] == [3, 3, 1]
    listed = pubsub.publisher.list_topic_subscriptions(request={"topic": topic, "page_size": 2})
    assert list(listed) == names


def test_a_deleted_topic_leaves_its_subscriptions(pubsub: PubSub) -> None:
    """They name ``_deleted-topic_`` and still deliver what they had."""
    topic = pubsub.topic()
    sub = pubsub.subscription(topic)
    pubsub.publish(topic, "a")
    pubsub.publisher.delete_topic(request={"topic": topic})
    assert pubsub.subscriber.get_subscription(request={"subscription": sub}).topic == "_deleted-topic_"
    assert pubsub.texts(sub) == ["a"]


# -- refusals

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no message": ({"messages": []}, "message_count is too small"),
    "empty message": ({"messages": [{}]}, "is empty"),
    "too many messages": ({"messages": [{"data": b"x"}] * 1001}, "message_count is too large"),
    "too large": ({"messages": [{"data": b"x" * 10_000_001}]}, "request_size is too large"),
    "attribute too long": (
        {"messages": [{"data": b"x", "attributes": {"a": "v" * 1025}}]},
        "attribute_value_size is too large",
    ),
    "reserved attribute": ({"messages": [{"data": b"x", "attributes": {"google": "v"}}]}, "must not begin"),
    "too many attributes": (
        {"messages": [{"attributes": {f"k{n}": "v" for n in range(101)}}]},
        "attributes_count is too large",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_publish_refuses_what_breaks_a_limit(pubsub: PubSub, case: str) -> None:
    """INVALID_ARGUMENT, and nothing of the request is published."""
    topic = pubsub.topic()
    sub = pubsub.subscription(topic)
    fields, says = REFUSED[case]
    with pytest.raises(api.InvalidArgument, match=says):
        pubsub.publisher.publish(request={"topic": topic, **fields})
    assert pubsub.pull(sub) == []


def test_what_is_not_there_is_not_found_and_what_is_there_already_exists(pubsub: PubSub) -> None:
    """With the words of the service."""
    topic = pubsub.topic()
    with pytest.raises(api.AlreadyExists, match=r"Resource already exists in the project \(resource=orders\)"):
        pubsub.topic()
    with pytest.raises(api.NotFound, match=r"Resource not found \(resource=nobody\)"):
        pubsub.publish(f"projects/{PROJECT}/topics/nobody", "x")
    with pytest.raises(api.InvalidArgument, match="Invalid resource name"):
        pubsub.topic("9lives")
    with pytest.raises(api.InvalidArgument, match="ack_deadline_seconds"):
        pubsub.subscription(topic, ack_deadline_seconds=601)
    with pytest.raises(api.OutOfRange, match="max_delivery_attempts"):
        pubsub.subscription(topic, dead_letter_policy={"dead_letter_topic": topic, "max_delivery_attempts": 3})
