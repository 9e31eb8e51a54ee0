"""`stockflow kpi check` tells an analyst's mistake in BigQuery's own words, with file and line."""

from dataclasses import replace

import pytest
from typer.testing import CliRunner

from cli.googlesql.definitions import check
from cli.kpi import check as kpi_check
from cli.kpi import checked
from cli.kpi.command import app
from functions.kpi.catalog import load_definitions
from functions.kpi.definition import Definition
from tests.bigquery.recorder import RecordedServices


@pytest.fixture(scope="module")
def calendar() -> Definition:
    """A definition that stands alone."""
    return load_definitions(RecordedServices("").settings.definitions_uri)["calendar"]


def test_a_mistake_is_told_with_file_and_line(calendar: Definition) -> None:
    """Given a column that no table has, when the definition is checked, then its file, line and name are told."""
    wrong = replace(
        calendar, name="mine", sql="SELECT business_date,\n  skuu\nFROM inventory_curated.sales", first_line=7
    )

    (said,) = check([wrong]).faults

    assert said == "mine.sql:8:3: Unrecognized name: skuu; Did you mean sku?"


def test_a_rule_of_the_planner_is_told(calendar: Definition) -> None:
    """Given a join that BigQuery cannot plan, when the definition is checked, then that is told."""
    sql = "SELECT a.sku FROM inventory_curated.sales AS a LEFT JOIN inventory_curated.products AS p ON p.sku > a.sku"

    (said,) = check([replace(calendar, name="mine", sql=sql)]).faults

    assert said.startswith("mine.sql:") and "no equality" in said


def test_what_reads_a_faulty_definition_is_not_blamed(calendar: Definition) -> None:
    """Given a definition that reads a wrong one, when both are checked, then it is named as not checked."""
    wrong = replace(calendar, name="first", sql="SELECT nothing")
    reader = replace(calendar, name="second", sql="SELECT * FROM inventory_kpi.first")

    found = check([wrong, reader])

    assert len(found.faults) == 1 and found.skipped == ["second"]


def test_without_the_analyzer_the_check_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a machine without it, when the definitions are checked, then the rest is, and what is missing is said."""
    monkeypatch.delenv("STOCKFLOW_DEFINITIONS_URI", raising=False)
    monkeypatch.setattr(kpi_check, "installed", lambda: False)
    monkeypatch.setattr(checked, "installed", lambda: False)

    answer = CliRunner().invoke(app, ["check", "calendar", "--json"])

    assert answer.exit_code == 0 and "is not installed" in answer.output
