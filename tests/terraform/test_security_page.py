"""docs/security.md says who may do what: it is the plan, and the functions' code needs no more than that."""

import json
import re
from typing import Any

import pytest

from cli.access.grants import accesses, of_plan
from functions.ingest.receipts.tell import FOLDER
from functions.kpi.refresh import views_by_name
from stockflow.contracts import load_contracts
from tests.terraform.grants import Grant, grants
from tests.terraform.support import ROOT, resources

PAGE = (ROOT / "docs/security.md").read_text()
FUNCTIONS = ("ingest", "validate", "transform", "kpi")
SETTINGS = {
    "landing_topic": "topic landing-objects",
    "events_topic": "topic inventory-events",
    "landing_bucket": "bucket landing",
    "staging_bucket": "bucket staging",
    "definitions_uri": "bucket definitions",
}


def documented() -> set[Grant]:
    """The rows of the page's tables of identities."""
    rows = re.findall(r"^\| ([^|]+) \| `(roles/[\w.]+)` \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
    assert all(why.strip() for *_, why in rows)
    return {(who, role, where) for who, role, places, _ in rows for where in _places(places)}


def _places(text: str) -> list[str]:
    """``table `a`, `b`; project`` is three places."""
    found = []
    for part in text.split(";"):
        kind, names = part.split("`")[0].strip(), re.findall(r"`([^`]+)`", part)
        found += [f"{kind} {name}" for name in names] or [kind]
    return found


def test_the_table_is_the_plan(full_plan: dict[str, Any]) -> None:
    """With every switch on, each grant of the plan stands on the page with its reason, and nothing else does."""
    assert grants(full_plan) == documented()


# names of tables in events for others: nothing there asks a table
ONLY_LABELS = {"functions/ingest/lineage/events.py"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_granted_what_its_code_names(function: str, full_plan: dict[str, Any]) -> None:
    """Datasets, topics and buckets that a function's code and SQL speak of are those that its identity holds."""
    code = (p for p in (ROOT / "functions" / function).rglob("*") if p.suffix in {".py", ".sql"})
    files = [p for p in code if p.relative_to(ROOT).as_posix() not in ONLY_LABELS]
    text = "\n".join(p.read_text() for p in files) + (ROOT / "shared/stockflow/ledger.py").read_text()
    named = {f"dataset inventory_{d}" for d in re.findall(r"\binventory_(raw|curated|kpi|ops)\b", text)}
    named |= {where for setting, where in SETTINGS.items() if re.search(rf"settings\.{setting}\b", text)}
    written = set(re.findall(r"INSERT INTO inventory_ops\.(\w+)|table\(\"ops\", \"(\w+)\"\)", text))
    named |= {f"table inventory_ops.{a or b}" for a, b in written}
    held = {where for who, _, where in grants(full_plan) if who == f"stockflow-{function}"}
    assert named - held == set()


def test_an_uploader_is_held_to_its_prefix(plan: dict[str, Any]) -> None:
    """Each uploader's grant has a condition on the object's name."""
    uploaders = {a: v for a, v in resources(plan, "google_storage_bucket_iam_member").items() if ".uploader[" in a}
    conditions = [v["condition"][0]["expression"] for v in uploaders.values()]
    prefixes = {found[1] for text in conditions if (found := re.search(r"/objects/(.+)/\"\)$", text))}
    assert prefixes == {"stock_snapshots", "purchase_orders/acme"}


def test_an_uploader_reads_the_receipts_of_its_own_files(plan: dict[str, Any]) -> None:
    """Receipts lie at receipts/<object> in staging: a sender reads and lists those below its prefix, nothing else."""
    found = {a: v for a, v in resources(plan, "google_storage_bucket_iam_member").items() if ".uploader_receipts[" in a}
    assert {v["member"] for v in found.values()} == {u["member"] for u in _uploaders(plan)}
    assert {v["role"] for v in found.values()} == {"roles/storage.objectViewer"}
    texts = [v["condition"][0]["expression"] for v in found.values()]
    read = {m[1] for t in texts for m in re.finditer(r'/objects/([^"]+)"', t)}
    listed = {m[1] for t in texts for m in re.finditer(r'objectListPrefix", ""\)[.]startsWith\("([^"]+)"', t)}
    assert read == listed == {f"{FOLDER}stock_snapshots/", f"{FOLDER}purchase_orders/acme/"}


def _uploaders(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [v for a, v in resources(plan, "google_storage_bucket_iam_member").items() if ".uploader[" in a]


def test_a_publisher_writes_definitions_and_no_rows(full_plan: dict[str, Any]) -> None:
    """What `stockflow kpi publish` does: the text and its copy, the reporting view, the event that computes it."""
    held = {(role, where) for who, role, where in grants(full_plan) if who == "publishers"}
    writing = {(r, w) for r, w in held if re.search(r"objectUser|Editor|publisher", r)}
    assert writing == {
        ("roles/storage.objectUser", "bucket definitions (definitions)"),
        ("roles/bigquery.dataEditor", "project"),  # with a condition: see below
        ("roles/pubsub.publisher", "topic inventory-events"),
    }
    analysts = {(role, where) for who, role, where in grants(full_plan) if who == "analysts"}
    assert analysts <= held, "they see the data that they define KPIs on, with personal columns masked"
    places = [v["condition"][0]["expression"] for a, v in resources(full_plan).items() if ".publisher_bucket[" in a]
    assert all('/objects/kpi/"' in p and '/objects/history/kpi/"' in p for p in places) and places


def test_a_publisher_replaces_views_of_kpis_and_no_view_of_the_project(full_plan: dict[str, Any]) -> None:
    """Of the reporting dataset: the dataset itself, to make a view in it, and the views kpi_*."""
    found = {a: v for a, v in resources(full_plan).items() if ".publisher_views[" in a}
    texts = {v["condition"][0]["expression"] for v in found.values()}
    here = f"projects/{next(iter(found.values()))['project']}/datasets/inventory_reporting"
    kpis = f'resource.name.startsWith("{here}/tables/kpi_") && resource.name != "{here}/tables/kpi_status"'
    assert texts == {f'resource.name == "{here}" || ({kpis})'}
    own = {name.partition(".")[2] for name in views_by_name("inventory_reporting")}
    assert {name for name in own if name.startswith("kpi_")} == {"kpi_status"}


def test_a_pull_request_may_only_look(full_plan: dict[str, Any]) -> None:
    """The identity that runs unread code holds viewers' roles, and the trigger of pull requests runs as it."""
    held = {role for who, role, _ in grants(full_plan) if who == "stockflow-checker"}
    looking = re.compile(r"[vV]iewer$|[rR]eader$|Reviewer$|logWriter$|serviceUsageConsumer$|composer\.user$")
    assert held and [role for role in held if not looking.search(role)] == []
    trigger = (ROOT / "terraform/cicd.tf").read_text().split('resource "google_cloudbuild_trigger"')[1]
    assert 'each.key == "pull-request" ? google_service_account.checker[0].id' in trigger


def test_the_access_review_reads_the_plan(full_plan: dict[str, Any]) -> None:
    """`stockflow access` says of the plan: analysts see no personal data, dashboards nothing but reporting."""
    found = accesses(of_plan(full_plan))
    personal = {a.who: a.personal for a in found if a.where == "dataset inventory_curated"}
    assert personal["group:analysts@example.com"] == personal["group:data-engineers@example.com"] == "as NULL"
    assert personal["group:purchasing@example.com"] == personal["group:data-platform@example.com"] == "in clear"
    assert {a.where for a in found if a.who == "group:store-managers@example.com"} == {"dataset inventory_reporting"}
    refused = {a.who.partition("@")[0] for a in found if a.personal == "refused"}
    assert refused <= {"serviceAccount:stockflow-dataflow", "serviceAccount:stockflow-composer"}, "they ask for none"


def tagged(applied: dict[str, Any], dataset: str) -> set[str]:
    """The columns with a policy tag, as ``table.column``."""
    tables = [v for v in resources(applied, "google_bigquery_table").values() if v["dataset_id"] == dataset]
    with_schema = [(v["table_id"], json.loads(v["schema"])) for v in tables if v["schema"] and not v["view"]]
    return {f"{table}.{c['name']}" for table, columns in with_schema for c in columns if c.get("policyTags")}


def test_refused_rows_carry_the_policy_tag(applied: dict[str, Any]) -> None:
    """The columns of the ledger that hold what a file said are tagged as the contracts' personal columns are."""
    assert tagged(applied, "inventory_ops") == set(re.findall(r"`((?:reject|quarantine)_rows\.\w+)`", PAGE))


def test_the_page_names_the_personal_columns(applied: dict[str, Any]) -> None:
    """What contracts tag is what the plan tags and what the page lists."""
    contracts = load_contracts(ROOT / "contracts")
    personal = {f"{feed}.{c.name}" for feed, contract in contracts.items() for c in contract.columns if c.pii}
    assert tagged(applied, "inventory_raw") == personal
    assert {name for name in personal if f"`{name}`" in PAGE} == personal
