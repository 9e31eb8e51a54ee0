"""Topics and subscriptions."""

from typing import Any

import pytest
from google.api_core import exceptions as api

from tests.pubsub.support import CALL, World

DAY = 86_400


def test_a_topic_is_created_read_listed_and_deleted(world: World) -> None:
    """A topic is created, read, listed and deleted."""
    name = world.topic(labels={"team": "stock"})
    found = world.publisher.get_topic(topic=name, **CALL)
    assert (found.name, dict(found.labels)) == (name, {"team": "stock"})
    assert [t.name for t in world.publisher.list_topics(project=f"projects/{world.project}", **CALL)] == [name]
    world.publisher.delete_topic(topic=name, **CALL)
    with pytest.raises(api.NotFound):
        world.publisher.get_topic(topic=name, **CALL)


def test_a_name_is_taken_once(world: World) -> None:
    """A second topic or subscription of the same name is ALREADY_EXISTS."""
    world.topic()
    world.sub()
    with pytest.raises(api.AlreadyExists):
        world.topic()
    with pytest.raises(api.AlreadyExists):
        world.sub()


@pytest.mark.parametrize("name", ["ab", "9lives", "goog-topic", "with space", "a" * 256, "slash/ed"])
def test_a_bad_name_is_refused(world: World, name: str) -> None:
    """Names have 3 to 255 letters, digits and -_.~+%, start with a letter and not with goog."""
    with pytest.raises(api.InvalidArgument):
        world.topic(name)


def test_what_is_not_there_is_not_found(world: World) -> None:
    """An unknown topic or subscription is NOT_FOUND in every method."""
    world.topic()
    for attempt in (
        lambda: world.publish("x", topic="nobody"),
        lambda: world.sub(topic="nobody"),
        lambda: world.pull("nobody"),
        lambda: world.publisher.delete_topic(topic=world.topic_name("nobody"), **CALL),
        lambda: world.subscriber.get_subscription(subscription=world.sub_name("nobody"), **CALL),
        lambda: world.subscriber.delete_subscription(subscription=world.sub_name("nobody"), **CALL),
    ):
        with pytest.raises(api.NotFound):
            attempt()


def test_lists_are_paged(world: World) -> None:
    """Topics, subscriptions and a topic's subscriptions are listed in pages, each once."""
    names = [world.topic(f"topic-{n}") for n in range(5)]
    subs = [world.sub(f"sub-{n}", topic="topic-0") for n in range(5)]
    project = {"project": f"projects/{world.project}", "page_size": 2}
    pages = list(world.publisher.list_topics(request=project, **CALL).pages)
    assert [len(p.topics) for p in pages] == [2, 2, 1]
    assert [t.name for p in pages for t in p.topics] == names
    assert [s.name for s in world.subscriber.list_subscriptions(request=project, **CALL)] == subs
    of_topic = {"topic": names[0], "page_size": 3}
    assert sorted(world.publisher.list_topic_subscriptions(request=of_topic, **CALL)) == subs


def test_a_subscription_has_the_documented_defaults(world: World) -> None:
    """A subscription has 10 s to acknowledge and 7 days of retention unless told otherwise."""
    world.topic()
    found = world.subscriber.get_subscription(subscription=world.sub(), **CALL)
    assert found.ack_deadline_seconds == 10
    kept: Any = found.message_retention_duration  # a timedelta
    assert kept.days == 7
    assert not found.retain_acked_messages


@pytest.mark.differs("sets no expiration policy")
def test_a_subscription_expires_after_31_days(world: World) -> None:
    """A subscription's expiration policy is 31 days unless told otherwise (stored, not acted on)."""
    world.topic()
    found: Any = world.subscriber.get_subscription(subscription=world.sub(), **CALL)
    assert found.expiration_policy.ttl.days == 31


@pytest.mark.parametrize(
    "fields",
    [
        {"ack_deadline_seconds": 601},
        {"message_retention_duration": {"seconds": 599}},
        {"message_retention_duration": {"seconds": 31 * DAY + 1}},
        {"retry_policy": {"minimum_backoff": {"seconds": 601}}},
        {"retry_policy": {"minimum_backoff": {"seconds": 60}, "maximum_backoff": {"seconds": 6}}},
        {"push_config": {"push_endpoint": "nowhere"}},
    ],
    ids=str,
)
def test_values_out_of_bounds_are_refused(world: World, fields: dict[str, Any]) -> None:
    """Deadline, retention, back-off and endpoint out of bounds are INVALID_ARGUMENT."""
    world.topic()
    with pytest.raises(api.InvalidArgument):
        world.sub(**fields)


@pytest.mark.differs("takes any deadline from 0")
def test_ten_seconds_is_the_shortest_deadline(world: World) -> None:
    """An ack deadline below 10 s is INVALID_ARGUMENT."""
    world.topic()
    with pytest.raises(api.InvalidArgument):
        world.sub(ack_deadline_seconds=9)


@pytest.mark.parametrize("attempts", [4, 101])
def test_a_dead_letter_policy_allows_5_to_100_attempts(world: World, attempts: int) -> None:
    """A dead-letter policy allows 5 to 100 attempts."""
    topic = world.topic()
    with pytest.raises(api.BadRequest, match="max_delivery_attempts"):
        world.sub(dead_letter_policy={"dead_letter_topic": topic, "max_delivery_attempts": attempts})


