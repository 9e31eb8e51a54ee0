"""Topics, subscriptions, dead letters and the schema of events."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from cli.doctor.finding import Finding, compare, looked_up
from stockflow.schema import pipeline
from stockflow.settings import Settings, bundle_root

if TYPE_CHECKING:
    from google.cloud import pubsub_v1

APPLY = "terraform apply (docs/deploy.md); on a laptop `stockflow down` and `stockflow up`"
DAY = 86_400


def check(settings: Settings, urls: Mapping[str, str], cloud: bool) -> Iterator[Finding]:
    """Look at everything of Pub/Sub; ``urls`` says where each function listens."""
    from google.cloud import pubsub_v1  # Half a second that the other commands need not wait.

    publisher, subscriber = pubsub_v1.PublisherClient(), pubsub_v1.SubscriberClient()
    described = pipeline()
    for name, topic in described["topics"].items():
        yield from looked_up(f"topic {name}", APPLY, partial(_topic, publisher, settings, name, topic))
    for name, sub in described["subscriptions"].items():
        look = partial(_push, subscriber, settings, name, sub, urls.get(sub["function"], ""), cloud)
        yield from looked_up(f"subscription {name}", APPLY, look)
        dead = f"{name}{described['subscription_defaults']['dead_letter_subscription_suffix']}"
        yield from looked_up(f"subscription {dead}", APPLY, partial(_dead, subscriber, settings, name, dead))
    if cloud:
        yield from looked_up("schema inventory-event", APPLY, partial(_schema, publisher, settings))


def _topic(
    publisher: pubsub_v1.PublisherClient, settings: Settings, name: str, topic: Mapping[str, Any]
) -> Iterator[Finding]:
    there = publisher.get_topic(topic=settings.topic(name))
    found = {"retention in days": there.message_retention_duration.total_seconds() / DAY}
    yield from compare(f"topic {name}", {"retention in days": float(topic["retention_days"])}, found, APPLY)


def _push(
    subscriber: pubsub_v1.SubscriberClient, settings: Settings, name: str, sub: Mapping[str, Any], url: str, cloud: bool
) -> Iterable[Finding]:
    defaults = pipeline()["subscription_defaults"]
    there = subscriber.get_subscription(subscription=_path(settings, name))
    push, dead = there.push_config, there.dead_letter_policy
    expected = {
        "topic": settings.topic(sub["topic"]),
        "filter": sub["filter"],
        "acknowledgement deadline": defaults["ack_deadline_seconds"],
        "retention in days": float(defaults["retention_days"]),
        "keeps acknowledged": defaults["retain_acked_messages"],
        "dead letters": settings.topic(f"{name}{defaults['dead_letter_topic_suffix']}"),
        "attempts": defaults["max_delivery_attempts"],
        "pushes to": url,
    } | ({"audience": url} if cloud else {})
    found = {
        "topic": there.topic,
        "filter": there.filter,
        "acknowledgement deadline": there.ack_deadline_seconds,
        "retention in days": there.message_retention_duration.total_seconds() / DAY,
        "keeps acknowledged": there.retain_acked_messages,
        "dead letters": dead.dead_letter_topic,
        "attempts": dead.max_delivery_attempts,
        # on a laptop the path names the topic
        "pushes to": push.push_endpoint if cloud else push.push_endpoint.split("/projects/")[0],
        "audience": push.oidc_token.audience,
    }
    return compare(f"subscription {name}", expected, found, APPLY)


def _dead(subscriber: pubsub_v1.SubscriberClient, settings: Settings, name: str, dead: str) -> Iterable[Finding]:
    defaults = pipeline()["subscription_defaults"]
    there = subscriber.get_subscription(subscription=_path(settings, dead))
    expected = {"topic": settings.topic(f"{name}{defaults['dead_letter_topic_suffix']}"), "pushes to": ""}
    found = {"topic": there.topic, "pushes to": there.push_config.push_endpoint}
    return compare(f"subscription {dead}", expected, found, APPLY)


def _schema(publisher: pubsub_v1.PublisherClient, settings: Settings) -> Iterator[Finding]:
    from google.cloud import pubsub_v1

    name = f"projects/{settings.project}/schemas/{settings.dataset_prefix}inventory-event"
    text = (bundle_root() / "terraform/schemas/inventory-event.avsc").read_text(encoding="utf-8")
    there = pubsub_v1.SchemaServiceClient().get_schema(name=name)
    same = json.loads(there.definition) == json.loads(text)
    expected = "terraform/schemas/inventory-event.avsc"
    yield Finding("schema inventory-event", expected, expected if same else there.definition, APPLY, same)
    used = publisher.get_topic(topic=settings.topic(settings.events_topic)).schema_settings.schema
    yield from compare(f"topic {settings.events_topic}", {"schema": name}, {"schema": used}, APPLY)


def _path(settings: Settings, name: str) -> str:
    return f"projects/{settings.project}/subscriptions/{settings.topic_prefix}{name}"
