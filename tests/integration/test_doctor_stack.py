"""doctor on emulators: what was provisioned is called healthy, each kind of damage is named."""

from dataclasses import replace
from typing import Any

import pytest
from google.cloud import pubsub_v1

from cli import provision
from cli.doctor import buckets, events, warehouse
from cli.doctor.finding import Finding
from local.state import FUNCTIONS
from stockflow.services import Services

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
URLS = {name: f"http://127.0.0.1:1/{name}" for name in FUNCTIONS}


def broken(findings: Any) -> list[Finding]:
    return [f for f in findings if not f.ok]


@pytest.fixture(scope="module")
def ready(services: Services) -> Services:
    """An environment with its subscriptions and reporting views, too."""
    provision.reporting(services)
    services.object_store.ensure_bucket(f"{services.settings.project}-definitions", "europe-west1")
    provision.subscriptions(services.settings, URLS)
    return services


def test_what_was_provisioned_is_healthy(ready: Services) -> None:
    """Given an untouched environment, no check fails, and there are many."""
    found = [
        *buckets.check(ready, cloud=False),
        *events.check(ready.settings, URLS, cloud=False),
        *warehouse.check(ready, cloud=False),
    ]
    assert broken(found) == []
    assert len(found) > 80


def test_a_function_that_moved_is_found(ready: Services) -> None:
    """Given a function at another address, its subscriptions' endpoints are wrong, and only those."""
    moved = {**URLS, "validate": "http://127.0.0.1:1/elsewhere"}
    found = broken(events.check(ready.settings, moved, cloud=False))
    assert [(f.check, f.expected) for f in found] == [("subscription validate: pushes to", moved["validate"])]


def test_a_missing_bucket_is_found(ready: Services) -> None:
    """Given a project without its staging bucket, that is said, with what fixes it."""
    other = Services(replace(ready.settings, staging_bucket="nowhere"))
    found = broken(buckets.check(other, cloud=False))
    assert [(f.check, f.found) for f in found] == [("bucket nowhere", "not found")]
    assert "terraform apply" in found[0].fix


def test_a_subscription_made_by_hand_is_found(ready: Services) -> None:
    """Given a subscription without dead letters and with another filter, each difference is a finding."""
    subscriber = pubsub_v1.SubscriberClient()
    name = f"projects/{ready.settings.project}/subscriptions/{ready.settings.topic_prefix}kpi"
    subscriber.delete_subscription(subscription=name)
    topic = ready.settings.topic("inventory-events")
    subscriber.create_subscription(
        request={"name": name, "topic": topic, "push_config": {"push_endpoint": URLS["kpi"]}}
    )
    try:
        found = {f.check.removeprefix("subscription kpi: ") for f in broken(events.check(ready.settings, URLS, False))}
        assert {"filter", "dead letters", "attempts", "retention in days", "keeps acknowledged"} <= found
        subscriber.delete_subscription(subscription=name)
        assert [f.found for f in broken(events.check(ready.settings, URLS, False))] == ["not found"]
    finally:
        provision.subscriptions(ready.settings, URLS)


def test_a_table_or_view_that_differs_is_found(ready: Services) -> None:
    """Given a column too few and a view too few, both are named."""
    ready.warehouse.query("ALTER TABLE inventory_curated.suppliers DROP COLUMN phone; SELECT 1")
    ready.warehouse.query("DROP VIEW inventory_raw.suppliers_accepted; SELECT 1")
    found = {f.check: f.found for f in broken(warehouse.check(ready, cloud=False))}
    prefix = ready.settings.dataset_prefix
    assert found == {
        f"table {prefix}inventory_curated.suppliers": "phone: None instead of STRING",
        f"view {prefix}inventory_raw suppliers_accepted": "missing",
    }
