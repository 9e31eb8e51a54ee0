"""Who can read what follows from grants: of a plan, of a dataset's own list."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.access.command import access
from cli.access.grants import Access, Grant, accesses, of_entry, of_plan
from cli.output import CommandError


def resource(kind: str, **values: Any) -> dict[str, Any]:
    return {"type": kind, "values": values}


GROUP = {"member": "group:analysts@x.example"}
PLAN = {
    "planned_values": {
        "root_module": {
            "resources": [
                resource("google_bigquery_dataset", dataset_id="inventory_kpi"),
                resource("google_bigquery_dataset_iam_member", dataset_id="dev_inventory_curated",
                         role="roles/bigquery.dataViewer", **GROUP),
                resource("google_bigquery_dataset_iam_member", dataset_id="dev_inventory_kpi",
                         role="roles/bigquery.dataEditor", member=None),
                resource("google_bigquery_datapolicy_data_policy_iam_member",
                         role="roles/bigquerydatapolicy.maskedReader", **GROUP),
            ],
            "child_modules": [{"resources": [
                resource("google_storage_bucket_iam_member", bucket="b-landing", role="roles/storage.objectUser",
                         member="user:shop@x.example", condition=[{"expression": "prefix"}]),
                resource("google_project_iam_member", role="roles/bigquery.jobUser", **GROUP),
            ]}],
        }
    }
}  # fmt: skip


def test_a_plan_says_who_reads_what() -> None:
    assert accesses(of_plan(PLAN)) == [
        Access("(known after an apply)", "dataset dev_inventory_kpi", "read, write", ""),
        Access("group:analysts@x.example", "dataset dev_inventory_curated", "read", "as NULL"),
        Access("user:shop@x.example", "bucket b-landing (own prefix)", "read, write", ""),
    ]


def test_a_grant_on_the_project_reaches_what_its_condition_names() -> None:
    """One dataset is told as that dataset; several, or none, as the project."""
    views = 'resource.name.startsWith("projects/p/datasets/dev_inventory_reporting/tables/kpi_")'
    several = f'{views} || resource.name == "projects/p/datasets/inventory_kpi"'
    grants = [
        resource("google_project_iam_member", role="roles/bigquery.dataEditor", member=who,
                 condition=[{"expression": text}] if text else [])
        for who, text in (("user:one", views), ("user:two", several), ("user:all", ""))
    ]  # fmt: skip
    found = of_plan({"values": {"root_module": {"resources": grants}}})
    assert {(a.who, a.where) for a in accesses(found)} == {
        ("user:one", "dataset dev_inventory_reporting (by condition)"), ("user:two", "project"),
        ("user:all", "project"),
    }  # fmt: skip


def test_personal_columns_are_refused_to_who_holds_no_role_for_them() -> None:
    raw = Grant("user:a@x.example", "roles/bigquery.dataViewer", "table inventory_ops.reject_rows")
    clear = Grant("user:a@x.example", "roles/datacatalog.categoryFineGrainedReader", "personal columns")
    assert [a.personal for a in accesses([raw])] == ["refused"]
    assert [a.personal for a in accesses([raw, clear])] == ["in clear"]
    assert [a.personal for a in accesses([raw], "not asked")] == ["not asked"]


def test_a_dataset_s_own_list_uses_other_words() -> None:
    robot = "stockflow-kpi@p.iam.gserviceaccount.com"
    viewer = "roles/bigquery.dataViewer"
    assert of_entry("userByEmail", robot, "READER", "d") == Grant(f"serviceAccount:{robot}", viewer, "dataset d")
    assert of_entry("groupByEmail", "g@x.example", viewer, "d") == Grant("group:g@x.example", viewer, "dataset d")
    assert of_entry("view", "{}", None, "d") is None


def test_the_command_prints_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(PLAN), encoding="utf-8")
    access(plan=path, who="analysts", as_json=True)
    assert [a["personal"] for a in json.loads(capsys.readouterr().out)["access"]] == ["as NULL"]


@pytest.mark.parametrize(("text", "words"), [("{", "expected the JSON"), ("{}", "no planned_values")])
def test_another_file_is_refused(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CommandError, match=words):
        access(plan=path)
    with pytest.raises(CommandError, match="--plan FILE"):
        access()
