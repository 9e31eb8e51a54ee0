"""`kpi why` of the fill rates names the lines of orders behind them, open ones too."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import target
from cli.kpi.command import app
from tests.support.corner_shop import NOW
from tests.support.local_warehouse import LocalServices, LocalWarehouse

FIRST, LAST = date(2026, 9, 3), date(2026, 9, 4)
LOAD = {"_load_id": "5a1e5000000000000001", "sku": "A", "location_code": "DC"}


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two lines to a supplier, two of a customer; of each one is served and one is open."""
    made = LocalWarehouse(ledger=True)
    made.put("stock_snapshots", [{"business_date": day, **LOAD, "on_hand": Decimal(1)} for day in (FIRST, LAST)])
    made.put("purchase_orders", [
        {**_line("P", number, FIRST), "supplier_code": "S1", "promised_date": day, "received_date": came,
         "received_quantity": units}
        for number, day, came, units in ((1, FIRST, FIRST, Decimal(4)), (2, LAST, None, None))
    ])  # fmt: skip
    made.put("customer_orders", [
        {**_line("C", number, FIRST), "channel": "", "requested_date": day, "shipped_date": left, "shipped_quantity": n}
        for number, day, left, n in ((1, FIRST, FIRST, Decimal(4)), (2, LAST, LAST, Decimal(1)), (3, LAST, None, None))
    ])  # fmt: skip
    # horizon of orders to suppliers: something arrived on the last day
    made.put("purchase_orders", [
        {**_line("Q", 1, LAST), "supplier_code": "S2", "promised_date": LAST, "received_date": LAST,
         "received_quantity": Decimal(4)}
    ])  # fmt: skip
    made.compute(("fill_rate", "customer_fill_rate"))
    services = LocalServices(made, NOW)
    monkeypatch.setattr(target, "services", lambda: services)


def _line(order: str, number: int, day: date) -> dict[str, Any]:
    return {"order_number": order, "line_number": number, "business_date": day, "ordered_quantity": Decimal(4),
            "_line": number + 1, **LOAD}  # fmt: skip


@pytest.mark.parametrize(
    ("kpi", "feed", "found"),
    [("fill_rate", "purchase_orders", {2, 3}), ("customer_fill_rate", "customer_orders", {2, 3, 4})],
)
@pytest.mark.usefixtures("shop")
def test_the_lines_of_orders_are_named(kpi: str, feed: str, found: set[int]) -> None:
    asked = ("why", kpi, "--from", str(FIRST), "--to", str(LAST), "--json")
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, f"{done.output}\n{done.exception!r}"
    lines = json.loads(done.stdout)["lines"]
    assert {line["line"] for line in lines if line["feed"] == feed and line["business_date"] == str(FIRST)} == found
