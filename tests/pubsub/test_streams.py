"""Streaming pull beyond what both emulators do: refusals, flow control by bytes, the end of a stream."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from google.api_core import exceptions as api

from tests.pubsub.conftest import PubSub
from tests.pubsub.support import until


class Talk:
    """One stream: what is said to it, and what it answers."""

    def __init__(self, pubsub: PubSub, **first: Any) -> None:
        self._said: list[dict[str, Any]] = [{"stream_ack_deadline_seconds": 10, **first}]
        self._more, self._done = threading.Semaphore(1), threading.Event()
        self._stream = pubsub.subscriber.streaming_pull(requests=self._requests(), retry=None, timeout=30)
        self.answers = iter(self._stream)

    def _requests(self) -> Iterator[dict[str, Any]]:
        while not self._done.is_set():
            self._more.acquire()
            if self._said:
                yield self._said.pop(0)

    def say(self, **request: Any) -> None:
        """Send a request."""
        self._said.append(request)
        self._more.release()

    def texts(self) -> list[str]:
        """Return the bodies of the next answer."""
        return [m.message.data.decode() for m in next(self.answers).received_messages]

    def end(self) -> None:
        """Hang up."""
        self._done.set()
        self._more.release()
        self._stream.cancel()


@pytest.mark.parametrize(
    "request_",
    [
        {"subscription": "projects/conformance/subscriptions/reader"},
        {"max_outstanding_messages": 5},
        {"stream_ack_deadline_seconds": 9},
        {"modify_deadline_ack_ids": ["1:1:1"]},
        {"modify_deadline_ack_ids": ["1:1:1"], "modify_deadline_seconds": [601]},
        {"ack_ids": ["nonsense"]},
    ],
    ids=str,
)
def test_a_wrong_request_ends_the_stream(pubsub: PubSub, request_: dict[str, Any]) -> None:
    """INVALID_ARGUMENT: what belongs into the first request only, bounds, ack ids."""
    talk = Talk(pubsub, subscription=pubsub.subscription(pubsub.topic()))
    talk.say(**request_)
    with pytest.raises(api.InvalidArgument):
        next(talk.answers)
    talk.end()


def test_a_stream_of_nobody_is_not_found(pubsub: PubSub) -> None:
    """NOT_FOUND, also when the subscription is deleted under it."""
    with pytest.raises(api.NotFound):
        next(Talk(pubsub, subscription="projects/conformance/subscriptions/nobody").answers)
    sub = pubsub.subscription(pubsub.topic())
    talk = Talk(pubsub, subscription=sub)
    pubsub.publish("projects/conformance/topics/orders", "a")
    assert talk.texts() == ["a"]
    pubsub.subscriber.delete_subscription(request={"subscription": sub})
    with pytest.raises(api.NotFound):
        next(talk.answers)
    talk.end()


def test_flow_control_counts_bytes(pubsub: PubSub) -> None:
    """Given room for 250 bytes, then messages of 100 come two at a time; one larger than the room comes alone."""
    topic = pubsub.topic()
    sub = pubsub.subscription(topic)
    pubsub.publish(topic, *(c * 100 for c in "abcd"), "e" * 1000)
    talk = Talk(pubsub, subscription=sub, max_outstanding_bytes=250)
    sizes = []
    for _ in range(3):
        answer = next(talk.answers)
        sizes.append([len(m.message.data) for m in answer.received_messages])
        talk.say(ack_ids=[m.ack_id for m in answer.received_messages])
    assert sizes == [[100, 100], [100, 100], [1000]]
    talk.end()


def test_leases_outlive_their_stream(pubsub: PubSub) -> None:
    """The client opens another stream now and then, and acknowledges on that what came on the one before."""
    topic = pubsub.topic()
    sub = pubsub.subscription(topic)
    pubsub.publish(topic, "a", "b")
    talk = Talk(pubsub, subscription=sub)
    answer = next(talk.answers)
    talk.end()
    assert pubsub.pull(sub) == []
    second = Talk(pubsub, subscription=sub, ack_ids=[answer.received_messages[0].ack_id])
    number = pubsub.emulator.catalog.find(sub).number
    sql = "SELECT COUNT(*) FROM deliveries WHERE subscription = ? AND acked = 1"
    until(lambda: pubsub.emulator.store.one(sql, (number,))[0] == 1)
    pubsub.clock.move(11)
    assert second.texts() == ["b"]
    second.end()


def test_unary_acknowledgements_make_room_on_the_stream(pubsub: PubSub) -> None:
    """A client may acknowledge by either way."""
    topic = pubsub.topic()
    sub = pubsub.subscription(topic)
    pubsub.publish(topic, "a", "b")
    talk = Talk(pubsub, subscription=sub, max_outstanding_messages=1)
    (first,) = next(talk.answers).received_messages
    pubsub.ack(sub, first)
    assert talk.texts() == ["b"]
    talk.end()
