"""What the real service does, with the unmodified client."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api_core import exceptions as api
from google.protobuf import field_mask_pb2

from tests.pubsub.conftest import PROJECT, Bus


def at(seconds: float) -> datetime:
    """Return a time of the test's clock."""
    return datetime.fromtimestamp(seconds, UTC)


# -- publish and pull


def test_a_message_reaches_every_subscription_once_acknowledged_never_again(bus: Bus) -> None:
    """Two subscriptions each get it; what is acknowledged does not come back after the deadline."""
    topic = bus.topic()
    one, two = bus.subscription(topic, "one"), bus.subscription(topic, "two")
    assert bus.publish(topic, "hello", colour="red") == ["1"]
    (message,) = bus.pull(one)
    assert (message.message.data, dict(message.message.attributes)) == (b"hello", {"colour": "red"})
    bus.ack(one, message)
    bus.clock.move(700)
    assert bus.pull(one) == []
    assert bus.texts(two) == ["hello"]


def test_what_is_not_acknowledged_comes_back_after_the_deadline(bus: Bus) -> None:
    """Not before."""
    sub = bus.subscription(bus.topic(), ack_deadline_seconds=20)
    bus.publish(f"projects/{PROJECT}/topics/orders", "a")
    assert bus.texts(sub) == ["a"]
    bus.clock.move(19)
    assert bus.pull(sub) == []
    bus.clock.move(2)
    assert bus.texts(sub) == ["a"]


def test_a_longer_deadline_keeps_the_lease(bus: Bus) -> None:
    """ModifyAckDeadline moves its end."""
    topic = bus.topic()
    sub = bus.subscription(topic)
    bus.publish(topic, "a")
    (message,) = bus.pull(sub)
    request = {"subscription": sub, "ack_ids": [message.ack_id], "ack_deadline_seconds": 60}
    bus.subscriber.modify_ack_deadline(request=request)
    bus.clock.move(50)
    assert bus.pull(sub) == []
    bus.ack(sub, message)
    bus.clock.move(50)
    assert bus.pull(sub) == []


def test_a_filter_lets_only_its_messages_through(bus: Bus) -> None:
    """The others are acknowledged by the service itself."""
    topic = bus.topic()
    sub = bus.subscription(topic, filter='attributes.event_type = "load.ingested"')
    bus.publish(topic, "yes", event_type="load.ingested")
    bus.publish(topic, "no", event_type="load.validated")
    assert bus.texts(sub) == ["yes"]


def test_the_back_off_doubles_up_to_its_maximum(bus: Bus) -> None:
    """10, 20, 40, 40 seconds after each negative acknowledgement."""
    topic = bus.topic()
    retry = {"minimum_backoff": timedelta(seconds=10), "maximum_backoff": timedelta(seconds=40)}
    sub = bus.subscription(topic, retry_policy=retry)
    bus.publish(topic, "a")
    for wait in (10, 20, 40, 40):
        (message,) = bus.pull(sub)
        bus.nack(sub, message)
        bus.clock.move(wait - 1)
        assert bus.pull(sub) == []
        bus.clock.move(1.5)


def test_after_the_last_attempt_a_message_is_a_dead_letter(bus: Bus) -> None:
    """It carries where it comes from and how often it was delivered; its neighbours are not held up."""
    topic, dead = bus.topic(), bus.topic("orders-dead")
    grave = bus.subscription(dead, "grave")
    policy = {"dead_letter_topic": dead, "max_delivery_attempts": 5}
    sub = bus.subscription(topic, dead_letter_policy=policy)
    bus.publish(topic, "poison", "good")
    for attempt in range(1, 6):
        messages = bus.pull(sub)
        poison = next(m for m in messages if m.message.data == b"poison")
        assert poison.delivery_attempt == attempt
        bus.nack(sub, poison)
        if good := [m for m in messages if m is not poison]:
            bus.ack(sub, *good)
    assert bus.pull(sub) == []
    (letter,) = bus.pull(grave)
    assert letter.message.data == b"poison"
    assert letter.message.attributes["CloudPubSubDeadLetterSourceDeliveryCount"] == "5"
    assert letter.message.attributes["CloudPubSubDeadLetterSourceSubscription"] == "reader"


