"""Who holds which role where, read from a plan in the words of docs/security.md."""

import re
from typing import Any

from tests.terraform.support import resources

Grant = tuple[str, str, str]
PEOPLE = {
    "group:analysts@example.com": "analysts",
    "group:data-engineers@example.com": "engineers",
    "group:data-platform@example.com": "replayers",
    "group:kpi-owners@example.com": "publishers",
    "group:purchasing@example.com": "pii readers",
    "group:store-managers@example.com": "dashboards",
    "group:paris@example.com": "location readers",
}
AGENTS = {"gcp-sa-pubsub": "Pub/Sub agent"}
# addresses whose topic is only known after an apply
TOPICS = {
    "storage": "landing-objects",
    "dataflow[0]": "inventory-events",
    'publisher_event["group:kpi-owners@example.com"]': "inventory-events",
}


def grants(plan: dict[str, Any]) -> set[Grant]:
    """Return (identity, role, where) of every grant in a plan."""
    found = {a: v for a, v in resources(plan).items() if "role" in v and "_iam_" in a}
    return {(_identity(a, v.get("member") or ""), v["role"], _where(a, v)) for a, v in found.items()}


def _identity(address: str, member: str) -> str:
    if address.startswith("google_kms"):
        return "Google's agents"
    if ".uploader" in address:
        return "uploaders"
    if not member:
        return "Cloud Storage agent"
    agent = next((name for part, name in AGENTS.items() if part in member), None)
    return agent or PEOPLE.get(member) or member.removeprefix("serviceAccount:").split("@")[0]


def _where(address: str, values: dict[str, Any]) -> str:
    kind, name = address.removeprefix("google_").split(".", 1)
    key = re.search(r'\["([^"/]+)(?:/([^"/]+))?', name)
    first, second = (key[1], key[2]) if key else ("", "")
    topic = second if name.startswith("function") else first
    return {
        "project_iam_member": lambda: "project",
        "storage_bucket_iam_member": lambda: f"bucket {_bucket(values['bucket'])}{_prefix(name)}",
        "bigquery_dataset_iam_member": lambda: f"dataset {values['dataset_id']}",
        "bigquery_table_iam_member": lambda: f"table {values['dataset_id']}.{values['table_id']}",
        "bigquery_datapolicy_data_policy_iam_member": lambda: "mask of pii",
        "data_catalog_policy_tag_iam_member": lambda: "policy tag pii",
        "pubsub_topic_iam_member": lambda: f"topic {TOPICS.get(name) or topic}",
        "pubsub_subscription_iam_member": lambda: f"subscription {values['subscription']}",
        "cloud_run_v2_service_iam_member": lambda: f"function {values['name']}",
        "service_account_iam_member": lambda: f"identity {_account(first)}",
        "artifact_registry_repository_iam_member": lambda: f"registry stockflow-{_registry(name)}",
        "secret_manager_secret_iam_member": lambda: f"secret {values['secret_id']}",
        "kms_crypto_key_iam_member": lambda: "the key",
    }[kind]()


def _bucket(name: str) -> str:
    return name.rsplit("-", 1)[1]


def _registry(name: str) -> str:
    return next((part for part in ("composer", "dataflow") if name.startswith(part)), "functions")


def _prefix(name: str) -> str:
    return " (own prefix)" if name.startswith("uploader") else " (definitions)" if name.startswith("publisher") else ""


def _account(key: str) -> str:
    return f"stockflow-{key or 'pusher'}"
