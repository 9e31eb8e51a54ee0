"""Buckets, and the notification with which the path of a file begins."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from cli.doctor.events import APPLY
from cli.doctor.finding import Finding, compare, looked_up
from stockflow.schema import pipeline
from stockflow.services import Services


def check(services: Services, cloud: bool) -> Iterator[Finding]:
    """Look at the buckets; in the cloud also at how they are protected and what they announce."""
    for key, bucket in pipeline()["buckets"].items():
        name = _name(services, key, bucket["suffix"])
        yield from looked_up(f"bucket {name}", APPLY, partial(_bucket, services, name, bucket, cloud))
    if cloud:
        landing = services.settings.landing_bucket
        yield from looked_up(f"bucket {landing}: announces", APPLY, partial(_announces, services, landing))


def _name(services: Services, key: str, suffix: str) -> str:
    known = {"landing": services.settings.landing_bucket, "staging": services.settings.staging_bucket}
    return known.get(key) or f"{services.settings.project}-{suffix}"


def _bucket(services: Services, name: str, described: dict[str, Any], cloud: bool) -> Iterator[Finding]:
    there = services.object_store.client.get_bucket(name)
    yield Finding(f"bucket {name}", "there", "there", APPLY, True)
    if cloud:
        private = there.iam_configuration
        expected = {"public access": "enforced", "uniform access": True, "versioning": described["versioning"]}
        found = {
            "public access": private.public_access_prevention,
            "uniform access": private.uniform_bucket_level_access_enabled,
            "versioning": bool(there.versioning_enabled),
        }
        yield from compare(f"bucket {name}", expected, found, APPLY)


def _announces(services: Services, name: str) -> Iterator[Finding]:
    settings = services.settings
    expected = f"OBJECT_FINALIZE on {settings.topic_prefix}{settings.landing_topic}"
    there = services.object_store.client.bucket(name).list_notifications()
    found = [f"{', '.join(n.event_types or ['everything'])} on {n.topic_name}" for n in there]
    yield Finding(f"bucket {name}: announces", expected, "; ".join(found) or "nothing", APPLY, found == [expected])
