"""What the catalogue would be told is what its API takes, and what Terraform's aspect types hold."""

import json
from typing import Any

import pytest
from google.cloud import dataplex_v1 as api

from cli.catalog.command import export
from cli.output import CommandError
from functions.kpi.catalog import load_definitions
from stockflow.contracts import load_contracts
from stockflow.settings import bundle_root

ROOT = bundle_root()
KINDS: dict[str, Any] = {"string": str, "double": (int, float), "int": int}


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What the command prints for a project with a prefix."""
    monkeypatch.setenv("STOCKFLOW_CLI_PROJECT", "shop")
    monkeypatch.setenv("STOCKFLOW_DATASET_PREFIX", "dev_")
    export("42", as_json=True)
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def test_each_request_is_what_the_api_takes(requests: list[dict[str, Any]]) -> None:
    for request in requests:
        read = api.UpdateEntryRequest.from_json(json.dumps(request))
        assert list(read.entry.aspects) == list(read.aspect_keys) and read.update_mask.paths == ["aspects"]
        (aspect,) = read.entry.aspects.values()
        (said,) = request["entry"]["aspects"].values()
        assert dict(aspect.data) == said["data"]


def test_the_data_fits_the_aspect_types_of_terraform(requests: list[dict[str, Any]]) -> None:
    for kind in ("contract", "kpi"):
        template = json.loads((ROOT / f"terraform/schemas/{kind}-aspect.json").read_text(encoding="utf-8"))
        fields = {field["name"]: KINDS[field["type"]] for field in template["recordFields"]}
        key = f"42.europe-west1.stockflow-{kind}"
        told = [r["entry"]["aspects"][key]["data"] for r in requests if key in r["entry"]["aspects"]]
        assert told and {name for data in told for name in data} == fields.keys()
        assert [d for data in told for d in data.items() if not isinstance(d[1], fields[d[0]])] == []


def test_every_table_of_a_feed_and_of_a_kpi_is_told(requests: list[dict[str, Any]]) -> None:
    names = {r["entry"]["name"].partition("/datasets/")[2] for r in requests}
    feeds = load_contracts(ROOT / "contracts")
    kpis = load_definitions(str(ROOT / "functions/kpi/definitions"))
    wanted = {f"dev_inventory_kpi/tables/{name}" for name in kpis} | {f"dev_inventory_raw/tables/{f}" for f in feeds}
    wanted |= {f"dev_inventory_curated/tables/{f}{ending}" for f in feeds for ending in ("", "_history")}
    assert names == wanted
    one = next(r["entry"] for r in requests if r["entry"]["name"].endswith("/gmroi"))
    assert one["name"] == (
        "projects/42/locations/europe-west1/entryGroups/@bigquery/entries/bigquery.googleapis.com/projects/shop/"
        "datasets/dev_inventory_kpi/tables/gmroi"
    )


def test_it_needs_a_project_and_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STOCKFLOW_CLI_PROJECT", raising=False)
    with pytest.raises(CommandError, match="--project PROJECT"):
        export("42")
    with pytest.raises(CommandError, match="'shop' is not a project's number"):
        export("shop")
