"""Rules that hold for every KPI: what has no value takes no part, and what the contract says of a file."""

from dataclasses import replace
from datetime import date
from typing import Any

from functions.kpi.catalog import load_definitions
from functions.kpi.columns import all_columns, curated_columns
from functions.kpi.examples import differences, example_sql
from functions.kpi.refresh import views_by_name
from local.in_process import rows as rows_of
from stockflow.contracts import load_contracts
from stockflow.settings import bundle_root

ROOT = bundle_root()
DEFINITIONS = load_definitions(str(ROOT / "functions" / "kpi" / "definitions"))
VIEWS = views_by_name("inventory_curated")
KNOWN = all_columns(DEFINITIONS, VIEWS, curated_columns(load_contracts(ROOT / "contracts")))


def test_a_cell_without_a_value_takes_no_part_in_any_total() -> None:
    """The examples of each header hold cells that are stale, without cost, without demand, of negative stock."""
    kpis = [d for d in DEFINITIONS.values() if d.kind == "kpi" and d.rollup == "ratio"]
    without: dict[str, int] = {}
    for definition in kpis:
        for example in definition.examples:
            rows = rows_of(example_sql(definition, example["given"], KNOWN, VIEWS))
            silent = [r for r in rows if r["value"] is None]
            without[definition.name] = without.get(definition.name, 0) + len(silent)
            assert [r for r in silent if r["numerator"] is not None or r["denominator"] is not None] == []
            assert [r for r in silent if r["reason_code"] is None] == []
            assert [r for r in rows if r["value"] is not None and r["reason_code"] is not None] == []
            assert [r for r in rows if not 0 <= r["coverage_pct"] <= 100] == []
    assert [name for name, count in without.items() if not count] == [], "each has a poisonous row in its examples"


def test_in_a_file_that_is_the_whole_of_a_location_and_day_what_is_left_out_is_zero() -> None:
    day, next_day, later = date(2026, 9, 1), date(2026, 9, 2), date(2026, 9, 3)
    given: dict[str, list[dict[str, Any]]] = {
        "inventory_kpi.calendar": [{"business_date": d} for d in (day, next_day, later)],
        "inventory_curated.stock_snapshots": [
            {"business_date": day, "sku": "A", "location_code": "P1", "on_hand": 5},
            {"business_date": day, "sku": "B", "location_code": "P1", "on_hand": 5},
            {"business_date": day, "sku": "A", "location_code": "P2", "on_hand": 5},
            {"business_date": next_day, "sku": "B", "location_code": "P1", "on_hand": 4},
            {"business_date": later, "sku": "B", "location_code": "P3", "on_hand": 4},
        ],
    }
    on_hand = {
        (day, "A", "P1"): 5, (day, "B", "P1"): 5, (day, "A", "P2"): 5, (next_day, "A", "P1"): 0,
        (next_day, "B", "P1"): 4, (next_day, "A", "P2"): 5, (later, "A", "P1"): 0, (later, "B", "P1"): 4,
        (later, "A", "P2"): 5, (later, "B", "P3"): 4,
    }  # fmt: skip
    balance = DEFINITIONS["balance_daily"]
    whole = replace(balance, sql=balance.sql.replace("wholeLocationDay */ 0", "wholeLocationDay */ 1"))
    rows = rows_of(example_sql(whole, given, KNOWN, VIEWS))
    expected = [{"business_date": d, "sku": s, "location_code": p, "on_hand": n} for (d, s, p), n in on_hand.items()]
    assert differences(whole, expected, rows) == []
    carried = rows_of(example_sql(balance, given, KNOWN, VIEWS))
    assert [r["on_hand"] for r in carried if (r["sku"], r["location_code"]) == ("A", "P1")] == [5, 5, 5]