def test_messages_of_one_key_come_in_order_and_wait_for_those_that_are_out(bus: Bus) -> None:
    """One pull may hold several of a key, in order; later ones wait until these are acknowledged."""
    topic = bus.topic()
    sub = bus.subscription(topic, enable_message_ordering=True)
    for text, key in (("a1", "a"), ("a2", "a"), ("b1", "b"), ("a3", "a")):
        bus.publisher.publish(request={"topic": topic, "messages": [{"data": text.encode(), "ordering_key": key}]})
    first = bus.pull(sub, 2)
    assert [m.message.data for m in first] == [b"a1", b"a2"]
    assert bus.texts(sub) == ["b1"]
    bus.ack(sub, *first)
    assert bus.texts(sub) == ["a3"]


def test_a_refused_message_of_a_key_brings_back_what_follows_it(bus: Bus) -> None:
    """Given a1 and a2 out, when a1 is refused, then both come again, in order."""
    topic = bus.topic()
    sub = bus.subscription(topic, enable_message_ordering=True)
    for text in ("a1", "a2"):
        bus.publisher.publish(request={"topic": topic, "messages": [{"data": text.encode(), "ordering_key": "a"}]})
    first, _second = bus.pull(sub)
    bus.nack(sub, first)
    assert bus.texts(sub) == ["a1", "a2"]


def test_a_late_acknowledgement_fails_for_exactly_once(bus: Bus) -> None:
    """The lease ran out, so the client is told that its acknowledgement did not count."""
    topic = bus.topic()
    sub = bus.subscription(topic, enable_exactly_once_delivery=True)
    bus.publish(topic, "a")
    (message,) = bus.pull(sub)
    bus.clock.move(11)
    with pytest.raises(api.FailedPrecondition, match="invalid") as caught:
        bus.ack(sub, message)
    assert caught.value.details[0].metadata[message.ack_id] == "PERMANENT_FAILURE_INVALID_ACK_ID"
    assert bus.texts(sub) == ["a"]


def test_a_streaming_pull_delivers_and_acknowledges(bus: Bus) -> None:
    """The client's own subscribe(), with its flow control."""
    from google.cloud.pubsub_v1.types import FlowControl

    topic = bus.topic()
    sub = bus.subscription(topic)
    bus.publish(topic, *[str(n) for n in range(200)])
    got: set[str] = set()
    done = threading.Event()

    def take(message: Any) -> None:
        got.add(message.data.decode())
        message.ack()
        if len(got) == 200:
            done.set()

    future = bus.subscriber.subscribe(sub, take, flow_control=FlowControl(max_messages=10))
    assert done.wait(30), f"{len(got)} of 200"
    future.cancel()
    future.result(10)


# -- seek and snapshots


def test_a_seek_into_the_past_replays_what_was_acknowledged(bus: Bus) -> None:
    """From that time on, and only where acknowledged messages are retained."""
    topic = bus.topic()
    kept = bus.subscription(topic, "kept", retain_acked_messages=True)
    plain = bus.subscription(topic, "plain")
    bus.publish(topic, "old")
    bus.clock.move(60)
    middle = bus.clock()
    bus.publish(topic, "new")
    for sub in (kept, plain):
        bus.ack(sub, *bus.pull(sub))
        bus.subscriber.seek(request={"subscription": sub, "time": at(middle)})
    assert bus.texts(kept) == ["new"]
    assert bus.texts(plain) == []


def test_a_topic_that_retains_replays_also_for_a_subscription_that_came_later(bus: Bus) -> None:
    """Topic retention is for all its subscriptions."""
    topic = bus.topic(message_retention_duration=timedelta(days=31))
    start = bus.clock()
    bus.publish(topic, "before", kind="a")
    bus.publish(topic, "other", kind="b")
    late = bus.subscription(topic, filter='attributes.kind = "a"')
    assert bus.pull(late) == []
    bus.subscriber.seek(request={"subscription": late, "time": at(start - 1)})
    assert bus.texts(late) == ["before"]


def test_a_seek_into_the_future_purges(bus: Bus) -> None:
    """Nothing that was published is delivered any more."""
    topic = bus.topic()
    sub = bus.subscription(topic)
    bus.publish(topic, "a", "b")
    bus.subscriber.seek(request={"subscription": sub, "time": at(bus.clock() + 3600)})
    assert bus.pull(sub) == []


def test_a_snapshot_brings_back_the_backlog_of_its_moment(bus: Bus) -> None:
    """What was unacknowledged then, and what was published since."""
    topic = bus.topic()
    sub = bus.subscription(topic, retain_acked_messages=True)
    bus.publish(topic, "done")
    bus.ack(sub, *bus.pull(sub))
    bus.publish(topic, "open")
    name = f"projects/{PROJECT}/snapshots/before"
    bus.subscriber.create_snapshot(request={"name": name, "subscription": sub})
    bus.clock.move(1)
    bus.publish(topic, "since")
    bus.ack(sub, *bus.pull(sub))
    bus.subscriber.seek(request={"subscription": sub, "snapshot": name})
    assert sorted(bus.texts(sub)) == ["open", "since"]


