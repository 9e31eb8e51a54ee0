"""How far the customer fill rate reaches, and which number its contract decides."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from functions.kpi.catalog import load_definitions
from functions.kpi.contract_params import with_values
from stockflow.contracts import load_contracts
from stockflow.settings import bundle_root
from tests.golden.customers import PROMISED_DAYS
from tests.support.local_warehouse import LocalWarehouse

CONTRACTS = load_contracts(bundle_root() / "contracts")
DEFINITION = load_definitions(str(bundle_root() / "functions" / "kpi" / "definitions"))["customer_fill_rate"]


def line(ordered: date, units: int, shipped: int | None = None, left_on: date | None = None) -> dict[str, Any]:
    return {"order_number": f"{ordered}/{units}", "line_number": 1, "channel": "", "business_date": ordered, "sku": "A",
            "location_code": "WEB", "ordered_quantity": Decimal(units), "shipped_date": left_on,
            "shipped_quantity": None if shipped is None else Decimal(shipped)}  # fmt: skip


def rates(*lines: dict[str, Any]) -> dict[date, tuple[float | None, float | None]]:
    made = LocalWarehouse()
    made.put("customer_orders", lines)
    made.compute(["customer_fill_rate"])
    rows = made.rows("SELECT business_date, numerator, denominator FROM inventory_kpi.customer_fill_rate")
    return {row["business_date"]: (row["numerator"], row["denominator"]) for row in rows}


def test_orders_alone_are_enough() -> None:
    """A web shop that sends neither stock nor sales: the newest day is that of the last order or shipment."""
    found = rates(
        line(date(2026, 9, 1), 4, 3, date(2026, 9, 2)),
        line(date(2026, 9, 2), 5, 5, date(2026, 9, 4)),
        line(date(2026, 9, 3), 2),
    )
    assert found == {date(2026, 9, 3): (3, 4), date(2026, 9, 4): (8, 9)}


def test_a_line_counts_for_four_weeks_from_the_day_it_is_due() -> None:
    found = rates(line(date(2026, 9, 1), 4, 3, date(2026, 9, 2)), line(date(2026, 10, 10), 1))
    assert (min(found), max(found), len(found)) == (date(2026, 9, 3), date(2026, 9, 30), 28)


def test_by_hand_and_the_contract_mean_the_same() -> None:
    assert CONTRACTS["customer_orders"].properties["promisedDays"] == PROMISED_DAYS


def test_the_contract_says_within_how_many_days_a_line_is_promised() -> None:
    """Its number stands in the SQL, and another number is another version."""
    contract = CONTRACTS["customer_orders"]
    other = replace(contract, properties={**contract.properties, "promisedDays": 5})
    there = with_values(DEFINITION, {"customer_orders": other})
    assert "INTERVAL /* customer_orders.promisedDays */ 5 DAY" in there.sql
    assert there.version != with_values(DEFINITION, CONTRACTS).version
