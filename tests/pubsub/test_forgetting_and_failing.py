"""What is kept, for how long, and what happens when something is not there any more."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from google.api_core import exceptions as api

from local.pubsub.clock import ManualClock
from local.pubsub.server import Emulator
from local.pubsub.wire import Subscription
from tests.pubsub.conftest import PROJECT, Bus
from tests.pubsub.support import Endpoint, until

DAY = 86_400


def _seek(bus: Bus, sub: str, seconds: float) -> None:
    bus.subscriber.seek(request={"subscription": sub, "time": datetime.fromtimestamp(seconds, UTC)})


def _count(bus: Bus, table: str) -> int:
    return int(bus.emulator.store.one(f"SELECT COUNT(*) FROM {table}")[0])


def test_an_unacknowledged_message_is_kept_for_the_subscriptions_retention(bus: Bus) -> None:
    """Seven days, not more."""
    topic = bus.topic()
    sub = bus.subscription(topic)
    bus.publish(topic, "a")
    bus.clock.move(7 * DAY - 60)
    bus.emulator.tidy()
    assert bus.texts(sub) == ["a"]
    bus.clock.move(120)
    bus.emulator.tidy()
    assert bus.pull(sub) == []
    assert _count(bus, "messages") == 0


def test_retained_messages_are_replayed_for_31_days(bus: Bus) -> None:
    """Acknowledged long ago, they come back by a seek, until they are too old."""
    topic = bus.topic()
    month = {"message_retention_duration": timedelta(days=31), "retain_acked_messages": True}
    sub = bus.subscription(topic, **month)
    start = bus.clock()
    bus.publish(topic, "a")
    bus.ack(sub, *bus.pull(sub))
    bus.clock.move(30 * DAY)
    bus.emulator.tidy()
    _seek(bus, sub, start)
    assert bus.texts(sub) == ["a"]
    bus.clock.move(2 * DAY)
    bus.emulator.tidy()
    _seek(bus, sub, start)
    assert bus.pull(sub) == []


def test_what_nobody_can_have_is_forgotten(bus: Bus) -> None:
    """Acknowledged by all, or published to nobody: the disk does not fill up."""
    topic = bus.topic()
    bus.publish(topic, "to nobody")
    sub = bus.subscription(topic)
    bus.publish(topic, "a")
    bus.ack(sub, *bus.pull(sub))
    bus.clock.move(1)
    bus.emulator.tidy()
    assert (_count(bus, "messages"), _count(bus, "deliveries")) == (0, 0)


def test_a_topic_with_retention_remembers_what_is_acknowledged(bus: Bus) -> None:
    """Also for a subscription that does not retain."""
    topic = bus.topic(message_retention_duration=timedelta(days=1))
    sub = bus.subscription(topic)
    start = bus.clock()
    bus.publish(topic, "a")
    bus.ack(sub, *bus.pull(sub))
    for _ in range(2):  # before and after the acknowledgement is forgotten
        _seek(bus, sub, start)
        (again,) = bus.pull(sub)
        bus.ack(sub, again)
        bus.emulator.tidy()
    bus.clock.move(DAY + 1)
    bus.emulator.tidy()
    assert _count(bus, "messages") == 0


def test_a_snapshot_keeps_its_backlog_and_what_came_after(bus: Bus) -> None:
    """Even when all of it is acknowledged and the subscription does not retain; when it is deleted they go."""
    topic = bus.topic()
    sub = bus.subscription(topic)
    bus.publish(topic, "open")
    name = f"projects/{PROJECT}/snapshots/now"
    bus.subscriber.create_snapshot(request={"name": name, "subscription": sub})
    bus.publish(topic, "since")
    bus.ack(sub, *bus.pull(sub))
    bus.clock.move(DAY)
    bus.emulator.tidy()
    bus.subscriber.seek(request={"subscription": sub, "snapshot": name})
    again = bus.pull(sub)
    assert sorted(m.message.data for m in again) == [b"open", b"since"]
    bus.ack(sub, *again)
    bus.subscriber.delete_snapshot(request={"snapshot": name})
    bus.clock.move(1)
    bus.emulator.tidy()
    assert _count(bus, "messages") == 0


def test_a_snapshot_of_an_old_backlog_is_refused(bus: Bus) -> None:
    """It would expire within the hour."""
    topic = bus.topic()
    sub = bus.subscription(topic, message_retention_duration=timedelta(days=10))
    bus.publish(topic, "a")
    bus.clock.move(7 * DAY - 1800)
    with pytest.raises(api.FailedPrecondition, match="less than one hour"):
        bus.subscriber.create_snapshot(request={"name": f"projects/{PROJECT}/snapshots/now", "subscription": sub})


def test_a_dead_letter_without_its_topic_is_not_lost(bus: Bus) -> None:
    """Given a dead-letter topic that was deleted, then the message is delivered on; with the topic back, it leaves."""
    topic, dead = bus.topic(), bus.topic("dead")
    sub = bus.subscription(topic, dead_letter_policy={"dead_letter_topic": dead, "max_delivery_attempts": 5})
    bus.publisher.delete_topic(request={"topic": dead})
    bus.publish(topic, "a")
    for attempt in range(1, 8):
        (message,) = bus.pull(sub)
        assert message.delivery_attempt == attempt
        bus.nack(sub, message)
    grave = bus.subscription(bus.topic("dead"), "grave")
    assert bus.pull(sub) == []
    assert bus.texts(grave) == ["a"]


def test_a_lease_that_ran_out_unasked_for_becomes_a_dead_letter(bus: Bus) -> None:
    """Nobody pulls any more: the emulator moves it by itself."""
    topic, dead = bus.topic(), bus.topic("dead")
    grave = bus.subscription(dead, "grave")
    sub = bus.subscription(topic, dead_letter_policy={"dead_letter_topic": dead, "max_delivery_attempts": 5})
    bus.publish(topic, "a")
    for _ in range(5):
        assert bus.texts(sub) == ["a"]
        bus.clock.move(11)
    until(lambda: bus.texts(grave) == ["a"])


def test_a_push_that_was_under_way_at_a_restart_did_not_fail(bus: Bus) -> None:
    """It comes again, as the same attempt."""
    topic, dead = bus.topic(), bus.topic("dead")
    folder = Path(bus.emulator.store.one("PRAGMA database_list")[2]).parent
    endpoint = Endpoint()
    gate = endpoint.hold()
    policy = {"dead_letter_topic": dead, "max_delivery_attempts": 5}
    bus.subscription(topic, push_config={"push_endpoint": endpoint.url}, dead_letter_policy=policy)
    bus.publish(topic, "a")
    until(lambda: endpoint.posted)
    bus.emulator.stop()
    again = Emulator(folder, ManualClock(bus.clock()))
    again.start("127.0.0.1", 0)
    until(lambda: len(endpoint.posted) == 2)
    gate.set()
    assert [p.body["deliveryAttempt"] for p in endpoint.posted] == [1, 1]
    again.stop()
    endpoint.close()


def test_the_acknowledgement_deadline_is_the_time_out_of_a_push(bus: Bus) -> None:
    """Given an endpoint that does not answer within the deadline, then the message is delivered again."""
    endpoint = Endpoint()
    gate = endpoint.hold()
    bus.subscription(bus.topic(), push_config={"push_endpoint": endpoint.url})
    catalog = bus.emulator.catalog
    (sub,) = catalog.subscriptions()
    impatient = Subscription()
    impatient.CopyFrom(sub.pb)
    impatient.ack_deadline_seconds = 1  # less than the service allows, so that the test is short
    catalog.save_subscription(impatient)
    bus.publish(f"projects/{PROJECT}/topics/orders", "a")
    until(lambda: endpoint.posted)
    assert len(endpoint.posted) == 1
    until(lambda: _pass(bus) and len(endpoint.posted) >= 2)
    assert endpoint.posted[1].at - endpoint.posted[0].at > 0.9
    gate.set()
    endpoint.close()


def _pass(bus: Bus) -> bool:
    bus.clock.move(0.05)
    return True


def test_a_file_of_the_first_version_is_taken_over(tmp_path: Path) -> None:
    """Its deliveries and snapshots lack two columns."""
    emulator = Emulator(tmp_path)
    emulator.store.close()
    with sqlite3.connect(tmp_path / "pubsub.sqlite") as db:
        db.execute("ALTER TABLE deliveries DROP COLUMN floor")
        db.execute("ALTER TABLE snapshots DROP COLUMN last")
        db.execute("PRAGMA user_version = 0")
    db.close()
    again = Emulator(tmp_path)
    assert again.store.all("SELECT floor FROM deliveries") == []
    again.store.close()