def test_a_snapshot_expires_after_seven_days(bus: Bus) -> None:
    """Then it is not found."""
    sub = bus.subscription(bus.topic())
    name = f"projects/{PROJECT}/snapshots/before"
    bus.subscriber.create_snapshot(request={"name": name, "subscription": sub})
    bus.clock.move(7 * 86_400 + 1)
    with pytest.raises(api.NotFound):
        bus.subscriber.seek(request={"subscription": sub, "snapshot": name})


# -- configuration


def test_updates_change_only_what_the_mask_names(bus: Bus) -> None:
    """A filter cannot be changed at all."""
    topic = bus.topic()
    sub = bus.subscription(topic, filter="attributes:a", labels={"x": "1"})
    mask = field_mask_pb2.FieldMask(paths=["ack_deadline_seconds"])
    wanted = {"name": sub, "ack_deadline_seconds": 77, "labels": {}}
    updated = bus.subscriber.update_subscription(request={"subscription": wanted, "update_mask": mask})
    assert (updated.ack_deadline_seconds, dict(updated.labels)) == (77, {"x": "1"})
    mask = field_mask_pb2.FieldMask(paths=["filter"])
    with pytest.raises(api.InvalidArgument, match="filter field in the Subscription is not mutable"):
        bus.subscriber.update_subscription(request={"subscription": wanted, "update_mask": mask})


def test_a_detached_subscription_has_no_messages(bus: Bus) -> None:
    """FAILED_PRECONDITION, as the real service says."""
    topic = bus.topic()
    sub = bus.subscription(topic)
    bus.publish(topic, "a")
    bus.publisher.detach_subscription(request={"subscription": sub})
    with pytest.raises(api.FailedPrecondition, match="detached"):
        bus.pull(sub)


def test_lists_are_paged(bus: Bus) -> None:
    """Each name once, in order, over all pages."""
    topic = bus.topic()
    names = [bus.subscription(topic, f"sub-{n:02}") for n in range(7)]
    project = f"projects/{PROJECT}"
    pages = bus.subscriber.list_subscriptions(request={"project": project, "page_size": 3})
    assert [len(p.subscriptions) for p in pages.pages] == [3, 3, 1]
    listed = bus.publisher.list_topic_subscriptions(request={"topic": topic, "page_size": 2})
    assert list(listed) == names


def test_a_deleted_topic_leaves_its_subscriptions(bus: Bus) -> None:
    """They name ``_deleted-topic_`` and still deliver what they had."""
    topic = bus.topic()
    sub = bus.subscription(topic)
    bus.publish(topic, "a")
    bus.publisher.delete_topic(request={"topic": topic})
    assert bus.subscriber.get_subscription(request={"subscription": sub}).topic == "_deleted-topic_"
    assert bus.texts(sub) == ["a"]


# -- refusals

REFUSED = {
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
def test_publish_refuses_what_breaks_a_limit(bus: Bus, case: str) -> None:
    """INVALID_ARGUMENT, and nothing of the request is published."""
    topic = bus.topic()
    sub = bus.subscription(topic)
    fields, says = REFUSED[case]
    with pytest.raises(api.InvalidArgument, match=says):
        bus.publisher.publish(request={"topic": topic, **fields})
    assert bus.pull(sub) == []


def test_what_is_not_there_is_not_found_and_what_is_there_already_exists(bus: Bus) -> None:
    """With the words of the service."""
    topic = bus.topic()
    with pytest.raises(api.AlreadyExists, match=r"Resource already exists in the project \(resource=orders\)"):
        bus.topic()
    with pytest.raises(api.NotFound, match=r"Resource not found \(resource=nobody\)"):
        bus.publish(f"projects/{PROJECT}/topics/nobody", "x")
    with pytest.raises(api.InvalidArgument, match="Invalid resource name"):
        bus.topic("9lives")
    with pytest.raises(api.InvalidArgument, match="ack_deadline_seconds"):
        bus.subscription(topic, ack_deadline_seconds=601)
    with pytest.raises(api.OutOfRange, match="max_delivery_attempts"):
        bus.subscription(topic, dead_letter_policy={"dead_letter_topic": topic, "max_delivery_attempts": 3})
