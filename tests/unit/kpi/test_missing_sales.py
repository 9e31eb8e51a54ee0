"""A sales file that did not come is not a day without demand: every KPI of a shop with such days is as by hand."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from stockflow.contracts import load_contracts
from stockflow.settings import bundle_root
from tests.golden.books import Books
from tests.golden.kpis import USUAL_LINES, Cells, Days, compute
from tests.integration.kpi_world import LAST, shop
from tests.support.by_hand import KPIS, assert_as_by_hand, computed
from tests.support.local_warehouse import LocalWarehouse

LOST = {LAST, LAST - timedelta(days=3), LAST - timedelta(days=7), LAST - timedelta(days=9), LAST - timedelta(days=12)}
MONDAY = date(2026, 9, 28)


def _with_lost_files() -> Books:
    """The shop of the other tests; P1 sells some SKUs more, and its files of some days did not come."""
    books = shop(7)
    rows = books.current["sales"]
    more = [{**row, "receipt_number": f"{row['receipt_number']}/{n}"} for row in rows for n in (1, 2)
            if row["location_code"] == "P1"]  # fmt: skip
    kept = [row for row in rows + more if row["location_code"] != "P1" or row["business_date"] not in LOST]
    books.current["sales"] = kept
    return books


BOOKS = _with_lost_files()


@pytest.fixture(scope="module")
def by_hand() -> dict[str, Cells]:
    return compute(BOOKS)


@pytest.fixture(scope="module")
def warehouse() -> LocalWarehouse:
    """The shop's facts, and every KPI computed from them."""
    return computed(BOOKS)


def test_the_days_are_those_of_the_files_that_did_not_come(warehouse: LocalWarehouse) -> None:
    rows = warehouse.rows("SELECT location_code, business_date FROM inventory_kpi.missing_sales")
    found = {(row["location_code"], row["business_date"]) for row in rows}
    assert found == {(place, day) for place, day in Days(BOOKS).missing if day <= LAST}
    assert found == {("P1", day) for day in LOST}


@pytest.mark.parametrize("kpi", KPIS)
def test_it_is_as_by_hand(kpi: str, by_hand: dict[str, Cells], warehouse: LocalWarehouse) -> None:
    assert_as_by_hand(kpi, by_hand[kpi], warehouse)


def test_by_hand_and_the_contract_mean_the_same() -> None:
    properties = load_contracts(bundle_root() / "contracts")["sales"].properties
    assert properties["expectedFromLines"] == USUAL_LINES
    assert properties["expectedWeekdays"] == 1234567


def _sales(lines: int, days: list[date]) -> Iterator[dict[str, Any]]:
    for day in days:
        for n in range(lines):
            yield {"receipt_number": f"{day}/{n}", "line_number": 1, "business_date": day, "sku": "A",
                   "location_code": "P1", "quantity": Decimal(1), "net_amount": Decimal(5)}  # fmt: skip


def _supply(lines: int, lost: set[date]) -> dict[str, Any]:
    """Days of supply on the last of 28 days with the same sales each day, but for the days that are lost."""
    days = [MONDAY - timedelta(days=27 - n) for n in range(28)]
    made = LocalWarehouse()
    stock = {"sku": "A", "location_code": "P1", "on_hand": Decimal(10 * lines)}
    made.put("stock_snapshots", [{**stock, "business_date": day} for day in days])
    made.put("sales", list(_sales(lines, [day for day in days if day not in lost])))
    made.compute(["days_of_supply"])
    return made.rows("SELECT * FROM inventory_kpi.days_of_supply ORDER BY business_date DESC LIMIT 1")[0]


def test_a_lost_week_changes_the_coverage_and_not_the_demand() -> None:
    whole, lost = _supply(6, set()), _supply(6, {MONDAY - timedelta(days=n) for n in range(1, 8)})
    assert (whole["value"], whole["coverage_pct"]) == (10, 100)
    assert (lost["value"], lost["coverage_pct"]) == (10, 75)


def test_where_little_is_sold_a_day_without_sales_is_one_without_demand() -> None:
    quiet = _supply(2, {MONDAY - timedelta(days=n) for n in range(1, 8)})
    assert quiet["value"] == pytest.approx(10 * 28 / 21)
    assert quiet["coverage_pct"] == 100