def test_a_dead_letter_topic_must_exist(world: World) -> None:
    """A dead-letter topic must exist when the subscription is created."""
    world.topic()
    with pytest.raises(api.NotFound):
        world.sub(dead_letter_policy={"dead_letter_topic": world.topic_name("nobody"), "max_delivery_attempts": 5})


@pytest.mark.parametrize("seconds", [599, 31 * DAY + 1])
def test_a_topic_retains_10_minutes_to_31_days(world: World, seconds: int) -> None:
    """A topic's own retention is 10 minutes to 31 days."""
    with pytest.raises(api.InvalidArgument):
        world.topic(message_retention_duration={"seconds": seconds})


def _update(world: World, paths: list[str], **fields: object) -> Any:
    request = {"subscription": {"name": world.sub_name(), **fields}, "update_mask": {"paths": paths}}
    return world.subscriber.update_subscription(request=request, **CALL)


def test_an_update_changes_what_its_mask_names(world: World) -> None:
    """UpdateSubscription changes the masked fields and no others."""
    world.topic()
    world.sub(retry_policy={"minimum_backoff": {"seconds": 3}})
    updated = _update(world, ["ack_deadline_seconds"], ack_deadline_seconds=77, retain_acked_messages=True)
    assert updated.ack_deadline_seconds == 77
    assert not updated.retain_acked_messages
    assert updated.retry_policy.minimum_backoff.seconds == 3
    assert not _update(world, ["retry_policy"]).retry_policy


@pytest.mark.differs("does not know labels in a mask")
def test_labels_are_updated(world: World) -> None:
    """UpdateSubscription replaces labels."""
    world.topic()
    world.sub(labels={"a": "1"})
    assert dict(_update(world, ["labels"], labels={"b": "2"}).labels) == {"b": "2"}


@pytest.mark.parametrize("path", ["topic", "name", "enable_message_ordering", "filter", "bogus", "ackDeadlineSeconds"])
def test_some_fields_never_change(world: World, path: str) -> None:
    """Topic, name, ordering and filter never change; unknown paths are INVALID_ARGUMENT."""
    topic = world.topic()
    world.sub()
    with pytest.raises(api.InvalidArgument):
        _update(world, [path], topic=topic)


def test_an_update_needs_a_mask(world: World) -> None:
    """An update without a mask is INVALID_ARGUMENT."""
    topic = world.topic()
    world.sub()
    with pytest.raises(api.InvalidArgument, match="update_mask"):
        _update(world, [])
    with pytest.raises(api.InvalidArgument, match="update_mask"):
        world.publisher.update_topic(request={"topic": {"name": topic}, "update_mask": {"paths": []}}, **CALL)


def test_a_topics_retention_is_updated(world: World) -> None:
    """UpdateTopic changes a topic's retention."""
    name = world.topic()
    wanted = {"name": name, "message_retention_duration": {"seconds": 3600}}
    request = {"topic": wanted, "update_mask": {"paths": ["message_retention_duration"]}}
    assert world.publisher.update_topic(request=request, **CALL).message_retention_duration.seconds == 3600


def test_a_deleted_topic_leaves_its_subscriptions(world: World) -> None:
    """Subscriptions of a deleted topic name _deleted-topic_ and still deliver what they had."""
    name = world.topic()
    world.sub()
    world.publish("a")
    world.publisher.delete_topic(topic=name, **CALL)
    assert world.subscriber.get_subscription(subscription=world.sub_name(), **CALL).topic == "_deleted-topic_"
    assert len(world.take(1)) == 1


def test_a_topic_of_the_same_name_starts_anew(world: World) -> None:
    """A topic created again does not feed the subscriptions of the one that was deleted."""
    name = world.topic()
    world.sub("old")
    world.publisher.delete_topic(topic=name, **CALL)
    world.topic()
    world.sub("new")
    world.publish("a")
    assert len(world.take(1, "new")) == 1
    assert world.pull("old") == []


@pytest.mark.differs("does not detach")
def test_a_detached_subscription_gets_nothing(world: World) -> None:
    """DetachSubscription drops the backlog; a pull is FAILED_PRECONDITION then."""
    world.topic()
    world.sub()
    world.publish("a")
    world.publisher.detach_subscription(request={"subscription": world.sub_name()}, **CALL)
    assert world.subscriber.get_subscription(subscription=world.sub_name(), **CALL).detached
    with pytest.raises(api.FailedPrecondition):
        world.pull()
    assert not list(world.publisher.list_topic_subscriptions(topic=world.topic_name(), **CALL))


@pytest.mark.differs("takes it and does nothing")
def test_what_is_not_supported_says_so(world: World) -> None:
    """Export to BigQuery or Cloud Storage is UNIMPLEMENTED."""
    world.topic()
    configs: tuple[dict[str, Any], ...] = (
        {"bigquery_config": {"table": "p.d.t"}}, {"cloud_storage_config": {"bucket": "b"}},
    )  # fmt: skip
    for config in configs:
        with pytest.raises(api.MethodNotImplemented):
            world.sub(**config)
