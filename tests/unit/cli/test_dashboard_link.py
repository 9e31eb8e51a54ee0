"""The link to Looker Studio has the parameters of the Linking API, and names views that there are."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml
from typer.testing import CliRunner

from cli.dashboard.looker import Report, View, link, subjects
from cli.main import app
from functions.kpi.columns import all_columns, curated_columns, output_columns
from functions.kpi.refresh import views_by_name
from stockflow.contracts import load_contracts
from stockflow.schema import schemas
from stockflow.settings import Settings, bundle_root

ROOT = bundle_root()
# https://developers.google.com/looker-studio/integrate/linking-api, written down: parameter -> values (None: any text).
CONTROL: dict[str, set[str] | None] = {
    "c.reportId": None, "c.pageId": None, "c.mode": {"view", "edit"}, "c.explain": {"true", "false"},
    "r.reportName": None, "r.measurementId": None, "r.keepMeasurementId": {"true", "false"},
}  # fmt: skip
SOURCE: dict[str, set[str] | None] = {
    "connector": {"bigQuery"}, "datasourceName": None, "refreshFields": {"true", "false"},
    "keepDatasourceName": {"true", "false"},
    # of the BigQuery connector, for a table or a view
    "type": {"TABLE"}, "projectId": None, "datasetId": None, "tableId": None, "billingProjectId": None,
}  # fmt: skip
NEEDED = {"connector", "type", "projectId", "datasetId", "tableId"}
DESCRIBED: dict[str, Any] = yaml.safe_load((ROOT / "warehouse/reporting.yaml").read_text(encoding="utf-8"))["views"]
VIEWS = views_by_name("inventory_reporting")


def parameters(url: str) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Return the parameters of a link: those of the report, and alias -> those of a data source."""
    report: dict[str, str] = {}
    sources: dict[str, dict[str, str]] = {}
    for name, value in parse_qsl(urlsplit(url).query, strict_parsing=True):
        if match := re.fullmatch(r"ds\.(\w+)\.(\w+)", name):
            sources.setdefault(match[1], {})[match[2]] = value
        else:
            report[name] = value
    return report, sources


@pytest.mark.parametrize(
    "report", [Report("Stock"), Report("Stock of Lyon & Paris", "0f1e-2d3c", "p_1", "view", "payer")]
)
def test_each_parameter_is_one_of_the_reference(report: Report) -> None:
    url = link(report, subjects(), Settings("my-project", dataset_prefix="dev_"))
    assert url.startswith("https://lookerstudio.google.com/reporting/create?")
    found, sources = parameters(url)
    assert found["r.reportName"] == report.name
    assert all(name in CONTROL and (CONTROL[name] or {value}) >= {value} for name, value in found.items())
    for source in sources.values():
        assert source.keys() >= NEEDED
        assert all(name in SOURCE and (SOURCE[name] or {value}) >= {value} for name, value in source.items())
        assert (source["projectId"], source["datasetId"]) == ("my-project", "dev_inventory_reporting")
    assert list(sources) == [f"ds{n}" for n in range(len(DESCRIBED))], "a template's own aliases, in its order"
    assert len(url) < 8000, "browsers and servers take that much"


def test_each_view_of_the_project_is_a_data_source_and_each_is_there() -> None:
    """The views that Terraform and the embedded stack make are those that the link names."""
    _, sources = parameters(link(Report("Stock"), subjects(), Settings("p")))
    named = {f"inventory_reporting.{s['tableId']}" for s in sources.values()}
    assert named == VIEWS.keys() == {f"inventory_reporting.{name}" for name in DESCRIBED}


def test_the_first_data_sources_say_how_fresh_the_data_are() -> None:
    assert [view.name for view in subjects()][:2] == ["freshness", "kpi_status"]


@pytest.fixture(scope="module")
def computed() -> dict[str, dict[str, str]]:
    """View -> its columns with their types, derived from the SELECT."""
    contracts = load_contracts(ROOT / "contracts")
    known = all_columns({}, views_by_name("inventory_curated"), curated_columns(contracts))
    kpis = json.loads((ROOT / "warehouse/kpi_tables.json").read_text(encoding="utf-8"))
    known |= {f"inventory_kpi.{k}": {c["name"]: c["type"] for c in t["schema"]} for k, t in kpis.items()}
    known |= {name: {c["name"]: c["type"] for c in columns} for name, columns in schemas(contracts).items()}
    ops = views_by_name("inventory_ops")
    for name in ("inventory_ops.load_stages_latest", "inventory_ops.open_attempts", "inventory_ops.loads"):
        known[name] = output_columns(name, ops[name], known)
    return {name: output_columns(name, sql, known) for name, sql in VIEWS.items()}


@pytest.mark.parametrize("view", DESCRIBED)
def test_each_column_is_described_with_its_type(view: str, computed: dict[str, dict[str, str]]) -> None:
    """BigQuery takes the descriptions of a view only when names, order and types are those of its SELECT."""
    described = DESCRIBED[view]["columns"]
    assert {name: c["type"] for name, c in described.items()} == computed[f"inventory_reporting.{view}"]
    assert list(described) == list(computed[f"inventory_reporting.{view}"])
    words = [DESCRIBED[view]["description"], *(c["description"] for c in described.values())]
    assert all(text[0].isalnum() and text.endswith((".", ")")) for text in words), words


def test_a_published_kpi_can_be_added_and_the_page_says_the_aliases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOCKFLOW_CLI_PROJECT", "")  # the command sets it; so it is put back
    done = CliRunner().invoke(app, ["--project", "my-project", "dashboard", "link", "--kpi", "gmroi", "--json"])
    found = json.loads(done.stdout)
    assert found["sources"][-1]["view"] == "inventory_reporting.kpi_gmroi"
    page = (ROOT / "docs" / "looker-studio.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(ds\d+)` \| (.+?) \| `(\w+)` \|", page, re.MULTILINE)
    assert rows == [(s["alias"], s["data_source"], s["view"].partition(".")[2]) for s in found["sources"][:-1]]
    assert parameters(found["url"])[1].keys() == {s["alias"] for s in found["sources"]}


def test_without_a_project_it_says_how_to_name_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOCKFLOW_CLI_PROJECT", "")
    done = CliRunner().invoke(app, ["dashboard", "link"])
    assert "stockflow --project MY-PROJECT dashboard link" in str(done.exception)


def test_names_are_escaped() -> None:
    url = link(Report("50 % & more"), [View("a", "A = B")], Settings("p"))
    assert "50%20%25%20%26%20more" in url and Path(url).name
