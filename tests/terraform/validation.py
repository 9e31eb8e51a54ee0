"""The provider's own validation of values, which its schema does not carry, on the values of a plan.

Patterns as in hashicorp/terraform-provider-google (files below ``google/``), for the resources of this root; Go's and
Python's regular expressions read these the same way.
"""

import re
from collections.abc import Iterator
from typing import Any

from tests.terraform.support import resources

# services/dataplex/resource_dataplex_entry.go: ProjectNumberValidation, AspectProjectNumberValidation
_PROJECT_NUMBER = r"^projects\/[1-9]\d*\/.+$"
_NUMBER_DOT = r"^[1-9]\d*\..+$"
# verify/validation.go: ValidateRFC1035Name(6, 30) of services/resourcemanager/resource_google_service_account.go
_SERVICE_ACCOUNT = r"^[a-z](?:[-a-z0-9]{4,28}[a-z0-9])$"
# services/bigquery/resource_bigquery_dataset.go: datasetIdRegexp
_DATASET = r"^[0-9A-Za-z_]+$"

RULES: dict[str, dict[str, str]] = {
    "google_dataplex_entry": {"entry_type": _PROJECT_NUMBER, "aspects.aspect_key": _NUMBER_DOT},
    "google_service_account": {"account_id": _SERVICE_ACCOUNT},
    "google_bigquery_dataset": {"dataset_id": _DATASET},
}


def refused(plan: dict[str, Any]) -> list[str]:
    """Return what the provider would refuse: resource, attribute, value and pattern."""
    return [
        f"{kind} {path.split('.')[-1]}: {address} has {value!r}, expected {pattern}"
        for kind, rules in RULES.items()
        for address, values in resources(plan, kind).items()
        for path, pattern in rules.items()
        for value in _at(values, path.split("."))
        if not re.search(pattern, value)
    ]


def _at(value: Any, path: list[str]) -> Iterator[str]:
    """Yield the texts at a path, each element of a list looked into; what is not known yet is none."""
    if isinstance(value, list):
        for element in value:
            yield from _at(element, path)
    elif path and isinstance(value, dict):
        yield from _at(value.get(path[0]), path[1:])
    elif not path and isinstance(value, str):
        yield value


# resource and attribute -> (file, what stands there, what breaks the rule)
OFFENCES: dict[str, tuple[str, str, str]] = {
    "google_dataplex_entry entry_type": (
        "terraform/catalog.tf",
        'entry_type = "projects/${data.google_project.this.number}/',
        'entry_type = "projects/${var.project}/',
    ),
    "google_dataplex_entry aspect_key": (
        "terraform/catalog.tf",
        'aspect_key = "${data.google_project.this.number}.',
        'aspect_key = "${var.project}.',
    ),
    "google_service_account account_id": ("terraform/iam.tf", '"stockflow-pusher"', '"push"'),
    "google_bigquery_dataset dataset_id": ("pipeline.yaml", "name: inventory_raw", "name: inventory-raw"),
}
