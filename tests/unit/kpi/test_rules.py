"""What the contract says of a file holds in the KPIs."""

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
