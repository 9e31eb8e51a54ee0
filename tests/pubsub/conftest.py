"""Each test has an emulator of its own in this process, a clock it can move, and the real clients."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.cloud import pubsub_v1
from google.pubsub_v1 import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from local.pubsub.clock import ManualClock
from local.pubsub.server import Emulator

PROJECT = "conformance"


@dataclass
class Bus:
    """An emulator with its clients."""

    emulator: Emulator
    clock: ManualClock
    publisher: PublisherClient
    subscriber: pubsub_v1.SubscriberClient

    def topic(self, name: str = "orders", **fields: Any) -> str:
        """Create a topic; return its name."""
        path = f"projects/{PROJECT}/topics/{name}"
        self.publisher.create_topic(request={"name": path, **fields})
        return path

    def subscription(self, topic: str, name: str = "reader", **fields: Any) -> str:
        """Create a subscription; return its name."""
        path = f"projects/{PROJECT}/subscriptions/{name}"
        self.subscriber.create_subscription(request={"name": path, "topic": topic, **fields})
        return path

    def publish(self, topic: str, *bodies: str, **attributes: str) -> list[str]:
        """Publish messages; return their ids."""
        messages = [{"data": b.encode(), "attributes": attributes} for b in bodies]
        return list(self.publisher.publish(request={"topic": topic, "messages": messages}).message_ids)

    def pull(self, subscription: str, limit: int = 100) -> list[Any]:
        """Pull what is there now."""
        request = {"subscription": subscription, "max_messages": limit, "return_immediately": True}
        return list(self.subscriber.pull(request=request).received_messages)

    def texts(self, subscription: str) -> list[str]:
        """Pull what is there now; return the bodies."""
        return [m.message.data.decode() for m in self.pull(subscription)]

    def ack(self, subscription: str, *messages: Any) -> None:
        """Acknowledge."""
        ids = [m.ack_id for m in messages]
        self.subscriber.acknowledge(request={"subscription": subscription, "ack_ids": ids})

    def nack(self, subscription: str, *messages: Any) -> None:
        """Acknowledge negatively."""
        request = {"subscription": subscription, "ack_ids": [m.ack_id for m in messages], "ack_deadline_seconds": 0}
        self.subscriber.modify_ack_deadline(request=request)


def clients(port: int) -> tuple[PublisherClient, pubsub_v1.SubscriberClient]:
    """Return the real clients of an emulator on a port (the publisher without its own batching)."""
    channel = grpc.insecure_channel(f"127.0.0.1:{port}")
    publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
    return publisher, pubsub_v1.SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[Bus]:
    """A fresh emulator whose clock stands still until it is moved."""
    clock = ManualClock()
    emulator = Emulator(tmp_path, clock)
    port = emulator.start("127.0.0.1", 0)
    publisher, subscriber = clients(port)
    yield Bus(emulator, clock, publisher, subscriber)
    emulator.stop()
