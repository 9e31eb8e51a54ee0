"""Grants, and what they let people read: tables, personal columns, files. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

READING = {
    "roles/bigquery.dataViewer": "read", "roles/bigquery.dataEditor": "read, write",
    "roles/bigquery.dataOwner": "read, write, grant", "roles/bigquery.admin": "read, write, grant",
    "roles/storage.objectViewer": "read", "roles/storage.objectUser": "read, write",
    "roles/storage.objectAdmin": "read, write", "roles/storage.admin": "read, write, grant",
}  # fmt: skip
CLEAR, MASKED = "roles/datacatalog.categoryFineGrainedReader", "roles/bigquerydatapolicy.maskedReader"
PERSONAL = ("raw", "curated", "ops")  # the layers whose tables have columns with the policy tag
LATER = "(known after an apply)"
# How a dataset's own list says what a role says.
LEGACY = {
    "READER": "roles/bigquery.dataViewer",
    "WRITER": "roles/bigquery.dataEditor",
    "OWNER": "roles/bigquery.dataOwner",
}
_ENTITIES = {"groupByEmail": "group:", "userByEmail": "user:", "domain": "domain:", "iamMember": "", "specialGroup": ""}


@dataclass(frozen=True, order=True)
class Grant:
    """``who`` (as IAM writes members) holds ``role`` on ``where``: a dataset, a table, a bucket, the project."""

    who: str
    role: str
    where: str


@dataclass(frozen=True, order=True)
class Access:
    """What somebody can do with some data. ``personal``: how personal columns look to them, if there are any."""

    who: str
    where: str
    can: str
    personal: str


def of_plan(plan: Mapping[str, Any]) -> set[Grant]:
    """Return the grants of ``terraform show -json``, of a plan or of a state."""
    values = plan.get("planned_values") or plan.get("values") or {}
    found = set()
    for resource in _resources(values.get("root_module") or {}):
        kind, facts = resource["type"], resource.get("values") or {}
        if "_iam_" in kind and facts.get("role"):
            members = facts.get("members") or [facts.get("member") or LATER]
            found |= {Grant(str(who), facts["role"], _where(kind, facts)) for who in members}
    return found


def _resources(module: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    yield from module.get("resources") or ()
    for inner in module.get("child_modules") or ():
        yield from _resources(inner)


def _where(kind: str, facts: Mapping[str, Any]) -> str:
    if kind.startswith("google_bigquery_dataset_"):
        return f"dataset {facts.get('dataset_id')}"
    if kind.startswith("google_bigquery_table_"):
        return f"table {facts.get('dataset_id')}.{facts.get('table_id')}"
    if kind.startswith("google_storage_bucket_"):
        condition = " (own prefix)" if facts.get("condition") else ""
        return f"bucket {facts.get('bucket')}{condition}"
    if kind.startswith(("google_data_catalog_policy_tag_", "google_bigquery_datapolicy_")):
        return "personal columns"
    if kind.startswith("google_project_"):
        return _part_of_project(facts.get("condition") or [])
    return kind.removeprefix("google_").partition("_iam_")[0]


def _part_of_project(conditions: Iterable[Mapping[str, Any]]) -> str:
    """Return the project, or the only dataset that a grant on it reaches by its condition."""
    found = {name for c in conditions for name in re.findall(r"/datasets/(\w+)", c.get("expression") or "")}
    return f"dataset {found.pop()} (by condition)" if len(found) == 1 else "project"


def of_entry(kind: str, who: str, role: str | None, dataset: str) -> Grant | None:
    """Return what one entry of a dataset's own list grants; None for an authorised view, which is nobody."""
    if kind not in _ENTITIES or not role:
        return None
    prefix = "serviceAccount:" if kind == "userByEmail" and who.endswith(".gserviceaccount.com") else _ENTITIES[kind]
    return Grant(f"{prefix}{who}", LEGACY.get(role, role), f"dataset {dataset}")


def accesses(grants: Iterable[Grant], otherwise: str = "refused") -> list[Access]:
    """Return who can read what, and how personal columns look to them; ``otherwise`` to who holds no role for them."""
    known = list(grants)
    looks = {g.who: "as NULL" for g in known if g.role == MASKED}
    looks |= {g.who: "in clear" for g in known if g.role == CLEAR}
    return sorted(
        Access(g.who, g.where, READING[g.role], looks.get(g.who, otherwise) if _personal(g.where) else "")
        for g in known
        if g.role in READING
    )


def _personal(where: str) -> bool:
    return bool(re.match(rf"(dataset|table) \w*inventory_({'|'.join(PERSONAL)})\b", where))
