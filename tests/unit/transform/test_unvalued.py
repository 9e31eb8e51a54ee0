"""A product with a cost in a currency without a rate: the row stays, its cost and price go, and the load says why."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from functions.transform.files import template
from functions.transform.merge import drain_script
from stockflow.contracts import load_contracts
from stockflow.settings import bundle_root
from tests.support.local_warehouse import LocalWarehouse

PRODUCTS = load_contracts(bundle_root() / "contracts")["products"]
LANDED = "TIMESTAMP '2026-09-20 12:00:00+00'"
Typed = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def warehouse() -> Iterator[LocalWarehouse]:
    """The functions that models call, and one rate of the dollar."""
    made = LocalWarehouse()
    made.put(
        "exchange_rates", [{"business_date": date(2026, 9, 18), "currency": "USD", "rate_to_base": Decimal("0.9")}]
    )
    with made.functions():
        yield made


def typing(rows: tuple[dict[str, str], ...]) -> str:
    """Return the SELECT by which a drain types and refuses rows, over these rows."""
    cells = [
        ", ".join(f"{_text(row.get(c.name))} AS {c.name}" for c in PRODUCTS.stated) + f", {n} AS _row, {n} AS _line"
        for n, row in enumerate(rows, start=2)
    ]
    written = " UNION ALL ".join(f"SELECT {cell}" for cell in cells)
    accepted = (
        f"SELECT *, 'load' AS _load_id, '.' AS _decimal, 'ymd' AS _date_order, 'UTC' AS _time_zone, 1 AS _generation, "
        f"{LANDED} AS _landed_at FROM ({written})"
    )
    found = re.search(r"CREATE TEMP TABLE typed AS\nWITH (.*?);\n", drain_script(PRODUCTS), re.DOTALL)
    assert found
    return f"WITH accepted AS ({accepted}), {found[1]}"


def _text(value: str | None) -> str:
    return "CAST(NULL AS STRING)" if value is None else f"'{value}'"


@pytest.fixture
def typed(warehouse: LocalWarehouse) -> Typed:
    """Return a function that types rows of products as a drain does."""
    return lambda *rows: sorted(warehouse.rows(typing(rows)), key=lambda r: r["_line"])


def test_a_cost_without_a_rate_goes_and_its_row_stays(typed: Typed) -> None:
    """The francs are kept as they are stated; dollars and euros are converted; nothing of them is refused."""
    francs, dollars, euros, blank = typed(
        {"sku": "A", "name": "Lamp", "unit_cost": "10", "unit_price": "20", "currency": "FRF"},
        {"sku": "B", "unit_cost": "10", "currency": "USD"},
        {"sku": "C", "unit_cost": "10"},
        {"sku": "D", "name": "No cost", "currency": "FRF"},
    )
    assert [row["_issue"] for row in (francs, dollars, euros, blank)] == [None] * 4
    assert (francs["name"], francs["unit_cost"], francs["unit_price"]) == ("Lamp", None, None)
    assert (francs["stated_unit_cost"], francs["stated_unit_price"], francs["stated_currency"]) == (10, 20, "FRF")
    assert francs["_unvalued"] == "unknown_exchange_rate|currency|FRF|a rate of at most 7 days before 2026-09-20"
    assert [(row["unit_cost"], row["_unvalued"]) for row in (dollars, euros, blank)] == [
        (9, None), (10, None), (None, None),
    ]  # fmt: skip


def test_what_cannot_be_read_is_still_refused(typed: Typed) -> None:
    """Beside a currency without a rate, too; and so is an amount that is too large once it is converted."""
    words, price, large = typed(
        {"sku": "A", "unit_cost": "ten", "currency": "FRF"},
        {"sku": "B", "unit_cost": "10", "unit_price": "12 monkeys", "currency": "FRF"},
        {"sku": "C", "unit_cost": "9" * 30, "currency": "FRF"},
    )
    assert [str(row["_issue"]).rpartition("|")[0] for row in (words, price, large)] == [
        "unreadable|unit_cost|ten", "unreadable|unit_price|12 monkeys", f"out_of_range|unit_cost|{'9' * 30}",
    ]  # fmt: skip


def test_the_load_says_how_many_and_in_which_currencies(warehouse: LocalWarehouse) -> None:
    """In its record: what `stockflow explain` and the receipt tell."""
    rows = (
        {"sku": "A", "unit_cost": "1"},
        {"sku": "B", "unit_cost": "2", "currency": "FRF"},
        {"sku": "C", "unit_price": "3", "currency": "DEM"},
        {"sku": "D", "unit_cost": "x", "currency": "DEM"},
    )
    table = template("unvalued.sql").strip().rstrip(",").replace("FROM typed", f"FROM ({typing(rows)}) AS typed")
    (said,) = warehouse.rows(f"WITH {table[table.index('unvalued AS') :]} SELECT load_id, said FROM unvalued")
    assert said["load_id"] == "load"
    assert json.loads("{" + said["said"].removeprefix(",") + "}") == {
        "unvalued": {"rows": 2, "first_line": 3, "currencies": "DEM, FRF", "reason": "unknown_exchange_rate"}
    }
