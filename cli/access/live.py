"""What an environment grants now: each dataset's own list, the policies of its tables and of the buckets."""

from collections.abc import Iterator
from typing import Any

from cli.access.grants import Grant, of_entry
from stockflow.schema import pipeline
from stockflow.services import Services


def grants(services: Services) -> set[Grant]:
    """Return the grants on datasets, tables and buckets.

    Raises:
        google.api_core.exceptions.Forbidden: who asks may not see them.
    """
    return {*_datasets(services), *_buckets(services)}


def _datasets(services: Services) -> Iterator[Grant]:
    client = services.warehouse.client
    for layer in pipeline()["datasets"]:
        name = services.settings.dataset(layer)
        for entry in client.get_dataset(f"{services.settings.project}.{name}").access_entries:
            found = of_entry(entry.entity_type or "", str(entry.entity_id), entry.role, name)
            if found is not None:
                yield found
        for table in client.list_tables(f"{services.settings.project}.{name}"):
            yield from _of_policy(client.get_iam_policy(table.reference), f"table {name}.{table.table_id}")


def _buckets(services: Services) -> Iterator[Grant]:
    if services.settings.storage_endpoint is not None:
        return  # the emulator keeps no policies
    for bucket in (services.settings.landing_bucket, services.settings.staging_bucket):
        policy = services.object_store.client.bucket(bucket).get_iam_policy(requested_policy_version=3)
        yield from _of_policy(policy, f"bucket {bucket}")


def _of_policy(policy: Any, where: str) -> Iterator[Grant]:
    for binding in policy.bindings:
        condition = " (own prefix)" if binding.get("condition") else ""
        yield from (Grant(who, binding["role"], f"{where}{condition}") for who in sorted(binding["members"]))
