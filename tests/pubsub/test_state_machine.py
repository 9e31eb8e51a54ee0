"""A subscription under anything that publishers, subscribers, operators and time do to it, beside a plain model."""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from local.pubsub.catalog import Catalog
from local.pubsub.clock import ManualClock
from local.pubsub.leases import Queue
from local.pubsub.publisher import Publisher
from local.pubsub.retention import tidy
from local.pubsub.signals import Signals
from local.pubsub.snapshots import Snapshots
from local.pubsub.store import Store
from local.pubsub.subscriber import Subscriber
from local.pubsub.wire import PUBLISHER, SUBSCRIBER, set_time

TOPIC, SUB = "projects/p/topics/topic", "projects/p/subscriptions/sub"
DEADLINE = 10.0


class _Unsynced(Store):
    """Does not wait for the disk: no power is lost here."""

    def sync(self) -> None:
        pass


class Subscription(RuleBasedStateMachine):
    """What a pull gives is exactly what the model says is due."""

    @initialize()
    def start(self) -> None:
        """An empty topic with a subscription that retains."""
        self._folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock()
        self._open()
        self.publisher.create_topic(PUBLISHER["CreateTopic"](name=TOPIC))
        request = SUBSCRIBER["CreateSubscription"](name=SUB, topic=TOPIC, retain_acked_messages=True)
        self.subscriber.create_subscription(request)
        self.published: dict[str, float] = {}
        self.due: dict[str, float] = {}  # unacknowledged: due when
        self.out: list[tuple[str, str]] = []  # ack ids that still count, with their message
        self.void: list[tuple[str, str]] = []  # ack ids from before a seek
        self.snapshots: dict[str, tuple[set[str], set[str]]] = {}

    def _open(self) -> None:
        self.store, signals = _Unsynced(Path(self._folder.name)), Signals()
        self.catalog = Catalog(self.store, signals)
        self.queue = Queue(self.store, self.catalog, signals, self.clock)
        snapshots = Snapshots(self.store, self.catalog, signals, self.clock)
        self.publisher = Publisher(self.store, self.catalog, self.queue, snapshots)
        self.subscriber = Subscriber(self.store, self.catalog, self.queue, snapshots)
        self.signals = signals

    @rule(count=st.integers(1, 3))
    def publish(self, count: int) -> None:
        """Messages come, each request at a moment of its own."""
        self.clock.move(0.01)
        texts = [f"m{len(self.published) + n}" for n in range(count)]
        messages = [{"data": t.encode()} for t in texts]
        self.publisher.publish(PUBLISHER["Publish"](topic=TOPIC, messages=messages))
        self.published |= dict.fromkeys(texts, self.clock())
        self.due |= dict.fromkeys(texts, self.clock())

    @rule(most=st.sampled_from([1, 2, 100]))
    def pull(self, most: int) -> None:
        """A pull gives what is due, oldest first, and leases it."""
        request = SUBSCRIBER["Pull"](subscription=SUB, max_messages=most, return_immediately=True)
        got = self.subscriber.pull(request, self.signals, self.clock).received_messages
        texts = [m.message.data.decode() for m in got]
        due = {t for t, at in self.due.items() if at <= self.clock()}
        assert set(texts) <= due
        assert len(texts) == len(set(texts)) == min(most, len(due))
        self.due |= dict.fromkeys(texts, self.clock() + DEADLINE)
        self.out += [(m.ack_id, t) for m, t in zip(got, texts, strict=True)]

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def acknowledge(self, data: Any) -> None:
        """Any lease since the last seek acknowledges, also one that ran out."""
        ack_id, text = data.draw(st.sampled_from(self.out))
        self.subscriber.acknowledge(SUBSCRIBER["Acknowledge"](subscription=SUB, ack_ids=[ack_id]))
        self.due.pop(text, None)

    @precondition(lambda self: self.out)
    @rule(data=st.data(), seconds=st.sampled_from([0, 5, 60]))
    def modify(self, data: Any, seconds: int) -> None:
        """Only the lease that holds can be moved."""
        ack_id, text = data.draw(st.sampled_from(self.out))
        newest = [a for a, t in self.out if t == text][-1]
        request = {"subscription": SUB, "ack_ids": [ack_id], "ack_deadline_seconds": seconds}
        self.subscriber.modify_ack_deadline(SUBSCRIBER["ModifyAckDeadline"](**request))
        if ack_id == newest and self.due.get(text, 0) > self.clock():
            self.due[text] = self.clock() + seconds

    @rule(seconds=st.sampled_from([1, 6, 11]))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.clock.move(seconds)

    @rule(ago=st.sampled_from([-100, 0, 1, 7, 30]))
    def seek(self, ago: int) -> None:
        """What is older is acknowledged, the rest is not; ack ids of before are void."""
        at = self.clock() - ago
        request = SUBSCRIBER["Seek"](subscription=SUB)
        set_time(request.time, at)
        self.subscriber.seek(request)
        at = request.time.seconds + request.time.nanos / 1e9
        self.due = {t: self.clock() for t, when in self.published.items() if when >= at}
        self._forget_ack_ids()

    def _forget_ack_ids(self) -> None:
        self.void, self.out = self.void + self.out, []

    @precondition(lambda self: self.void)
    @rule(data=st.data())
    def acknowledge_too_late(self, data: Any) -> None:
        """An ack id from before a seek does nothing."""
        ack_id, _ = data.draw(st.sampled_from(self.void))
        self.subscriber.acknowledge(SUBSCRIBER["Acknowledge"](subscription=SUB, ack_ids=[ack_id]))

    @rule()
    def snapshot(self) -> None:
        """Remember the backlog."""
        name = f"projects/p/snapshots/snap{len(self.snapshots)}"
        self.subscriber.create_snapshot(SUBSCRIBER["CreateSnapshot"](name=name, subscription=SUB))
        self.snapshots[name] = (set(self.due), set(self.published))

    @precondition(lambda self: self.snapshots)
    @rule(data=st.data())
    def seek_to_a_snapshot(self, data: Any) -> None:
        """Its backlog, and all that was published since."""
        name = data.draw(st.sampled_from(sorted(self.snapshots)))
        self.subscriber.seek(SUBSCRIBER["Seek"](subscription=SUB, snapshot=name))
        backlog, known = self.snapshots[name]
        self.due = dict.fromkeys(backlog | (set(self.published) - known), self.clock())
        self._forget_ack_ids()

    @rule()
    def restart(self) -> None:
        """Leases of pullers survive it."""
        self.store.close()
        self._open()
        self.queue.forget_pushes()

    @rule()
    def tidy_up(self) -> None:
        """Nothing is old enough to go."""
        tidy(self.store, self.catalog, self.clock)

    def teardown(self) -> None:
        """In the end everything that is not acknowledged comes."""
        if hasattr(self, "store"):
            self.clock.move(100)
            self.pull(100)
            self.store.close()
            self._folder.cleanup()


TestSubscription = Subscription.TestCase
TestSubscription.settings = settings(max_examples=40, stateful_step_count=30, deadline=None, derandomize=True)
