"""docs/observability.md lists the metrics and alerts that the plan makes, and its SQL can be parsed."""

import json
import re
from typing import Any

import jsonschema
import sqlglot

from tests.terraform.support import ROOT, resources

PAGE = (ROOT / "docs/observability.md").read_text()


def alerts(plan: dict[str, Any]) -> set[tuple[str, str, str]]:
    """Return (name, severity, when) of each alert policy."""
    found = resources(plan, "google_monitoring_alert_policy").values()
    return {(v["display_name"].removeprefix("Stockflow: "), v["severity"], _when(v["conditions"][0])) for v in found}


def _when(condition: dict[str, Any]) -> str:
    if condition["condition_absent"]:
        return f"none for {condition['condition_absent'][0]['duration']}"
    threshold = condition["condition_threshold"][0]
    return f"> {threshold['threshold_value']:.15g} for {threshold['duration']}"


def test_the_table_of_alerts_is_the_plan(plan: dict[str, Any]) -> None:
    """Each alert stands on the page with its severity, its limit and the first thing to do."""
    rows = re.findall(r"^\| ([^|]+) \| (ERROR|WARNING) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
    assert {(name, severity, when) for name, severity, when, _ in rows} == alerts(plan)


def test_the_table_of_metrics_is_the_plan(plan: dict[str, Any]) -> None:
    """Each log-based metric stands on the page."""
    planned = {v["name"] for v in resources(plan, "google_logging_metric").values()}
    assert set(re.findall(r"^\| `(stockflow/\w+)`", PAGE, re.MULTILINE)) == planned


def test_metrics_read_what_the_functions_log(plan: dict[str, Any]) -> None:
    """A metric's fields and labels are those of the lines on finished stages and on freshness."""
    writers = ("shared/stockflow/ledger.py", "functions/ingest/freshness.py")
    announced = "".join((ROOT / path).read_text() for path in writers)
    for metric in resources(plan, "google_logging_metric").values():
        fields = re.findall(r"jsonPayload\.(\w+)", metric["filter"] + (metric["value_extractor"] or ""))
        assert [f for f in [*fields, *metric["label_extractors"]] if f'"{f}"' not in announced] == []


def test_every_alert_says_what_to_do_and_names_commands_that_exist(plan: dict[str, Any]) -> None:
    """The text that arrives at night names commands of today."""
    from typer.main import get_command

    from cli.main import app

    known = set(get_command(app).commands)  # type: ignore[attr-defined]
    for policy in resources(plan, "google_monitoring_alert_policy").values():
        text = policy["documentation"][0]["content"]
        assert text
        assert set(re.findall(r"`stockflow (\w+)", text)) <= known


def test_the_queries_can_be_parsed() -> None:
    """The page's SQL is BigQuery's."""
    blocks = re.findall(r"^```sql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    assert all(sqlglot.parse_one(sql, read="bigquery") for sql in blocks)


def test_the_dashboard_is_one_of_monitorings(applied: dict[str, Any]) -> None:
    """Each field of the dashboard's JSON is one that the Monitoring API knows."""
    schema = json.loads((ROOT / "tests/terraform/provider/schemas/monitoring-dashboard.json").read_text())
    (dashboard,) = resources(applied, "google_monitoring_dashboard").values()
    document = json.loads(dashboard["dashboard_json"])
    assert [f"{e.json_path}: {e.message}" for e in jsonschema.Draft202012Validator(schema).iter_errors(document)] == []
    assert len(document["mosaicLayout"]["tiles"]) > 4
