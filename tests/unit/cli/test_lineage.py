"""The lineage of the project: both directions agree, a name that is not known has a neighbour, a picture is whole."""

from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import pytest

from cli.erase.places import personal_columns
from cli.lineage.facts import behind_sql, parsed
from cli.lineage.model import Model, headers, reach, turned
from cli.lineage.names import Asked, asked, unknown
from cli.lineage.picture import svg
from cli.lineage.show import show
from cli.output import CommandError
from functions.ingest.lineage.events import columns_of
from functions.kpi.graph import sql_lineage
from tests.support.lineage_model import project_model

NET = "inventory_curated.sales.net_amount"


@pytest.fixture(scope="module")
def model() -> Model:
    return project_model()


def test_a_curated_column_comes_from_raw_and_raw_from_headers(model: Model) -> None:
    steps = reach([NET], model.columns)
    assert (NET, "inventory_raw.sales.net_amount") in steps
    assert (NET, "inventory_curated.daily_rates.rate_to_base") in steps
    assert {"net_amount", "montant ht", "netwr"} <= set(headers(model, "inventory_raw.sales.net_amount"))
    assert headers(model, "inventory_raw.sales._load_id") == ()


def test_a_curated_column_goes_as_far_as_reporting(model: Model) -> None:
    ends = {there for _, there in reach([NET], turned(model.columns))}
    assert "inventory_kpi.gmroi.value" in ends and "inventory_reporting.rotation.gmroi_margin_a_year" in ends


def test_the_ledger_and_the_days_that_are_known_are_no_inputs(model: Model) -> None:
    assert not [c for c in set().union(*model.columns.values()) if c.startswith("inventory_ops.")]
    assert "inventory_curated.purchase_orders" not in {a for a, _ in model.up("inventory_kpi.stockout_rate")}


def test_no_kpi_and_no_report_is_computed_from_personal_data(model: Model) -> None:
    """So nothing of a person has to be erased there."""
    contracts = model.workspace.contracts.items()
    personal = [f"inventory_raw.{feed}.{column}" for feed, c in contracts for column in personal_columns(c)]
    ends = {there for _, there in reach(personal, turned(model.columns))}
    assert "inventory_curated.suppliers.email" in ends
    assert [c for c in ends if c.startswith(("inventory_kpi.", "inventory_reporting."))] == []


@pytest.mark.parametrize("name", ["gmroi", "fill_rate"])
def test_all_columns_in_one_pass_are_as_one_by_one(name: str, model: Model) -> None:
    definition = model.definitions[name]
    one_by_one = {
        f"{definition.table}.{c}": sql_lineage(definition.sql, c, model.known) for c in ("value", "reason_code")
    }
    assert {column: sorted(model.columns[column]) for column in one_by_one} == one_by_one


def test_the_window_of_a_kpi_is_that_of_all_it_reads(model: Model) -> None:
    own = model.definitions["inventory_turnover"].lookback_days
    assert model.window("inventory_turnover") == own + model.window("window_28d")


def test_what_a_name_means(model: Model) -> None:
    assert asked("gmroi", model) == Asked("kpi", "inventory_kpi.gmroi")
    assert asked("sales", model) == asked("curated.sales", model) == Asked("table", "inventory_curated.sales")
    assert asked("sales.net_amount", model) == asked(NET, model) == Asked("column", NET)
    assert asked("gmroi.value", model) == Asked("column", "inventory_kpi.gmroi.value")
    assert asked("sales_2026-W36.csv", model) is None


def test_an_unknown_name_has_a_neighbour(model: Model) -> None:
    with pytest.raises(CommandError, match=r"curated.sales has no column 'netamount'; did you mean net_amount\?"):
        asked("sales.netamount", model)
    files = ["sales_2026-W36.csv"]
    assert "did you mean stockout_rate? `stockflow kpi list`" in str(unknown("stockout_rat", model, files))
    assert "did you mean sales_2026-W36.csv? `stockflow" in str(unknown("sale_2026-W36.csv", model, files))


def test_a_cell_is_named_by_the_words_of_people(model: Model) -> None:
    net_sales = model.definitions["net_sales"]
    cell = {"location_code": "LYO", "business_date": date(2026, 9, 1)}
    assert parsed("location=LYO, date=2026-09-01", net_sales) == cell
    for text, words in {
        "lokation=LYO": "did you mean location", "location=LYO": "expected a day", "date=1.9.": "is not a date",
    }.items():  # fmt: skip
        with pytest.raises(CommandError, match=words):
            parsed(text, net_sales)


def test_a_feed_that_shares_no_column_with_a_cell_is_not_asked(model: Model) -> None:
    contracts = model.workspace.contracts
    cell = {"location_code": "LYO", "business_date": date(2026, 9, 1)}
    assert behind_sql(contracts["exchange_rates"], cell, 7) == ("", {})
    sql, params = behind_sql(contracts["sales"], cell, 7)
    assert "fact.location_code = @location_code AND fact.business_date BETWEEN @first AND @last" in sql
    assert params == {"location_code": "LYO", "first": date(2026, 8, 25), "last": date(2026, 9, 1)}


def test_the_header_of_a_file_names_its_columns(model: Model) -> None:
    found = columns_of(["Ticket", "Qté", "Nobody knows"], model.workspace.contracts["sales"])
    assert found == {"Ticket": "receipt_number", "Qté": "quantity"}


def test_a_picture_draws_each_box_once_and_right_of_what_it_comes_from(model: Model) -> None:
    steps = model.up("inventory_kpi.gmroi") | model.down("inventory_kpi.gmroi")
    root = ElementTree.fromstring(svg(steps, "inventory_kpi.gmroi", {"inventory_kpi.gmroi": "<gmroi> & co"}))
    boxes = {g[0].text: g[1] for g in root.iter("{http://www.w3.org/2000/svg}g")}
    assert boxes.keys() == {n for step in steps for n in step} - {"inventory_kpi.gmroi"} | {"<gmroi> & co"}
    assert len({(b.get("x"), b.get("y")) for b in boxes.values()}) == len(boxes)
    for before, after in steps - {s for s in steps if "inventory_kpi.gmroi" in s}:
        assert float(boxes[before].get("x") or 0) < float(boxes[after].get("x") or 0), (before, after)


def test_it_answers_without_a_stack(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Given no stack, the SQL still says what comes from what; files are not known, and a file cannot be asked for."""
    monkeypatch.setenv("STOCKFLOW_STATE", str(tmp_path))
    monkeypatch.setattr("cli.lineage.show.build", lambda _workspace: model)  # seconds, each time
    show("units_sold", svg=tmp_path / "picture.svg")
    said = capsys.readouterr().out
    assert "raw.sales" in said and "no stack is running" in said and (tmp_path / "picture.svg").exists()
    with pytest.raises(CommandError, match="stockflow up"):
        show("units_sold", where="date=2026-09-01")
    with pytest.raises(CommandError, match="did you mean"):
        show("unit_sold")
