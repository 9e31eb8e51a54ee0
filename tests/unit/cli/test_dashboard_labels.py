"""Reports in French: each data source, field and reason has a French name, and none is left over."""

import json
import re

import pytest
import yaml
from typer.testing import CliRunner

from cli import wording
from cli.dashboard.labels import field, reason_formula
from cli.dashboard.looker import subjects
from cli.main import app
from cli.texts import french, speaking
from functions.kpi.graph import KPI_COLUMNS
from stockflow.settings import bundle_root

FRENCH = yaml.safe_load((bundle_root() / "warehouse" / "reporting.fr.yaml").read_text(encoding="utf-8"))
OF_KPIS = {*KPI_COLUMNS, "definition_version", "computed_at"}  # of the view of a published one


def test_each_view_and_each_column_has_a_french_name_and_none_is_left_over() -> None:
    assert FRENCH["views"].keys() == {view.name for view in subjects()}
    assert FRENCH["columns"].keys() == {column for view in subjects() for column in view.columns} | OF_KPIS


def test_no_two_fields_of_a_view_have_the_same_name() -> None:
    with speaking("fr"):
        for view in subjects():
            assert len({field(column) for column in view.columns}) == len(view.columns), view.name


def test_a_link_in_french_names_its_data_sources_in_french(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOCKFLOW_CLI_PROJECT", "")  # the command sets it; so it is put back
    words = ["--project", "p", "dashboard", "link", "--kpi", "gmroi", "--language", "fr", "--json"]
    found = json.loads(CliRunner().invoke(app, words).stdout)
    titles = [source["data_source"] for source in found["sources"]]
    assert titles == [*FRENCH["views"].values(), "Indicateur gmroi"]
    assert "r.reportName=Stocks%20Stockflow" in found["url"] and len(found["url"]) < 8000


@pytest.mark.parametrize(("language", "name"), [("fr", "Jours en rupture"), ("en", "Out of stock days")])
def test_labels_name_the_fields_in_a_language(language: str, name: str) -> None:
    done = CliRunner().invoke(app, ["dashboard", "labels", "--language", language, "--json"])
    rows = json.loads(done.stdout)["fields"]
    assert [row["field"] for row in rows if row["column"] == "out_of_stock_days"] == [name]


def test_a_formula_says_each_reason_in_words() -> None:
    with speaking("fr"):
        formula = reason_formula()
    cases = dict(re.findall(r'WHEN "(.+?)" THEN "(.+?)"$', formula, re.MULTILINE))
    assert cases == {code: french()[words] for code, words in wording.REASONS.items()}
    assert formula.startswith("CASE reason_code\n") and formula.endswith("ELSE reason_code\nEND")
