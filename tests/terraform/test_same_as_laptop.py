"""The same pipeline.yaml and contracts give the same topics, filters and tables here and on the laptop."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from stockflow.contracts import load_contracts
from stockflow.events import RECEIPTS_TICK, TICK
from stockflow.schema import curated_schema, history_schema, ops_schema, pipeline, raw_schema
from tests.terraform.support import ROOT, resources

CONTRACTS = load_contracts(ROOT / "contracts")


def tables(state: dict[str, Any], dataset: str) -> dict[str, list[tuple[str, str]]]:
    """Return table -> (name, type) of its columns, for the tables of one dataset."""
    return {
        v["table_id"]: [(c["name"], c["type"]) for c in json.loads(v["schema"])]
        for v in resources(state, "google_bigquery_table").values()
        if v["dataset_id"] == dataset and not v["view"] and v["schema"]
    }


def columns(fields: list[dict[str, str]]) -> list[tuple[str, str]]:
    """Return the names and types of a derived schema."""
    return [(f["name"], f["type"]) for f in fields]


def test_raw_tables_are_the_same(applied: dict[str, Any]) -> None:
    """What ingest loads is what Terraform made."""
    planned = tables(applied, "inventory_raw")
    assert planned == {feed: columns(raw_schema(contract)) for feed, contract in CONTRACTS.items()}


def test_curated_tables_are_the_same(applied: dict[str, Any]) -> None:
    """The current table and its history have the contract's columns, and where each row comes from."""
    planned = tables(applied, "inventory_curated")
    for feed, contract in CONTRACTS.items():
        assert planned[feed] == columns(curated_schema(contract))
        assert planned[f"{feed}_history"] == columns(history_schema(contract))


def test_ledger_tables_are_the_same(applied: dict[str, Any]) -> None:
    """The ledger comes from pipeline.yaml on both sides."""
    expected = {name: columns(ops_schema(t)) for name, t in pipeline()["ops_tables"].items()}
    assert tables(applied, "inventory_ops") == expected


def test_subscriptions_are_the_same(applied: dict[str, Any]) -> None:
    """Filter, back-off and attempts of each push subscription are those that the laptop gives it."""
    defaults = pipeline()["subscription_defaults"]
    planned = {v["name"]: v for v in resources(applied, "google_pubsub_subscription").values()}
    for name, sub in pipeline()["subscriptions"].items():
        assert planned[name]["filter"] == sub["filter"]
        assert planned[name]["retry_policy"][0]["minimum_backoff"] == (
            f"{defaults['retry']['minimum_backoff_seconds']}s"
        )
        assert planned[name]["dead_letter_policy"][0]["max_delivery_attempts"] == defaults["max_delivery_attempts"]


def test_every_view_is_planned(applied: dict[str, Any]) -> None:
    """Each .sql file below warehouse/views and each feed's accepted view is one view of the plan."""
    views = {
        (v["dataset_id"], v["table_id"]) for v in resources(applied, "google_bigquery_table").values() if v["view"]
    }
    files = {(p.parent.name, p.stem) for p in (ROOT / "warehouse/views").glob("*/*.sql")}
    accepted = {("inventory_raw", f"{feed}_accepted") for feed in CONTRACTS}
    assert views == files | accepted


def test_every_routine_is_planned_with_its_arguments(applied: dict[str, Any]) -> None:
    """Each SQL function of warehouse/routines has its body and as many arguments as its file names."""
    planned = {(v["dataset_id"], v["routine_id"]): v for v in resources(applied, "google_bigquery_routine").values()}
    files = {(p.parent.name, p.stem): p for p in (ROOT / "warehouse/routines").glob("*/*.sql")}
    assert planned.keys() == files.keys()
    for key, path in files.items():
        signature = path.read_text().split("FUNCTION", 1)[1].split("(", 1)[1].split(")", 1)[0]
        names = [a.split()[0] for a in signature.split(",") if a.strip()]
        assert [a["name"] for a in planned[key]["arguments"]] == names


@pytest.mark.parametrize("feed", sorted(CONTRACTS))
def test_personal_columns_carry_the_policy_tag(feed: str) -> None:
    """What a contract tags pii is what Terraform tags: it reads the same tag."""
    doc = yaml.safe_load((Path(ROOT) / f"contracts/{feed}.yaml").read_text())
    tagged = {p["name"] for p in doc["schema"][0]["properties"] if "pii" in p.get("tags", [])}
    assert tagged == {c.name for c in CONTRACTS[feed].columns if c.pii}


def test_a_function_knows_its_memory(applied: dict[str, Any]) -> None:
    """What one call of ingest takes is computed from the memory that pipeline.yaml gives its instance."""
    units = {"Mi": 1 << 20, "Gi": 1 << 30}
    for function in resources(applied, "google_cloudfunctions2_function").values():
        service = function["service_config"][0]
        memory = pipeline()["functions"][function["name"].removeprefix("stockflow-")]["memory"]
        known = service["environment_variables"]["STOCKFLOW_MEMORY_BYTES"]
        assert int(known) == int(memory[:-2]) * units[memory[-2:]], function["name"]


def test_ticks_are_the_same(applied: dict[str, Any]) -> None:
    """Each job publishes a tick that ingest knows, by its schedule, and a subscription lets it through."""
    jobs = resources(applied, "google_cloud_scheduler_job").values()
    found = {j["pubsub_target"][0]["attributes"]["event_type"]: j["schedule"] for j in jobs}
    assert found == {t.event_type: pipeline()[n]["schedule"] for n, t in (("sweep", TICK), ("receipts", RECEIPTS_TICK))}
    for job in jobs:
        sent = json.loads(base64.b64decode(job["pubsub_target"][0]["data"]))
        assert sent["event_type"] == job["pubsub_target"][0]["attributes"]["event_type"]
        assert f'attributes.event_type = "{sent["event_type"]}"' in pipeline()["subscriptions"]["sweep"]["filter"]
