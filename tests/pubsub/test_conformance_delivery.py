"""Publishing and pulling."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from google.api_core import exceptions as api
from google.cloud import pubsub_v1
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from tests.pubsub.support import CALL, World, texts, until


def test_a_message_arrives_as_it_was_published(world: World) -> None:
    """Data, attributes, ordering key, id and publish time arrive as published."""
    world.topic()
    world.sub()
    message = {"data": b"\x00\xff", "attributes": {"Ünïcode": 'v "q"'}, "ordering_key": "k"}
    (number,) = world.publish(message)
    (received,) = (m.message for m in world.take(1))
    assert (received.data, dict(received.attributes), received.ordering_key, received.message_id) == (
        b"\x00\xff", {"Ünïcode": "v \"q\""}, "k", number,
    )  # fmt: skip
    assert abs(received.publish_time.timestamp() - time.time()) < 60


def test_every_subscription_gets_every_message(world: World) -> None:
    """Every subscription gets each message that is published after it was created."""
    world.topic()
    world.sub("one")
    ids = world.publish("a", "b")
    world.sub("two")
    ids += world.publish("c")
    assert len(set(ids)) == 3
    assert sorted(texts(world.take(3, "one"))) == ["a", "b", "c"]
    assert texts(world.take(1, "two")) == ["c"]


def test_what_is_acknowledged_does_not_come_back(world: World) -> None:
    """An acknowledged message is not delivered again."""
    world.topic()
    world.sub()
    world.publish("a")
    world.take(1)
    world.publish("b")
    assert texts(world.take(1)) == ["b"]
    assert world.pull() == []


def test_a_lease_that_runs_out_redelivers(world: World) -> None:
    """A message whose deadline passes is delivered again, with another ack id."""
    world.topic()
    world.sub()
    world.publish("a")
    (first,) = world.take(1, ack=False)
    assert world.pull() == []
    world.extend([first], 1)
    (again,) = world.take(1)
    assert again.message.message_id == first.message.message_id
    assert again.ack_id != first.ack_id


def test_a_nack_redelivers_at_once(world: World) -> None:
    """A deadline of 0 is a negative acknowledgement: without a retry policy the message comes at once."""
    world.topic()
    world.sub()
    world.publish("a")
    world.extend(world.take(1, ack=False), 0)
    assert texts(world.take(1)) == ["a"]


@pytest.mark.parametrize("most", [1, 3])
def test_a_pull_gives_no_more_than_asked(world: World, most: int) -> None:
    """A pull gives at most max_messages."""
    world.topic()
    world.sub()
    world.publish(*"abcde")
    assert 1 <= len(world.take(1, ack=False)) <= most
    assert len(world.pull(most=most)) <= most


def test_a_pull_waits_for_a_message(world: World) -> None:
    """A pull waits for a message that comes while it waits."""
    world.topic()
    world.sub()
    timer = threading.Timer(0.3, lambda: world.publish("late"))
    timer.start()
    request = {"subscription": world.sub_name(), "max_messages": 1}
    assert texts(list(world.subscriber.pull(request=request, **CALL).received_messages)) == ["late"]
    timer.join()


@pytest.mark.parametrize("most", [0])
def test_a_pull_of_nothing_is_refused(world: World, most: int) -> None:
    """max_messages of 0 is INVALID_ARGUMENT."""
    world.topic()
    world.sub()
    with pytest.raises(api.InvalidArgument, match="max_messages"):
        world.pull(most=most)


def test_ack_ids_are_checked(world: World) -> None:
    """A malformed ack id, or none, is INVALID_ARGUMENT."""
    world.topic()
    world.sub()
    for ids in ([], ["nonsense"]):
        with pytest.raises(api.InvalidArgument, match=r"ack id|ack ID"):
            world.subscriber.acknowledge(request={"subscription": world.sub_name(), "ack_ids": ids}, **CALL)


# -- what a publish refuses

REFUSED: dict[str, tuple[list[dict[str, Any]], bool]] = {
    "no message": ([], True),
    "an empty message": ([{}], True),
    "only an ordering key": ([{"ordering_key": "k"}], True),
    "1,001 messages": ([{"data": b"x"}] * 1001, True),
}
LIMITS: dict[str, list[dict[str, Any]]] = {
    "more than 10 MB": [{"data": b"x" * 10_000_001}],
    "101 attributes": [{"attributes": {f"k{n}": "v" for n in range(101)}}],
    "an attribute key of 257 bytes": [{"data": b"x", "attributes": {"k" * 257: "v"}}],
    "an attribute value of 1,025 bytes": [{"data": b"x", "attributes": {"k": "v" * 1025}}],
    "an attribute key that begins with goog": [{"data": b"x", "attributes": {"google": "v"}}],
    "an ordering key of 1,025 bytes": [{"data": b"x", "ordering_key": "k" * 1025}],
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_empty_or_crowded_publish_is_refused(world: World, case: str) -> None:
    """A publish of no message, an empty one or more than 1,000 is INVALID_ARGUMENT."""
    topic = world.topic()
    with pytest.raises(api.InvalidArgument):
        world.publisher.publish(request={"topic": topic, "messages": REFUSED[case][0]}, **CALL)


@pytest.mark.differs("has no such limits")
@pytest.mark.parametrize("case", LIMITS)
def test_an_oversized_publish_is_refused(world: World, case: str) -> None:
    """Sizes of requests, attributes and keys are limited as documented; nothing of a refused request is published."""
    topic = world.topic()
    world.sub()
    messages = [{"data": b"fine"}, *LIMITS[case]]
    with pytest.raises(api.InvalidArgument):
        world.publisher.publish(request={"topic": topic, "messages": messages}, **CALL)
    assert world.pull() == []


# -- policies


@pytest.mark.differs("delivers again at once")
def test_a_retry_policy_holds_a_message_back(world: World) -> None:
    """With a retry policy a refused message waits at least the minimum back-off, then longer."""
    world.topic()
    retry = {"minimum_backoff": {"seconds": 1}, "maximum_backoff": {"seconds": 10}}
    world.sub(retry_policy=retry)
    world.publish("a")
    waits = []
    received = world.take(1, ack=False)
    for _ in range(2):
        refused = time.monotonic()  # before it is said, so that a slow answer cannot shorten the wait
        world.extend(received, 0)
        received = world.take(1, ack=False)
        waits.append(time.monotonic() - refused)
    assert waits[0] > 0.9
    assert waits[1] > 1.8


@pytest.mark.differs("never forwards")
def test_a_dead_letter_moves_on(world: World) -> None:
    """After max_delivery_attempts a message goes to the dead-letter topic, with where it comes from."""
    world.topic()
    dead = world.topic("dead")
    world.sub("grave", topic="dead")
    world.sub(dead_letter_policy={"dead_letter_topic": dead, "max_delivery_attempts": 5})
    world.publish({"data": b"poison", "attributes": {"own": "1"}})
    for attempt in range(1, 6):
        (received,) = world.take(1, ack=False)
        assert received.delivery_attempt == attempt
        world.extend([received], 0)
    (letter,) = world.take(1, "grave")
    assert letter.message.data == b"poison"
    attributes = dict(letter.message.attributes)
    assert attributes["own"] == "1"
    assert attributes["CloudPubSubDeadLetterSourceDeliveryCount"] == "5"
    assert attributes["CloudPubSubDeadLetterSourceSubscription"] == "sub"
    assert attributes["CloudPubSubDeadLetterSourceSubscriptionProject"] == world.project
    assert attributes["CloudPubSubDeadLetterSourceTopicPublishTime"]
    assert world.pull() == []


def test_attempts_are_counted_only_with_a_policy(world: World) -> None:
    """delivery_attempt is 0 without a dead-letter policy."""
    world.topic()
    world.sub()
    world.publish("a")
    assert world.take(1)[0].delivery_attempt == 0


@pytest.mark.differs("ignores filters")
def test_a_filter_lets_only_its_messages_through(world: World) -> None:
    """A filter lets only its messages through; the others are acknowledged by the service."""
    world.topic()
    world.sub(filter='attributes.kind = "a" AND NOT hasPrefix(attributes.name, "x")')
    world.publish(*({"data": n.encode(), "attributes": {"kind": k, "name": n}} for k, n in ("aa", "ax", "ba", "ab")))
    assert texts(world.take(2)) == ["a", "b"]
    assert world.pull() == []


@pytest.mark.differs("ignores filters")
@pytest.mark.parametrize(
    "text", ["attributes.a =", "attributes:a AND attributes:b OR attributes:c", f'attributes:"{"k" * 256}"']
)
def test_a_bad_filter_is_refused(world: World, text: str) -> None:
    """A filter that is too long, malformed or mixes AND and OR is INVALID_ARGUMENT."""
    world.topic()
    with pytest.raises(api.InvalidArgument):
        world.sub(filter=text)


def _keyed(*items: str) -> list[dict[str, Any]]:
    return [{"data": text.encode(), "ordering_key": text[0]} for text in items]


def test_messages_of_a_key_come_in_order(world: World) -> None:
    """With ordering, messages of one key come in the order they were published."""
    world.topic()
    world.sub(enable_message_ordering=True)
    for message in _keyed("a1", "b1", "a2", "b2", "a3"):
        world.publish(message)
    got = texts(world.take(5))
    assert [t for t in got if t[0] == "a"] == ["a1", "a2", "a3"]
    assert [t for t in got if t[0] == "b"] == ["b1", "b2"]


@pytest.mark.differs("the later ones come first")
def test_a_refused_message_of_a_key_comes_first_again(world: World) -> None:
    """A refused message of a key, and those after it, come again in order."""
    world.topic()
    world.sub(enable_message_ordering=True)
    world.publish(*_keyed("a1", "a2", "a3"))
    (first,) = world.take(1, ack=False)[:1]
    assert texts([first]) == ["a1"]
    world.extend([first], 0)
    seen: list[str] = []
    until(lambda: seen.extend(texts(_acked(world))) or "a3" in seen)
    assert [t for i, t in enumerate(seen) if t not in seen[:i]] == ["a1", "a2", "a3"]


def _acked(world: World) -> list[Any]:
    got = world.pull()
    if got:
        world.ack(got)
    return got


# -- exactly-once


@pytest.mark.differs("accepts a late acknowledgement")
def test_a_late_acknowledgement_fails_for_exactly_once(world: World) -> None:
    """With exactly-once delivery an acknowledgement after the deadline fails and names its ack id."""
    world.topic()
    world.sub(enable_exactly_once_delivery=True)
    world.publish("a")
    (late,) = world.take(1, ack=False)
    world.extend([late], 1)
    (again,) = world.take(1, ack=False)
    with pytest.raises(api.FailedPrecondition) as caught:
        world.ack([late])
    assert caught.value.details[0].metadata[late.ack_id] == "PERMANENT_FAILURE_INVALID_ACK_ID"
    world.ack([again])
    world.ack([again])
    assert world.pull() == []


# -- streaming


def _requests(first: dict[str, Any], more: "list[dict[str, Any]]", done: threading.Event) -> Iterator[dict[str, Any]]:
    yield first
    while not done.wait(0.02):
        while more:
            yield more.pop(0)


@pytest.mark.differs("sends all at once")
def test_a_stream_obeys_flow_control_and_takes_acknowledgements(world: World) -> None:
    """A streaming pull holds no more than max_outstanding_messages and takes acknowledgements on the stream."""
    world.topic()
    world.sub()
    world.publish(*"abcdef")
    first = {"subscription": world.sub_name(), "stream_ack_deadline_seconds": 10, "max_outstanding_messages": 2}
    more: list[dict[str, Any]] = []
    done = threading.Event()
    outstanding, got = 0, []
    client: Any = world.subscriber  # its types know no dictionaries and no cancel
    stream = client.streaming_pull(requests=_requests(first, more, done), retry=None, timeout=30)
    for response in stream:
        got += texts(response.received_messages)
        outstanding = len(response.received_messages)
        assert outstanding <= 2
        more.append({"ack_ids": [m.ack_id for m in response.received_messages]})
        if len(got) == 6:
            break
    done.set()
    stream.cancel()
    assert sorted(got) == list("abcdef")


def test_a_stream_needs_a_deadline(world: World) -> None:
    """A stream whose first request has a deadline out of 10 to 600 s is INVALID_ARGUMENT."""
    world.topic()
    world.sub()
    first = {"subscription": world.sub_name(), "stream_ack_deadline_seconds": 601}
    with pytest.raises(api.InvalidArgument):
        client: Any = world.subscriber
        next(iter(client.streaming_pull(requests=iter([first]), retry=None, timeout=10)))


@pytest.mark.differs("confirms nothing")
def test_a_stream_confirms_acknowledgements_of_exactly_once(world: World) -> None:
    """With exactly-once delivery the stream confirms acknowledgements and deadlines."""
    world.topic()
    world.sub(enable_exactly_once_delivery=True)
    world.publish("a")
    first = {"subscription": world.sub_name(), "stream_ack_deadline_seconds": 10}
    more: list[dict[str, Any]] = []
    done = threading.Event()
    client: Any = world.subscriber  # its types know no dictionaries and no cancel
    stream = client.streaming_pull(requests=_requests(first, more, done), retry=None, timeout=20)
    responses = iter(stream)
    message = next(responses)
    assert message.subscription_properties.exactly_once_delivery_enabled
    ack_id = message.received_messages[0].ack_id
    more.append({"modify_deadline_ack_ids": [ack_id], "modify_deadline_seconds": [20]})
    assert list(next(responses).modify_ack_deadline_confirmation.ack_ids) == [ack_id]
    more.append({"ack_ids": [ack_id, ack_id[:-1] + "9"]})
    confirmed = next(responses).acknowledge_confirmation
    assert (list(confirmed.ack_ids), list(confirmed.invalid_ack_ids)) == ([ack_id], [ack_id[:-1] + "9"])
    done.set()
    stream.cancel()


def test_the_clients_subscribe_works(world: World) -> None:
    """The client library's subscribe() receives and acknowledges many messages."""
    world.topic()
    world.sub()
    got: set[str] = set()
    complete = threading.Event()

    def take(message: Any) -> None:
        got.add(message.data.decode())
        message.ack()
        if len(got) == 300:
            complete.set()

    transport = SubscriberGrpcTransport(channel=world._channel)
    client = pubsub_v1.SubscriberClient(transport=transport)
    flow = pubsub_v1.types.FlowControl(max_messages=50)
    future = client.subscribe(world.sub_name(), take, flow_control=flow)
    world.publish(*range(300))
    assert complete.wait(60), f"{len(got)} of 300"
    future.cancel()
    future.result(60)
    assert world.pull() == []
