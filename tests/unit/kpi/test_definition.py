"""A definition is one SQL file; what is wrong with one is said with file, line and what was expected."""

import pytest

from functions.kpi.catalog import load_definitions, read_catalog
from functions.kpi.contract_params import with_values
from functions.kpi.definition import parse
from functions.kpi.graph import check
from stockflow.errors import PermanentError
from stockflow.settings import bundle_root

GOOD = """/*
title: Units sold
description: Units sold by day.
meaning: So many units were sold.
formula: sum of quantities
source: the shop
unit: units
grain: [sku]
owner: someone
lookback_days: 0
direction: up
rollup: sum
*/
SELECT business_date, sku, SUM(quantity) AS numerator, CAST(NULL AS FLOAT64) AS denominator, SUM(quantity) AS value,
  CAST(NULL AS STRING) AS reason_code, 100.0 AS coverage_pct
FROM inventory_curated.sales
GROUP BY business_date, sku
"""


def refused(text: str, name: str = "units_sold.sql") -> str:
    with pytest.raises(PermanentError) as caught:
        check(parse(name, text))
    assert caught.value.code == "bad_definition"
    return caught.value.message


def test_a_good_definition_says_its_table_and_where_its_sql_begins() -> None:
    found = parse("units_sold.sql", GOOD)
    check(found)
    assert (found.table, found.kind, found.grain, found.first_line) == ("inventory_kpi.units_sold", "kpi", ("sku",), 14)
    assert found.sql.startswith("SELECT business_date")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("/*", "", "units_sold.sql:1: expected a /* ... */ comment"),
        ("title: Units sold", "title: [", "the header is not valid YAML"),
        ("unit: units\n", "", "units_sold.sql:1: the header lacks unit"),
        ("direction: up", "direction: upwards", "units_sold.sql:11: direction is 'upwards', expected up, down, none"),
        ("lookback_days: 0", "lookback_days: two", "units_sold.sql:10: lookback_days is 'two', expected a number"),
        ("lookback_days: 0", "lookback_days: 0\ninput_lookback_days: 3", "input_lookback_days is 3, expected `table"),
        (
            "lookback_days: 0", "lookback_days: 0\ninput_lookback_days: {inventory_curated.sales: 1}",
            "11: input_lookback_days of inventory_curated.sales is 1, expected 0 to 0",
        ),
        (
            "lookback_days: 0", "lookback_days: 0\ninput_lookback_days: {inventory_curated.sale: 0}",
            "the SQL does not name 'inventory_curated.sale', expected one of inventory_curated.sales",
        ),
        ("grain: [sku]", "grain: sku", "units_sold.sql:8: grain is 'sku', expected columns"),
        ("owner: someone", "owner: someone\ntreshold: {}", "units_sold.sql:10: unknown header field 'treshold'"),
        ("owner: someone", "owner: someone\nrolup: sum", "did you mean rollup?"),
        ("owner: someone", "owner: a\nthresholds: {hihg: 1}", "10: unknown threshold 'hihg', expected low"),
        ("100.0", "/* thresholds.days */ 90", "the SQL uses thresholds.days, which the header does not have"),
        ("owner: someone", "owner: a\nhorizon: weather", "horizon is 'weather', expected all, stock, sales"),
        ("owner: someone", "owner: a\nexamples: [{given: {}}]", "example 1: expected `given` tables and `expect` rows"),
        ("GROUP BY", "GROUP", "units_sold.sql:17: column"),
        ("SELECT business_date, sku,", "SELECT business_date,", "units_sold.sql:14: expected columns sku"),
        ("AS coverage_pct", "AS value", "expected columns coverage_pct"),
        ("GROUP BY business_date, sku", "; DROP TABLE x", "expected one SELECT, found SELECT, DROP"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_file_and_line(old: str, new: str, said: str) -> None:
    assert said in refused(GOOD.replace(old, new))


def test_a_value_of_the_header_is_in_its_texts_and_in_the_sql_once() -> None:
    text = GOOD.replace("rollup: sum", "rollup: sum\nthresholds: {days: 90, low: 1}").replace(
        "100.0", "/* thresholds.days */ 180"
    )
    found = parse("units_sold.sql", text.replace("Units sold by day.", "Units sold in {days} days."))
    assert found.description == "Units sold in 90 days."
    assert "/* thresholds.days */ 90" in with_values(found, {}).sql


def test_a_file_is_read_once_and_again_when_its_text_changes() -> None:
    assert parse("units_sold.sql", GOOD) is parse("units_sold.sql", GOOD)
    assert parse("units_sold.sql", GOOD.replace("the shop", "tills")).header["source"] == "tills"


def test_a_header_alone_is_no_definition() -> None:
    assert "expected a SELECT below the header" in refused(GOOD[: GOOD.index("*/") + 2])


def test_the_file_name_becomes_a_table() -> None:
    assert "expected small letters" in refused(GOOD, "Units Sold.sql")


def test_no_kpi_takes_the_place_of_a_view_of_the_project() -> None:
    views = (bundle_root() / "warehouse" / "views" / "inventory_reporting").glob("kpi_*.sql")
    names = [view.stem.removeprefix("kpi_") for view in views]
    assert names
    for name in names:
        assert f"{name!r} is reserved" in refused(GOOD, f"{name}.sql")


def test_the_version_changes_with_what_decides_the_rows_only() -> None:
    one = parse("units_sold.sql", GOOD)
    assert parse("units_sold.sql", GOOD.replace("Units sold", "Sold units")).version == one.version
    assert parse("units_sold.sql", GOOD.replace("lookback_days: 0", "lookback_days: 7")).version != one.version
    assert parse("units_sold.sql", GOOD.replace("SUM(quantity)", "MAX(quantity)")).version != one.version


def test_a_bad_file_hides_no_other(tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "units_sold.sql").write_text(GOOD)
    (tmp_path / "broken.sql").write_text("SELECT 1")
    catalog = read_catalog(str(tmp_path))
    assert list(catalog.definitions) == ["units_sold"] and list(catalog.faults) == ["broken"]
    with pytest.raises(PermanentError, match=r"broken\.sql:1"):
        load_definitions(str(tmp_path))


def test_every_definition_of_the_project_is_good_and_has_worked_examples() -> None:
    definitions = load_definitions(str(bundle_root() / "functions" / "kpi" / "definitions"))
    assert [d.name for d in definitions.values() if not d.examples] == []
    assert [d.name for d in definitions.values() if "CURRENT_" in d.sql] == []
