"""Streaming pull beyond what both emulators do: refusals, flow control by bytes, the end of a stream."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from google.api_core import exceptions as api

from tests.pubsub.conftest import Bus
from tests.pubsub.support import until


class Talk:
    """One stream: what is said to it, and what it answers."""

    def __init__(self, bus: Bus, **first: Any) -> None:
        self._said: list[dict[str, Any]] = [{"stream_ack_deadline_seconds": 10, **first}]
        self._more, self._done = threading.Semaphore(1), threading.Event()
        self._stream = bus.subscriber.streaming_pull(requests=self._requests(), retry=None, timeout=30)
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
def test_a_wrong_request_ends_the_stream(bus: Bus, request_: dict[str, Any]) -> None:
    """INVALID_ARGUMENT: what belongs into the first request only, bounds, ack ids."""
    talk = Talk(bus, subscription=bus.subscription(bus.topic()))
    talk.say(**request_)
    with pytest.raises(api.InvalidArgument):
        next(talk.answers)
    talk.end()


def test_a_stream_of_nobody_is_not_found(bus: Bus) -> None:
    """NOT_FOUND, also when the subscription is deleted under it."""
    with pytest.raises(api.NotFound):
        next(Talk(bus, subscription="projects/conformance/subscriptions/nobody").answers)
    sub = bus.subscription(bus.topic())
    talk = Talk(bus, subscription=sub)
    bus.publish("projects/conformance/topics/orders", "a")
    assert talk.texts() == ["a"]
    bus.subscriber.delete_subscription(request={"subscription": sub})
    with pytest.raises(api.NotFound):
        next(talk.answers)
    talk.end()


def test_flow_control_counts_bytes(bus: Bus) -> None:
    """Given room for 250 bytes, then messages of 100 come two at a time; one larger than the room comes alone."""
    topic = bus.topic()
    sub = bus.subscription(topic)
    bus.publish(topic, *(c * 100 for c in "abcd"), "e" * 1000)
    talk = Talk(bus, subscription=sub, max_outstanding_bytes=250)
    sizes = []
    for _ in range(3):
        answer = next(talk.answers)
        sizes.append([len(m.message.data) for m in answer.received_messages])
        talk.say(ack_ids=[m.ack_id for m in answer.received_messages])
    assert sizes == [[100, 100], [100, 100], [1000]]
    talk.end()


def test_leases_outlive_their_stream(bus: Bus) -> None:
    """The client opens another stream now and then, and acknowledges on that what came on the one before."""
    topic = bus.topic()
    sub = bus.subscription(topic)
    bus.publish(topic, "a", "b")
    talk = Talk(bus, subscription=sub)
    answer = next(talk.answers)
    talk.end()
    assert bus.pull(sub) == []
    second = Talk(bus, subscription=sub, ack_ids=[answer.received_messages[0].ack_id])
    number = bus.emulator.catalog.find(sub).number
    sql = "SELECT COUNT(*) FROM deliveries WHERE subscription = ? AND acked = 1"
    until(lambda: bus.emulator.store.one(sql, (number,))[0] == 1)
    bus.clock.move(11)
    assert second.texts() == ["b"]
    second.end()


def test_unary_acknowledgements_make_room_on_the_stream(bus: Bus) -> None:
    """A client may acknowledge by either way."""
    topic = bus.topic()
    sub = bus.subscription(topic)
    bus.publish(topic, "a", "b")
    talk = Talk(bus, subscription=sub, max_outstanding_messages=1)
    (first,) = next(talk.answers).received_messages
    bus.ack(sub, first)
    assert talk.texts() == ["b"]
    talk.end()
