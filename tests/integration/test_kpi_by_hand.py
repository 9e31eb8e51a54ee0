"""A shop by chance: every KPI equals plain Python's, from nothing and after late rows that touch few dates."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from functions.kpi.catalog import load_definitions
from functions.kpi.columns import all_columns, curated_columns
from functions.kpi.examples import same
from functions.kpi.refresh import views_by_name
from tests.golden.books import Books
from tests.golden.kpis import compute
from tests.integration.kpi_world import DEFINITIONS, FEEDS, LAST, World, count, new_world, sale, shop

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
SEED = 20261123
LATE = LAST - timedelta(days=20)


@pytest.fixture(scope="module")
def world(bigquery_emulator: str) -> World:
    return new_world(bigquery_emulator)


def put(world: World, books: Books, *feeds: str) -> None:
    for feed in feeds or FEEDS:
        world.put(feed, books.current[feed])


def assert_as_by_hand(world: World, books: Books) -> None:
    for kpi, cells in compute(books).items():
        rows = world.rows(f"SELECT * FROM inventory_kpi.{kpi}")
        found = {(r["business_date"], *(r[g] for g in cells.grain)): r for r in rows}
        assert [r for r in rows if r["value"] is None and r["reason_code"] is None] == []
        assert found.keys() == cells.rows.keys(), (kpi, sorted(map(str, found.keys() ^ cells.rows.keys()))[:5])
        wrong = [
            f"{key} {column}: {found[key][column]} instead of {value}"
            for key, row in cells.rows.items()
            for column, value in row.items()
            if not same(found[key][column], value)
        ]
        assert not wrong, (kpi, len(wrong), wrong[:5])


def later(books: Books) -> tuple[Books, date, date]:
    """The same shop with a late sale, a corrected balance, a late delivery and count, orders that came and left.

    With the days of the purchase order and of the customer's order that changed.
    """
    after = Books()
    after.current = {feed: [dict(row) for row in rows] for feed, rows in books.current.items()}
    after.current["sales"].append(sale(LATE, "SKU2", "P1", 4, "late"))
    corrected = next(r for r in after.current["stock_snapshots"] if r["business_date"] == LATE)
    corrected["on_hand"] = Decimal(77)
    receipt = {"document": "LATE", "line_number": 1, "business_date": LATE, "movement_type": "receipt", "sku": "SKU3",
               "location_code": "P1", "quantity": Decimal(3)}  # fmt: skip
    after.current["stock_movements"].append(receipt)
    after.current["stock_counts"].append(count(LATE, "SKU2", "P2", 4, Decimal(9)))
    order = next(r for r in after.current["purchase_orders"] if r["received_date"] is None)
    order.update(received_date=LATE, received_quantity=Decimal(5), status="received", ordered_quantity=Decimal(9))
    asked = next(r for r in after.current["customer_orders"] if r["shipped_quantity"] is None and r["ordered_quantity"])
    asked.update(shipped_quantity=Decimal(1), shipped_date=asked["business_date"])
    return after, order["business_date"], asked["business_date"]


def test_every_kpi_is_as_by_hand_from_nothing_and_after_late_rows(world: World) -> None:
    books = shop(SEED)
    put(world, books)
    first = [world.transformed(feed, all_dates=True) for feed in FEEDS]
    assert world.drain(*first) == frozenset()
    assert world.runs("failed") == {}
    assert_as_by_hand(world, books)

    after, ordered, asked = later(books)
    put(world, after)
    for feed in ("sales", "stock_snapshots", "stock_movements", "stock_counts"):
        world.transformed(feed, LATE)
    world.transformed("purchase_orders", ordered)
    world.transformed("customer_orders", asked)
    world.drain()
    assert_as_by_hand(world, after)

    assert world.runs()["stock_daily"] == (LATE, LAST)
    assert world.runs()["fill_rate"] == (min(ordered, LATE), LAST) or world.runs()["fill_rate"][0] == ordered


def test_a_late_sale_computes_from_its_day_on_what_it_can_change(world: World) -> None:
    """Runs after the first one: a sale moves the book balances from its day on, and touches no earlier day."""
    books, _, _ = later(shop(SEED))
    books.current["sales"].append(sale(LATE, "SKU4", "P2", 2, "later still"))
    put(world, books, "sales")
    before = world.runs()
    world.transformed("sales", LATE)
    world.drain()
    after = world.runs()
    assert after["balance_daily"] == after["stock_daily"] == after["stock_on_hand"] == (LATE, LAST)
    assert after["shrinkage"] == (LATE, LAST) and after["record_accuracy"] == before["record_accuracy"]
    assert after["window_28d"] == after["gmroi"] == (LATE, LAST)
    assert after["fill_rate"] == before["fill_rate"]
    assert_as_by_hand(world, books)


def test_a_product_that_comes_and_goes_computes_from_its_first_fact_on(world: World) -> None:
    """A SKU was sold before its master came: what takes its category and cost says so from that sale on."""
    books, _, _ = later(shop(SEED))
    books.current["sales"].append(sale(LATE, "SKU9", "P1", 4, "before its product"))
    put(world, books, "sales", "products")
    world.transformed("sales", LATE)
    world.drain()
    known = list(books.current["products"])
    for products in ([*known, {**known[0], "sku": "SKU9", "unit_cost": Decimal(3)}], known):
        now = Books()  # what it looks up, it keeps
        now.current = {**books.current, "products": products}
        put(world, now, "products")
        world.drain(world.transformed("products", all_dates=True, keys=["SKU9"]))
        assert world.runs()["stock_daily"] == world.runs()["gross_margin"] == (LATE, LAST)
        assert_as_by_hand(world, now)


def test_tables_have_the_columns_that_the_sql_says(world: World) -> None:
    definitions = load_definitions(str(DEFINITIONS))
    derived = all_columns(definitions, views_by_name("inventory_curated"), curated_columns(world.services.contracts))
    columns: dict[str, dict[str, Any]] = {}
    for row in world.rows("SELECT table_name, column_name, data_type FROM inventory_kpi.INFORMATION_SCHEMA.COLUMNS"):
        columns.setdefault(f"inventory_kpi.{row['table_name']}", {})[row["column_name"]] = row["data_type"]
    for definition in definitions.values():
        assert columns[definition.table] == derived[definition.table]
