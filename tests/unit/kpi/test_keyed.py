"""Whether a definition reads a dimension by its rows' own keys decides which days a new key concerns."""

import pytest

from functions.kpi.catalog import load_definitions
from functions.kpi.definition import Definition
from functions.kpi.graph import reads
from functions.kpi.keyed import first_fact_sql, joined_by_key, key_of
from functions.kpi.refresh import views_by_name
from stockflow.contracts import load_contracts
from stockflow.settings import bundle_root

ROOT = bundle_root()
CONTRACTS = load_contracts(ROOT / "contracts")
PRODUCTS, LOCATIONS = "inventory_curated.products", "inventory_curated.locations"
BY_SKU = f"LEFT JOIN {PRODUCTS} AS p ON p.sku"
FACTS = "FROM inventory_curated.sales AS s"
NAMED = "SELECT s.sku, p.name"


def by_sku(sql: str, **views: str) -> bool:
    definition = Definition("k", sql, {}, "base", "k", "k", "someone", 0, ())
    return joined_by_key(
        definition, PRODUCTS, "sku", {f"inventory_curated.{name}": text for name, text in views.items()}
    )


@pytest.mark.parametrize(
    "sql",
    [
        f"{NAMED} {FACTS} {BY_SKU} = s.sku",
        f"{NAMED} {FACTS} JOIN {PRODUCTS} AS p ON s.sku = p.sku AND p.category = 'A'",
        f"SELECT sku {FACTS} LEFT JOIN {PRODUCTS} USING (sku)",
        f"{NAMED} {FACTS} LEFT JOIN {PRODUCTS}_by_day AS p "
        "ON p.sku = s.sku AND s.business_date BETWEEN p.valid_from AND p.valid_to",
        f"WITH f AS (SELECT MAX(s.sku) AS sku {FACTS}) SELECT f.sku FROM f {BY_SKU} = f.sku",
        f"WITH f AS (SELECT sku {FACTS} UNION ALL SELECT s.sku FROM inventory_curated.stock_counts AS s) "
        f"SELECT f.sku FROM f {BY_SKU} = f.sku",
        f"SELECT COALESCE(s.sku, c.sku) AS sku {FACTS} FULL JOIN inventory_curated.stock_counts AS c ON c.sku = s.sku "
        f"LEFT JOIN {PRODUCTS} AS p ON p.sku = s.sku",
        f"SELECT sku {FACTS}",
    ],
)
def test_rows_that_take_the_row_of_their_own_key(sql: str) -> None:
    assert by_sku(sql)


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT sku FROM {PRODUCTS}",
        f"SELECT p.sku FROM {PRODUCTS} AS p LEFT JOIN inventory_curated.sales AS s ON s.sku = p.sku",
        f"{NAMED} {FACTS} RIGHT JOIN {PRODUCTS} AS p ON p.sku = s.sku",
        f"{NAMED} {FACTS} FULL JOIN {PRODUCTS} AS p ON p.sku = s.sku",
        f"{NAMED} {FACTS} CROSS JOIN {PRODUCTS} AS p WHERE p.sku = s.sku",
        f"{NAMED} {FACTS} {BY_SKU} = s.sku OR p.gtin = s.sku",
        f"{NAMED} {FACTS} LEFT JOIN {PRODUCTS} AS p ON p.gtin = s.sku",
        f"{NAMED} {FACTS} {BY_SKU} = p.sku",
        f"{NAMED} {FACTS} {BY_SKU} = s.sku WHERE s.quantity > (SELECT COUNT(*) FROM {PRODUCTS})",
        f"WITH f AS (SELECT s.receipt_number AS sku {FACTS}) SELECT p.name FROM f {BY_SKU} = f.sku",
        f"WITH f AS (SELECT s.sku {FACTS} UNION ALL SELECT s.receipt_number {FACTS}) "
        f"SELECT p.name FROM f {BY_SKU} = f.sku",
        f"WITH f AS (SELECT CONCAT(s.sku, 'X') AS sku {FACTS}) SELECT p.name FROM f {BY_SKU} = f.sku",
    ],
)
def test_rows_that_take_others(sql: str) -> None:
    assert not by_sku(sql)


def test_a_view_is_looked_into() -> None:
    good = f"SELECT s.*, p.name {FACTS} {BY_SKU} = s.sku"
    sql = "SELECT sku FROM inventory_curated.near"
    assert by_sku(sql, near=good) and not by_sku(sql, near=f"SELECT * FROM {PRODUCTS}")
    assert not by_sku(sql, near="SELECT * FROM inventory_curated.far", far=f"SELECT * FROM {PRODUCTS}")


def test_a_key_that_another_dimension_has_is_none() -> None:
    """Products name suppliers, so a row may have a supplier that no fact names."""
    assert (key_of(PRODUCTS, CONTRACTS), key_of(LOCATIONS, CONTRACTS)) == ("sku", "location_code")
    assert key_of("inventory_curated.suppliers", CONTRACTS) is None


def test_every_fact_that_has_the_key_is_asked() -> None:
    asked = first_fact_sql(PRODUCTS, CONTRACTS)
    facts = {feed for feed, contract in CONTRACTS.items() if contract.business_date and "sku" in str(contract.columns)}
    assert len(facts) == 6 and all(f"inventory_curated.{feed} " in asked for feed in facts)


def test_the_definitions_read_products_by_their_keys() -> None:
    """A new SKU without a fact costs none of them a day."""
    definitions, views = load_definitions(str(ROOT / "functions" / "kpi" / "definitions")), views_by_name()
    read = reads(definitions, views)
    readers = [d for name, d in definitions.items() if PRODUCTS in read[name]]
    assert len(readers) >= 9
    assert [d.name for d in readers if not joined_by_key(d, PRODUCTS, "sku", views)] == []
