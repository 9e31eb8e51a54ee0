"""The bridge of the stock value adds up, over days, locations and currencies."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from tests.golden.bridge import PARTS
from tests.integration.kpi_world import FEEDS, shop
from tests.support.local_warehouse import LocalWarehouse

TAKEN_OFF = {"sales", "no_longer_known"}
Row = dict[str, Any]


@pytest.fixture(scope="module", params=[3, 11])
def warehouse(request: pytest.FixtureRequest) -> LocalWarehouse:
    """A shop by chance: gaps, negative stock, missing costs, delisted SKUs, reversed receipts."""
    made, books = LocalWarehouse(), shop(request.param)
    for feed in FEEDS:
        made.put(feed, books.current[feed])
    made.compute(["value_bridge", "stock_value"])
    return made


def _by_location(warehouse: LocalWarehouse) -> Iterator[tuple[str, list[Row]]]:
    rows = warehouse.rows("SELECT * FROM inventory_kpi.value_bridge ORDER BY location_code, business_date")
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["location_code"]].append(row)
    yield from found.items()


def _explained(rows: list[Row]) -> float:
    return float(sum(-row[part] if part in TAKEN_OFF else row[part] for row in rows for part in PARTS))


def test_the_parts_of_a_month_lead_from_its_opening_to_its_closing_value(warehouse: LocalWarehouse) -> None:
    for _, rows in _by_location(warehouse):
        assert rows[0]["opening_value"] + _explained(rows) == pytest.approx(rows[-1]["closing_value"])
        assert all(part in row and row[part] is not None for row in rows for part in PARTS)


def test_a_day_opens_as_the_one_before_closed(warehouse: LocalWarehouse) -> None:
    for _, rows in _by_location(warehouse):
        for before, row in pairwise(rows):
            assert row["business_date"] == before["business_date"] + timedelta(days=1)
            assert row["opening_value"] == pytest.approx(before["closing_value"])


def test_it_closes_with_the_value_of_the_stock(warehouse: LocalWarehouse) -> None:
    stock: dict[tuple[str, date], float] = defaultdict(float)
    for row in warehouse.rows("SELECT business_date, location_code, value FROM inventory_kpi.stock_value"):
        stock[row["location_code"], row["business_date"]] += row["value"] or 0.0
    for location, rows in _by_location(warehouse):
        for row in rows:
            assert row["closing_value"] == pytest.approx(stock[location, row["business_date"]])


def test_amounts_are_in_the_base_currency_and_a_gap_is_explained_by_the_book() -> None:
    """Curated costs are converted already: a cost in dollars and one in euros add up; stated ones play no part."""
    day = date(2026, 9, 1)
    made = LocalWarehouse()
    made.put("stock_snapshots", [
        {"business_date": day, "sku": "EUR", "location_code": "P1", "on_hand": Decimal(10), "unit_cost": Decimal(2)},
        {"business_date": day, "sku": "USD", "location_code": "P1", "on_hand": Decimal(10), "unit_cost": Decimal("1.8"),
         "stated_unit_cost": Decimal(2), "stated_currency": "USD", "currency": "EUR"},
        {"business_date": day + timedelta(days=3), "sku": "USD", "location_code": "P1", "on_hand": Decimal(5),
         "unit_cost": Decimal("1.7"), "stated_unit_cost": Decimal(2), "stated_currency": "USD", "currency": "EUR"},
    ])  # fmt: skip
    made.put("sales", [
        {"receipt_number": "1", "line_number": 1, "business_date": day + timedelta(days=1), "sku": sku,
         "location_code": "P1", "quantity": Decimal(4), "net_amount": Decimal(40), "stated_currency": sku}
        for sku in ("EUR", "USD")
    ])  # fmt: skip
    made.compute(["value_bridge"])
    rows = made.rows("SELECT * FROM inventory_kpi.value_bridge ORDER BY business_date")
    assert [round(row["closing_value"], 6) for row in rows] == [38, 22.8, 22.8, 20.5]
    assert [round(row["sales"], 6) for row in rows] == [0, 15.2, 0, 0]
    assert [round(row["revaluation"], 6) for row in rows] == [0, 0, 0, -0.6]
    assert [round(row["unexplained"], 6) for row in rows] == [0, 0, 0, -1.7]
