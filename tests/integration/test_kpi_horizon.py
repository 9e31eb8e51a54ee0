"""How far each KPI is known follows from its own facts: stock as of its last balance, sales as of the last sale."""

from datetime import date, timedelta
from typing import Any

import pytest

from functions.kpi.headline import headlines
from tests.integration.kpi_world import World, count, new_world, sale

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
FIRST, LAST_BALANCE, LAST_SALE = date(2026, 9, 1), date(2026, 9, 10), date(2026, 11, 20)


def balance(day: date, place: str, on_hand: int) -> dict[str, Any]:
    return {"business_date": day, "sku": "A", "location_code": place, "on_hand": on_hand, "unit_cost": 2}


def balances(last: date) -> list[dict[str, Any]]:
    days = [FIRST + timedelta(days=n) for n in range((last - FIRST).days + 1)]
    return [balance(day, place, 10) for day in days for place in ("P1", "P2")]


@pytest.fixture(scope="module")
def world(bigquery_emulator: str) -> World:
    """Daily balances until 10 September; a sale in a web shop on 20 November and a count on 1 December."""
    made = new_world(bigquery_emulator)
    made.put("stock_snapshots", balances(LAST_BALANCE))
    made.put("sales", [sale(date(2026, 9, 5), "A", "P1", 3, "1"), sale(LAST_SALE, "A", "WEB", 4, "2")])
    made.put("stock_counts", [count(date(2026, 12, 1), "A", "P1", 9, None)])
    made.put("products", [{"sku": "A", "unit_cost": 2, "unit_price": 9}])
    made.drain(*(made.transformed(feed, all_dates=True) for feed in ("stock_snapshots", "sales", "stock_counts")))
    return made


def newest(world: World, kpi: str) -> date:
    return world.rows(f"SELECT MAX(business_date) AS day FROM inventory_kpi.{kpi}")[0]["day"]  # type: ignore[no-any-return]


def says(world: World) -> dict[str, tuple[date | None, float | None]]:
    return {d.name: (line.day, line.value) for d, line in headlines(world.services)}


def test_a_sale_long_after_the_last_balance_leaves_the_stock_as_of_that_balance(world: World) -> None:
    found = says(world)
    assert found["stock_on_hand"] == (LAST_BALANCE, 20) and found["stock_value"] == (LAST_BALANCE, 40)
    assert found["stockout_rate"] == (LAST_BALANCE, 0)
    assert found["days_of_supply"] == (LAST_BALANCE, 10 / (3 / 10))
    assert newest(world, "balance_daily") == newest(world, "dead_stock") == LAST_BALANCE


def test_sales_are_as_of_the_last_sale_and_need_no_balance(world: World) -> None:
    found = says(world)
    assert found["units_sold"] == (LAST_SALE, 4)
    assert found["net_sales"][1] == pytest.approx(26.8) and found["gross_margin"][1] == pytest.approx(18.8)
    assert newest(world, "abc_class") == LAST_SALE and newest(world, "record_accuracy") == date(2026, 12, 1)
    unmatched = world.rows("SELECT sku, location_code, units_sold FROM inventory_kpi.unmatched WHERE without_balance")
    assert unmatched == [{"sku": "A", "location_code": "WEB", "units_sold": 4.0}]


def test_new_balances_move_the_horizon_and_their_withdrawal_moves_it_back(world: World) -> None:
    """Runs after the others: the days in between are computed, and go again, in every table."""
    later = LAST_BALANCE + timedelta(days=5)
    world.put("stock_snapshots", [*balances(LAST_BALANCE), balance(later, "P1", 7), balance(later, "P2", 6)])
    world.drain(world.transformed("stock_snapshots", later))
    assert says(world)["stock_on_hand"] == (later, 13)
    day = LAST_BALANCE + timedelta(days=2)
    assert world.rows(f"SELECT SUM(value) AS n FROM inventory_kpi.stock_on_hand WHERE business_date = '{day}'") == [
        {"n": 20.0}
    ]
    world.put("stock_snapshots", balances(LAST_BALANCE))
    world.drain(world.transformed("stock_snapshots", later))
    for kpi in ("balance_daily", "stock_on_hand", "window_28d", "inventory_turnover", "inventory_ageing"):
        assert newest(world, kpi) == LAST_BALANCE, kpi
    assert newest(world, "units_sold") == LAST_SALE


def test_one_location_that_is_ahead_does_not_hide_the_others(world: World) -> None:
    ahead = LAST_BALANCE + timedelta(days=40)
    others = [balance(LAST_BALANCE, f"Q{n}", 1) for n in range(4)]
    world.put("stock_snapshots", [*balances(LAST_BALANCE), *others, balance(ahead, "P1", 5)])
    world.drain(world.transformed("stock_snapshots", LAST_BALANCE, ahead))
    day, value = says(world)["stock_on_hand"]
    assert (day, value) == (LAST_BALANCE + timedelta(days=7), 24)
