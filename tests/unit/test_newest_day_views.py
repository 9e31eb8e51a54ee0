"""The newest day of a view is that of its own facts: orders come less often than sales."""

from datetime import date
from decimal import Decimal

import pytest

from functions.kpi.refresh import views_by_name
from tests.support.local_warehouse import LocalWarehouse

VIEWS = views_by_name("inventory_reporting")
ORDERED, SHIPPED, SOLD = date(2026, 9, 1), date(2026, 9, 2), date(2026, 9, 9)
LINE = {"order_number": "1", "line_number": 1, "business_date": ORDERED, "sku": "A", "location_code": "P1",
        "ordered_quantity": Decimal(4)}  # fmt: skip


@pytest.fixture(scope="module")
def warehouse() -> LocalWarehouse:
    """Orders until 2 September, sales until the 9th."""
    made = LocalWarehouse()
    made.put("sales", [{"business_date": SOLD, "sku": "A", "location_code": "P1", "quantity": Decimal(1)}])
    served = {
        "received_date": SHIPPED,
        "received_quantity": Decimal(3),
        "promised_date": SHIPPED,
        "supplier_code": "S1",
    }
    made.put("purchase_orders", [{**LINE, **served}])
    made.put("customer_orders", [
        {**LINE, "channel": "", "requested_date": SHIPPED, "shipped_date": SHIPPED, "shipped_quantity": Decimal(3)}
    ])  # fmt: skip
    made.compute(("fill_rate", "supplier_lead_time", "customer_fill_rate"))
    return made


@pytest.mark.parametrize(("view", "top", "bottom"), [("suppliers", "filled_units", "due_units"),
                                                     ("customer_service", "served_units", "due_units")])  # fmt: skip
def test_one_day_is_the_newest_one(view: str, top: str, bottom: str, warehouse: LocalWarehouse) -> None:
    rows = warehouse.rows(VIEWS[f"inventory_reporting.{view}"])
    newest = [row for row in rows if row["is_newest"]]
    assert [(row["business_date"], row[top], row[bottom]) for row in newest] == [(SHIPPED, 3, 4)]
