"""`kpi check` finds a mistake before it runs, and says file, line, what is wrong and what would be right."""

import pytest

from cli.kpi import checked as checking
from cli.kpi.checked import checked
from cli.kpi.workspace import Workspace
from stockflow.contracts import load_contracts
from stockflow.schema import pipeline
from stockflow.settings import bundle_root

HEAD = """/*
title: Units sold
description: Units sold by day.
meaning: So many units were sold.
formula: sum of quantities
source: the shop
unit: units
grain: [sku]
owner: someone
lookback_days: 7
direction: up
rollup: sum
examples:
  - given:
      inventory_curated.sales:
        - {business_date: 2026-09-01, sku: A, quantity: 2}
        - {business_date: 2026-09-01, sku: A, quantity: 1}
    expect:
      - {business_date: 2026-09-01, sku: A, value: 3}
*/
"""
SQL = """SELECT
  sale.business_date,
  sale.sku,
  SUM(CAST(sale.quantity AS FLOAT64)) AS numerator,
  CAST(NULL AS FLOAT64) AS denominator,
  SUM(CAST(sale.quantity AS FLOAT64)) AS value,
  CAST(NULL AS STRING) AS reason_code,
  100.0 AS coverage_pct
FROM inventory_curated.sales AS sale
GROUP BY sale.business_date, sale.sku
"""
CONTRACTS = load_contracts(bundle_root() / "contracts")


@pytest.fixture(autouse=True)
def without_the_analyzer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Google's analyzer has tests of its own (tests/bigquery)."""
    monkeypatch.setattr(checking, "installed", lambda: False)


def faults(text: str, **others: str) -> list[str]:
    """Return what is said of one file beside others."""
    texts = {"units_sold.sql": text, **{f"{name}.sql": sql for name, sql in others.items()}}
    views = {"inventory_curated.sales_view": "SELECT * FROM inventory_curated.sales"}
    return [str(f) for f in sorted(checked(Workspace(texts, CONTRACTS, ("units_sold",), views)).faults)]


def test_a_sound_definition_has_no_fault() -> None:
    assert faults(HEAD + SQL) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("sale.quantity AS FLOAT64)) AS n", "sale.quantiyt AS FLOAT64)) AS n", "units_sold.sql:24:17: Unknown column"),
        ("sale.quantity AS FLOAT64)) AS n", "sale.quantiyt AS FLOAT64)) AS n", "did you mean quantity?"),
        ("curated.sales AS", "curated.salse AS", "units_sold.sql:29:6: Table not found: inventory_curated.salse; did"),
        ("{business_date: 2026-09-01, sku: A, value: 3}", "{sku: A, value: 4}", ":19: example 1: A: value is 3.0, exp"),
        ("sku: A, quantity: 1}", "sku: B, quantity: 1}", "units_sold.sql:19: example 1: 2026-09-01 A: value is 2.0"),
        ("sku: A, quantity: 1}", "sku: B, quantity: 1}", ":14: example 1: 2026-09-01 B 1.0: found, not expected"),
        ("sku: A, quantity: 1}", "sku: A, qantity: 1}", ":14: example 1: an example gives inventory_curated.sales qan"),
        ("GROUP BY sale.business_date, sale.sku", "GROUP BY sale.business_date, sale.sku, sale.quantity", "the grain"),
        ("AS sale\n", "AS sale, inventory_curated.products AS p\n", "29: joins p to every row: expected a condition"),
        ("AS sale\n", "AS sale JOIN inventory_curated.products AS p ON p.sku = 'A'\n", "joins p to every row"),
        ("AS sale\n", "AS sale JOIN inventory_curated.products AS p ON p.sku = sale.sku\n", "example 1"),
        ("AS sale\n", "AS sale WHERE sale.business_date < CURRENT_DATE\n", "units_sold.sql:29: reads the clock"),
        ("curated.sales AS", "curated.sales_view AS", "reads every day of inventory_curated.sales through the view"),
        ("examples:", "nothing:", "unknown header field 'nothing'"),
    ],
)
def test_a_mistake_is_told(old: str, new: str, said: str) -> None:
    assert said in "\n".join(faults((HEAD + SQL).replace(old, new)))


def test_rows_that_are_there_twice_are_the_only_fault_that_is_told() -> None:
    """Which of them differs from the expected row would only hide that there are two."""
    (told,) = faults(HEAD + SQL.replace(" sale.sku\n", " sale.sku, sale.quantity\n"))
    assert "2 rows for business_date 2026-09-01, sku A: expected one, the grain is sku" in told


def test_a_window_beyond_the_lookback_is_told() -> None:
    """Rows of days that a late row changes would be computed from too few days."""
    sql = SQL.replace(
        "sale.quantity AS FLOAT64)) AS value", "sale.quantity AS FLOAT64)) AS value, SUM(1) OVER (w) AS n"
    )
    sql += "WINDOW w AS (PARTITION BY sale.sku ORDER BY UNIX_DATE(sale.business_date) RANGE BETWEEN 27 PRECEDING "
    sql = sql.replace("business_date) RANGE", "business_date) RANGE") + "AND CURRENT ROW)\n"
    assert any("reaches 27 days back, lookback_days is 7: expected at least 27" in said for said in faults(HEAD + sql))


def test_a_join_that_is_meant_is_let_pass() -> None:
    sql = SQL.replace("AS sale\n", "AS sale\n-- every pair\nCROSS JOIN inventory_curated.products AS p\n")
    assert not [said for said in faults(HEAD + sql) if "every row" in said]


def test_a_ledger_table_wants_a_filter_on_its_day() -> None:
    """BigQuery refuses to read all of a table that grows with every file."""
    sql = SQL.replace("AS sale\n", "AS sale\nJOIN inventory_ops.load_stages AS load ON load.load_id = sale._load_id\n")
    assert any("reads all of inventory_ops.load_stages" in said for said in faults(HEAD + sql))
    sql = sql.replace("GROUP", "WHERE load.landed_on > '2026-01-01'\nGROUP")
    assert not any("reads all of" in said for said in faults(HEAD + sql))


def test_what_reads_a_faulty_definition_is_not_blamed() -> None:
    wrong = HEAD.replace("[sku]", "[sku]") + SQL.replace("sale.quantity AS FLOAT64)) AS n", "nothing AS FLOAT64)) AS n")
    reader = (HEAD + SQL).replace("inventory_curated.sales", "inventory_kpi.first").replace("quantity", "value")
    texts = {"first.sql": wrong, "units_sold.sql": reader}
    found = checked(Workspace(texts, CONTRACTS, ("first", "units_sold"), {}))
    assert [f.file for f in found.errors] == ["first.sql"] and found.skipped == ["units_sold"]


def test_a_definition_without_an_example_gets_advice_only() -> None:
    head = HEAD[: HEAD.index("examples:")] + "*/\n"
    assert faults(head + SQL) == [
        "units_sold.sql:1: has no worked example: add `examples` with rows that are given and rows that are expected"
    ]


def test_a_look_back_at_what_is_no_longer_kept_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given facts that are kept for 400 days, then a look-back of 400 days at sales is a fault with its line."""
    assert faults(HEAD.replace("lookback_days: 7", "lookback_days: 400") + SQL) == []
    monkeypatch.setitem(pipeline()["retention"], "curated", 400)
    assert faults(HEAD.replace("lookback_days: 7", "lookback_days: 399") + SQL) == []
    (said,) = faults(HEAD.replace("lookback_days: 7", "lookback_days: 400") + SQL)
    assert "units_sold.sql:10: looks back 400 days at sales, whose facts are kept 400 days: expected fewer" in said
