"""Seek and snapshots."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api_core import exceptions as api

from tests.pubsub.support import CALL, World, texts


def _seek(world: World, at: float, name: str = "sub") -> None:
    request = {"subscription": world.sub_name(name), "time": datetime.fromtimestamp(at, UTC)}
    world.subscriber.seek(request=request, **CALL)


def _between() -> float:
    """Return a moment that lies strictly between what was published before and what is published after."""
    before = time.time() + 0.002
    while time.time() < before + 0.002:
        time.sleep(0.001)
    return before


def test_a_seek_into_the_past_replays(world: World) -> None:
    """A seek into the past delivers again what was acknowledged since, when acknowledged messages are retained."""
    world.topic()
    world.sub(retain_acked_messages=True)
    world.publish("old")
    world.take(1)
    middle = _between()
    world.publish("new")
    world.take(1)
    _seek(world, middle)
    assert texts(world.take(1)) == ["new"]
    assert world.pull() == []


def test_a_seek_passes_over_older_messages(world: World) -> None:
    """A seek acknowledges what was published before its time."""
    world.topic()
    world.sub()
    world.publish("old")
    middle = _between()
    world.publish("new")
    _seek(world, middle)
    assert texts(world.take(1)) == ["new"]
    assert world.pull() == []


def test_a_seek_into_the_future_purges(world: World) -> None:
    """A seek into the future purges the backlog; later messages are delivered."""
    world.topic()
    world.sub()
    world.publish("a", "b")
    _seek(world, time.time() + 3600)
    assert world.pull() == []


def test_acknowledged_messages_are_gone_unless_retained(world: World) -> None:
    """Without retention, acknowledged messages do not come back by a seek."""
    world.topic()
    world.sub()
    start = _between()
    world.publish("a")
    world.take(1)
    _seek(world, start)
    assert world.pull() == []


@pytest.mark.differs("delivers them without a seek")
def test_a_topics_retention_replays_for_a_later_subscription(world: World) -> None:
    """A topic that retains messages replays them also to a subscription that came later."""
    world.topic(message_retention_duration={"seconds": 3600})
    start = _between()
    world.publish("before")
    world.sub()
    assert world.pull() == []
    _seek(world, start)
    assert texts(world.take(1)) == ["before"]


def test_a_seek_needs_a_target(world: World) -> None:
    """A seek to nothing is INVALID_ARGUMENT."""
    world.topic()
    world.sub()
    with pytest.raises(api.InvalidArgument):
        world.subscriber.seek(request={"subscription": world.sub_name()}, **CALL)


def test_ack_ids_from_before_a_seek_are_void(world: World) -> None:
    """An acknowledgement of a lease from before a seek does not undo the replay."""
    world.topic()
    world.sub(retain_acked_messages=True)
    start = _between()
    world.publish("a")
    old = world.take(1, ack=False)
    _seek(world, start)
    world.ack(old)
    assert texts(world.take(1)) == ["a"]


def _snapshot(world: World, name: str = "snapshot") -> str:
    request = {"name": world.snapshot_name(name), "subscription": world.sub_name()}
    world.subscriber.create_snapshot(request=request, **CALL)
    return world.snapshot_name(name)


def test_a_snapshot_brings_back_its_backlog(world: World) -> None:
    """A seek to a snapshot brings back what was unacknowledged then, and what was published since."""
    world.topic()
    world.sub(retain_acked_messages=True)
    world.publish("done")
    world.take(1)
    world.publish("open")
    name = _snapshot(world)
    world.publish("since")
    world.take(2)
    world.subscriber.seek(request={"subscription": world.sub_name(), "snapshot": name}, **CALL)
    assert sorted(texts(world.take(2))) == ["open", "since"]
    assert world.pull() == []


def test_a_snapshot_serves_another_subscription(world: World) -> None:
    """A snapshot can be sought by another subscription of the same topic."""
    world.topic()
    world.sub()
    world.sub("other")
    world.publish("done")
    world.take(1)
    name = _snapshot(world)
    world.publish("since")
    world.subscriber.seek(request={"subscription": world.sub_name("other"), "snapshot": name}, **CALL)
    assert texts(world.take(1, "other")) == ["since"]
    assert world.pull("other") == []


def test_a_snapshot_belongs_to_its_topic(world: World) -> None:
    """A subscription of another topic cannot seek to a snapshot."""
    world.topic()
    world.topic("second")
    world.sub()
    world.sub("other", topic="second")
    name = _snapshot(world)
    with pytest.raises(api.BadRequest):
        world.subscriber.seek(request={"subscription": world.sub_name("other"), "snapshot": name}, **CALL)


def test_snapshots_are_read_listed_and_deleted(world: World) -> None:
    """Snapshots are created, read, listed and deleted; a second of the same name is ALREADY_EXISTS."""
    topic = world.topic()
    world.sub()
    name = _snapshot(world)
    with pytest.raises(api.AlreadyExists):
        _snapshot(world)
    found = world.subscriber.get_snapshot(snapshot=name, **CALL)
    assert (found.name, found.topic) == (name, topic)
    expires: Any = found.expire_time  # a datetime with an offset
    assert expires - datetime.now(UTC) > timedelta(days=6, hours=23)
    listed = world.subscriber.list_snapshots(project=f"projects/{world.project}", **CALL)
    assert [s.name for s in listed] == [name]
    assert list(world.publisher.list_topic_snapshots(topic=topic, **CALL)) == [name]
    world.subscriber.delete_snapshot(snapshot=name, **CALL)
    with pytest.raises(api.NotFound):
        world.subscriber.delete_snapshot(snapshot=name, **CALL)


@pytest.mark.differs("UNIMPLEMENTED")
def test_a_snapshot_is_updated(world: World) -> None:
    """UpdateSnapshot changes labels."""
    world.topic()
    world.sub()
    wanted = {"name": _snapshot(world), "labels": {"a": "1"}}
    request = {"snapshot": wanted, "update_mask": {"paths": ["labels"]}}
    assert dict(world.subscriber.update_snapshot(request=request, **CALL).labels) == {"a": "1"}
