"""Weeks of supply are as by hand also where thirds of units add up to the stock, and days without demand follow."""

import pytest

from functions.kpi.examples import same
from tests.golden.ahead import compute_ahead
from tests.golden.kpis import Days
from tests.integration.kpi_world import FEEDS, shop
from tests.support.local_warehouse import LocalWarehouse


@pytest.mark.parametrize("seed", [3, 20261123])
def test_stock_that_ends_before_a_day_without_demand_does_not_last_over_it(seed: int) -> None:
    books, made = shop(seed), LocalWarehouse()
    for feed in FEEDS:
        made.put(feed, books.current[feed])
    made.compute(["weeks_of_supply_forward"])
    rows = made.rows("SELECT * FROM inventory_kpi.weeks_of_supply_forward")
    found = {(r["business_date"], r["sku"], r["location_code"]): r for r in rows}
    by_hand = compute_ahead(Days(books))["weeks_of_supply_forward"].rows
    assert found.keys() == by_hand.keys()
    assert [key for key, row in by_hand.items() if any(not same(found[key][c], v) for c, v in row.items())] == []
