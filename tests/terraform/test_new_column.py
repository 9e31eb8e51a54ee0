"""A column that a contract gains is added to the tables that are there: no table is replaced, no row lost."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.terraform.support import Root, copy_of

Column = dict[str, Any]
TABLES = {'raw["sales"]', 'curated["sales"]', 'curated["sales_history"]'}
BEFORE = "      - name: line_number\n"
GIFT = """      - name: is_gift
        logicalType: boolean
        physicalType: BOOL
        description: "Whether the line was wrapped as a gift."
"""


@pytest.fixture(scope="module")
def changes(applied_root: Root, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Address -> what Terraform would do, when the contract of sales gains a column between two others."""
    root = copy_of(applied_root, tmp_path_factory.mktemp("column"))
    contract = root.folder / "contracts/sales.yaml"
    contract.write_text(_with_column(contract))
    planned = root.plan("-var-file=environments/prod.tfvars")["resource_changes"]
    return {c["address"]: c["change"] for c in planned if c["mode"] == "managed"}


def _with_column(contract: Path) -> str:
    text = contract.read_text()
    assert text.count(BEFORE) == 1, "the planted column needs a new place"
    return text.replace(BEFORE, GIFT + BEFORE)


def tables(changes: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the tables of sales: what is behind ``google_bigquery_table.`` -> the change."""
    return {key: changes[f"google_bigquery_table.{key}"] for key in TABLES}


def test_nothing_is_replaced_or_destroyed(changes: dict[str, dict[str, Any]]) -> None:
    assert {a: c["actions"] for a, c in changes.items() if "delete" in c["actions"]} == {}


def test_no_other_table_is_touched(changes: dict[str, dict[str, Any]]) -> None:
    prefixes = ("google_bigquery_table.raw[", "google_bigquery_table.curated[")
    changed = {a for a, c in changes.items() if a.startswith(prefixes) and c["actions"] != ["no-op"]}
    assert changed == {f"google_bigquery_table.{t}" for t in TABLES}


def test_only_the_schema_of_a_table_differs(changes: dict[str, dict[str, Any]]) -> None:
    for table, change in tables(changes).items():
        old, new = change["before"], change["after"]
        assert [k for k in new if new[k] != old[k]] == ["schema"], table


def test_bigquery_takes_the_new_schema_in_place(changes: dict[str, dict[str, Any]]) -> None:
    """The provider replaces a table whose columns BigQuery could not alter; this change is none of those."""
    for table, change in tables(changes).items():
        old, new = (json.loads(change[side]["schema"]) for side in ("before", "after"))
        assert refused(old, new) == [], table
        assert {c["name"] for c in new} - {c["name"] for c in old} == {"is_gift"}, table


def refused(old: list[Column], new: list[Column]) -> list[str]:
    """Return the columns whose change BigQuery would refuse: changed, or new and required (a row has no value yet)."""
    before = {c["name"]: c for c in old}
    kept = [c["name"] for c in new if c["name"] in before and c != before[c["name"]]]
    gone = sorted(before.keys() - {c["name"] for c in new})
    return kept + gone + [c["name"] for c in new if c["name"] not in before and c["mode"] == "REQUIRED"]


@pytest.mark.parametrize(
    "new",
    [
        [{"name": "a", "type": "INT64", "mode": "NULLABLE"}],
        [{"name": "b", "type": "STRING", "mode": "NULLABLE"}],
        [{"name": "a", "type": "STRING", "mode": "NULLABLE"}, {"name": "b", "type": "STRING", "mode": "REQUIRED"}],
    ],
    ids=["another type", "renamed", "a required column"],
)
def test_what_bigquery_refuses_is_told(new: list[Column]) -> None:
    assert refused([{"name": "a", "type": "STRING", "mode": "NULLABLE"}], new) != []
