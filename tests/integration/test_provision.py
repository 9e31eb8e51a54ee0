"""An environment of an earlier version is brought up to date."""

from dataclasses import replace
from uuid import uuid4

import pytest
from google.cloud import pubsub_v1

from cli import provision
from stockflow import schema
from stockflow.settings import Settings
from tests.support.stack import environment

pytestmark = pytest.mark.integration


def test_a_subscription_of_another_filter_is_made_anew(pubsub_emulator: str) -> None:
    """Given a subscription of an earlier version, then it gets the messages that it is for today."""
    with environment({"PUBSUB_EMULATOR_HOST": pubsub_emulator}):
        settings = replace(Settings("stockflow-local"), topic_prefix=f"t{uuid4().hex[:6]}-")
        endpoints = {sub["function"]: "http://127.0.0.1:1" for sub in schema.pipeline()["subscriptions"].values()}
        provision.topics(settings)
        subscriber = pubsub_v1.SubscriberClient()
        asked = schema.pipeline()["subscriptions"]["sweep"]
        request = provision.subscription_request(settings, "sweep", asked, endpoints["ingest"])
        subscriber.create_subscription(request=request | {"filter": 'attributes.event_type = "sweep.tick"'})
        provision.subscriptions(settings, endpoints)
        provision.subscriptions(settings, dict.fromkeys(endpoints, "http://127.0.0.1:2"))
        found = subscriber.get_subscription(subscription=request["name"])
    assert found.filter == asked["filter"]
    assert found.push_config.push_endpoint.startswith("http://127.0.0.1:2/")
