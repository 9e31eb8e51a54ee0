"""Emulators for these tests: one with a clock that can be moved, and the targets of the conformance suite."""

import os
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
from tests.pubsub.support import Endpoint, World, google, google_jar

PROJECT = "conformance"
EVERYTHING = os.environ.get("PUBSUB_CONFORMANCE") == "all"
"""Run also what is known to differ on Google's emulator (for the table)."""


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker of the conformance suite."""
    config.addinivalue_line("markers", "differs(why): Google's emulator does not behave like this")


# -- the conformance suite: the same tests on each target


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a conformance test on ours and, where it is present, on Google's emulator."""
    if "world" in metafunc.fixturenames:
        on_google = [pytest.mark.integration]
        targets = [pytest.param("ours"), pytest.param("google", marks=on_google)]
        metafunc.parametrize("target", targets, scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On Google's emulator, except for the table, leave out what differs and all but one value of each parameter."""
    spare = [] if EVERYTHING else [item for item in items if _is_spare(item)]
    if spare:
        items[:] = [item for item in items if item not in spare]
        config.hook.pytest_deselected(items=spare)


def _is_spare(item: pytest.Item) -> bool:
    spec = getattr(item, "callspec", None)
    if spec is None or spec.params.get("target") != "google":
        return False
    return item.get_closest_marker("differs") is not None or any(
        index > 0 for name, index in spec.indices.items() if name != "target"
    )


@pytest.fixture(scope="session")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Hosts"]:
    """Each target, started when it is first asked for."""
    running = Hosts(tmp_path_factory.mktemp("pubsub"))
    yield running
    running.close()


class Hosts:
    """``host:port`` by target."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ours: Emulator | None = None
        self._google: Any = None
        self._found: dict[str, str] = {}

    def of(self, target: str) -> str:
        """Return where a target listens."""
        if target not in self._found:
            self._found[target] = self._start_ours() if target == "ours" else self._start_google()
        return self._found[target]

    def _start_ours(self) -> str:
        self._ours = Emulator(self._folder)
        return f"127.0.0.1:{self._ours.start('127.0.0.1', 0)}"

    def _start_google(self) -> str:
        jar = google_jar()
        if jar is None:
            pytest.skip("Google's Pub/Sub emulator (Cloud SDK and java) is not on this machine")
        self._google = google(jar)
        return str(self._google.__enter__())

    def close(self) -> None:
        """Stop what was started."""
        if self._ours is not None:
            self._ours.stop()
        if self._google is not None:
            self._google.__exit__(None, None, None)


@pytest.fixture
def world(target: str, hosts: Hosts) -> Iterator[World]:
    """Clients of one target, in a project of its own."""
    made = World(hosts.of(target), target)
    yield made
    made.close()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """An HTTP endpoint that answers 204."""
    made = Endpoint()
    yield made
    made.close()


# -- an emulator whose time stands still


@dataclass
class PubSub:
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
def pubsub(tmp_path: Path) -> Iterator[PubSub]:
    """A fresh emulator whose clock stands still until it is moved."""
    clock = ManualClock()
    emulator = Emulator(tmp_path, clock)
    port = emulator.start("127.0.0.1", 0)
    publisher, subscriber = clients(port)
    yield PubSub(emulator, clock, publisher, subscriber)
    emulator.stop()
