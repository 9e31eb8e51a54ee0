"""What is kept, for how long, and what happens when something is not there any more."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.api_core import exceptions as api

from local.pubsub.clock import ManualClock
from local.pubsub.server import Emulator
from local.pubsub.wire import Subscription
from tests.pubsub.conftest import PROJECT, PubSub
from tests.pubsub.support import Endpoint, until

DAY = 86_400


def _seek(pubsub: PubSub, sub: str, seconds: float) -> None:
    pubsub.subscriber.seek(request={"subscription": sub, "time": datetime.fromtimestamp(seconds, UTC)})


def _count(pubsub: PubSub, table: str) -> int:
    return int(pubsub.emulator.store.one(f"SELECT COUNT(*) FROM {table}")[0])


def test_an_unacknowledged_message_is_kept_for_the_subscriptions_retention(pubsub: PubSub) -> None:
    """Seven days, not more."""
    topic = pubsub.topic()
    sub = pubsub.subscription(topic)
    pubsub.publish(topic, "a")
    pubsub.clock.move(7 * DAY - 60)
    pubsub.emulator.tidy()
    assert pubsub.texts(sub) == ["a"]
    pubsub.clock.move(120)
    pubsub.emulator.tidy()
    assert pubsub.pull(sub) == []
    assert _count(pubsub, "messages") == 0


def test_retained_messages_are_replayed_for_31_days(pubsub: PubSub) -> None:
    """Acknowledged long ago, they come back by a seek, until they are too old."""
    topic = pubsub.topic()
    month: dict[str, Any] = {"message_retention_duration": timedelta(days=31), "retain_acked_messages": True}
    sub = pubsub.subscription(topic, **month)
    start = pubsub.clock()
    pubsub.publish(topic, "a")
    pubsub.ack(sub, *pubsub.pull(sub))
    pubsub.clock.move(30 * DAY)
    pubsub.emulator.tidy()
    _seek(pubsub, sub, start)
    assert pubsub.texts(sub) == ["a"]
    pubsub.clock.move(2 * DAY)
    pubsub.emulator.tidy()
    _seek(pubsub, sub, start)
    assert pubsub.pull(sub) == []


def test_what_nobody_can_have_is_forgotten(pubsub: PubSub) -> None:
    """Acknowledged by all, or published to nobody: the disk does not fill up."""
    topic = pubsub.topic()
    pubsub.publish(topic, "to nobody")
    sub = pubsub.subscription(topic)
    pubsub.publish(topic, "a")
    pubsub.ack(sub, *pubsub.pull(sub))
    pubsub.clock.move(1)
    pubsub.emulator.tidy()
    assert (_count(pubsub, "messages"), _count(pubsub, "deliveries")) == (0, 0)


def test_a_topic_with_retention_remembers_what_is_acknowledged(pubsub: PubSub) -> None:
    """Also for a subscription that does not retain."""
    topic = pubsub.topic(message_retention_duration=timedelta(days=1))
    sub = pubsub.subscription(topic)
    start = pubsub.clock()
    pubsub.publish(topic, "a")
    pubsub.ack(sub, *pubsub.pull(sub))
    for _ in range(2):  # before and after the acknowledgement is forgotten
        _seek(pubsub, sub, start)
        (again,) = pubsub.pull(sub)
        pubsub.ack(sub, again)
        pubsub.emulator.tidy()
    pubsub.clock.move(DAY + 1)
    pubsub.emulator.tidy()
    assert _count(pubsub, "messages") == 0


def test_a_snapshot_keeps_its_backlog_and_what_came_after(pubsub: PubSub) -> None:
    """Even when all of it is acknowledged and the subscription does not retain; when it is deleted they go."""
    topic = pubsub.topic()
    sub = pubsub.subscription(topic)
    pubsub.publish(topic, "open")
    name = f"projects/{PROJECT}/snapshots/now"
    pubsub.subscriber.create_snapshot(request={"name": name, "subscription": sub})
    pubsub.publish(topic, "since")
    pubsub.ack(sub, *pubsub.pull(sub))
    pubsub.clock.move(DAY)
    pubsub.emulator.tidy()
    pubsub.subscriber.seek(request={"subscription": sub, "snapshot": name})
    again = pubsub.pull(sub)
    assert sorted(m.message.data for m in again) == [b"open", b"since"]
    pubsub.ack(sub, *again)
    pubsub.subscriber.delete_snapshot(request={"snapshot": name})
    pubsub.clock.move(1)
    pubsub.emulator.tidy()
    assert _count(pubsub, "messages") == 0


def test_a_snapshot_of_an_old_backlog_is_refused(pubsub: PubSub) -> None:
    """It would expire within the hour."""
    topic = pubsub.topic()
    sub = pubsub.subscription(topic, message_retention_duration=timedelta(days=10))
    pubsub.publish(topic, "a")
    pubsub.clock.move(7 * DAY - 1800)
    with pytest.raises(api.FailedPrecondition, match="less than one hour"):
        pubsub.subscriber.create_snapshot(request={"name": f"projects/{PROJECT}/snapshots/now", "subscription": sub})


def test_a_dead_letter_without_its_topic_is_not_lost(pubsub: PubSub) -> None:
    """Given a dead-letter topic that was deleted, then the message is delivered on; with the topic back, it leaves."""
    topic, dead = pubsub.topic(), pubsub.topic("dead")
    sub = pubsub.subscription(topic, dead_letter_policy={"dead_letter_topic": dead, "max_delivery_attempts": 5})
    pubsub.publisher.delete_topic(request={"topic": dead})
    pubsub.publish(topic, "a")
    for attempt in range(1, 8):
        (message,) = pubsub.pull(sub)
        assert message.delivery_attempt == attempt
        pubsub.nack(sub, message)
    grave = pubsub.subscription(pubsub.topic("dead"), "grave")
    assert pubsub.pull(sub) == []
    assert pubsub.texts(grave) == ["a"]


def test_a_lease_that_ran_out_unasked_for_becomes_a_dead_letter(pubsub: PubSub) -> None:
    """Nobody pulls any more: the emulator moves it by itself."""
    topic, dead = pubsub.topic(), pubsub.topic("dead")
    grave = pubsub.subscription(dead, "grave")
    sub = pubsub.subscription(topic, dead_letter_policy={"dead_letter_topic": dead, "max_delivery_attempts": 5})
    pubsub.publish(topic, "a")
    for _ in range(5):
        assert pubsub.texts(sub) == ["a"]
        pubsub.clock.move(11)
    until(lambda: pubsub.texts(grave) == ["a"])


def test_a_push_that_was_under_way_at_a_restart_did_not_fail(pubsub: PubSub) -> None:
    """It comes again, as the same attempt."""
    topic, dead = pubsub.topic(), pubsub.topic("dead")
    folder = Path(pubsub.emulator.store.one("PRAGMA database_list")[2]).parent
    endpoint = Endpoint()
    gate = endpoint.hold()
    policy = {"dead_letter_topic": dead, "max_delivery_attempts": 5}
    pubsub.subscription(topic, push_config={"push_endpoint": endpoint.url}, dead_letter_policy=policy)
    pubsub.publish(topic, "a")
    until(lambda: endpoint.posted)
    pubsub.emulator.stop()
    again = Emulator(folder, ManualClock(pubsub.clock()))
    again.start("127.0.0.1", 0)
    until(lambda: len(endpoint.posted) == 2)
    gate.set()
    assert [p.body["deliveryAttempt"] for p in endpoint.posted] == [1, 1]
    again.stop()
    endpoint.close()


def test_the_acknowledgement_deadline_is_the_time_out_of_a_push(pubsub: PubSub) -> None:
    """Given an endpoint that does not answer within the deadline, then the message is delivered again."""
    endpoint = Endpoint()
    gate = endpoint.hold()
    pubsub.subscription(pubsub.topic(), push_config={"push_endpoint": endpoint.url})
    catalog = pubsub.emulator.catalog
    (sub,) = catalog.subscriptions()
    impatient = Subscription()
    impatient.CopyFrom(sub.pb)
    impatient.ack_deadline_seconds = 1  # less than the service allows, so that the test is short
    catalog.save_subscription(impatient)
    pubsub.publish(f"projects/{PROJECT}/topics/orders", "a")
    until(lambda: endpoint.posted)
    assert len(endpoint.posted) == 1
    until(lambda: _pass(pubsub) and len(endpoint.posted) >= 2)
    assert endpoint.posted[1].at - endpoint.posted[0].at > 0.9
    gate.set()
    endpoint.close()


def _pass(pubsub: PubSub) -> bool:
    pubsub.clock.move(0.05)
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
