"""What a line of a customer's order says: quantities in base units, and what its status says where they are blank."""

import re
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from functions.transform.merge import drain_script
from stockflow.contracts import load_contracts
from stockflow.settings import bundle_root
from tests.support.local_warehouse import LocalWarehouse

ORDERS = load_contracts(bundle_root() / "contracts")["customer_orders"]
LANDED = "TIMESTAMP '2026-09-20 12:00:00+00'"
LINE = {"order_number": "c1", "line_number": "1", "business_date": "2026-09-01", "sku": "A-1", "location_code": "LYO",
        "ordered_quantity": "5"}  # fmt: skip
Typed = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def warehouse() -> Iterator[LocalWarehouse]:
    """The functions that models call, and a product that comes in cases of six."""
    made = LocalWarehouse()
    made.put("products", [{"sku": "A-1", "base_unit": "EA", "pack_unit": "CS", "units_per_pack": Decimal(6)}])
    with made.functions():
        yield made


@pytest.fixture
def typed(warehouse: LocalWarehouse) -> Typed:
    """Return a function that types rows of the feed as a drain does."""
    return lambda *rows: sorted(warehouse.rows(_typing(rows)), key=lambda r: r["_line"])


def _typing(rows: tuple[dict[str, str], ...]) -> str:
    cells = [
        ", ".join(f"{_text(row.get(c.name))} AS {c.name}" for c in ORDERS.stated) + f", {n} AS _row, {n} AS _line"
        for n, row in enumerate(rows, start=2)
    ]
    written = " UNION ALL ".join(f"SELECT {cell}" for cell in cells)
    accepted = (
        f"SELECT *, 'load' AS _load_id, '.' AS _decimal, 'dmy' AS _date_order, 'UTC' AS _time_zone, 1 AS _generation, "
        f"{LANDED} AS _landed_at FROM ({written})"
    )
    found = re.search(r"CREATE TEMP TABLE typed AS\nWITH (.*?);\n", drain_script(ORDERS), re.DOTALL)
    assert found
    return f"WITH accepted AS ({accepted}), {found[1]}"


def _text(value: str | None) -> str:
    return "CAST(NULL AS STRING)" if value is None else f"'{value}'"


@pytest.mark.parametrize(
    ("stated", "shipped", "cancelled", "status"),
    [
        ({}, None, None, "open"),
        ({"status": "unfulfilled"}, None, None, "open"),
        ({"status": "Expédiée"}, 5, None, "shipped"),
        ({"status": "fulfilled", "cancelled_quantity": "2"}, 3, 2, "shipped"),
        ({"status": "partially shipped"}, None, None, "partial"),
        ({"status": "cancelled"}, 0, 5, "cancelled"),
        ({"status": "annulée", "shipped_quantity": "2"}, 2, 3, "cancelled"),
        ({"cancelled_quantity": "5"}, 0, 5, "cancelled"),
        ({"shipped_quantity": "5"}, 5, None, "shipped"),
        ({"shipped_quantity": "2"}, 2, None, "partial"),
        ({"shipped_quantity": "0"}, 0, None, "open"),
        ({"shipped_quantity": "3", "cancelled_quantity": "2"}, 3, 2, "shipped"),
        ({"ordered_quantity": "0", "shipped_quantity": "0"}, 0, None, "open"),
    ],
)
def test_a_blank_quantity_is_not_known_unless_the_status_says_it(
    typed: Typed, stated: dict[str, str], shipped: int | None, cancelled: int | None, status: str
) -> None:
    (row,) = typed(LINE | stated)
    assert (row["shipped_quantity"], row["cancelled_quantity"], row["status"]) == (shipped, cancelled, status)
    assert row["_issue"] is None


def test_quantities_are_in_base_units(typed: Typed) -> None:
    """Three cases of six; of a pallet nobody knows how many it holds."""
    quantities = {"ordered_quantity": "3", "shipped_quantity": "1", "shipped_on_time_quantity": "1",
                  "cancelled_quantity": "2"}  # fmt: skip
    cases, pallets = typed(LINE | quantities | {"unit": "CS"}, LINE | {"unit": "PAL"})
    assert [cases[name] for name in quantities] == [18, 6, 6, 12]
    assert (cases["unit"], cases["stated_unit"]) == ("EA", "CS")
    assert str(pallets["_issue"]).startswith("unknown_unit_factor|unit|PAL")


def test_a_reason_is_want_of_stock_the_customer_or_another_one(typed: Typed) -> None:
    reasons = {
        "Rupture de stock": "no_stock",
        "inventory": "no_stock",
        "Customer": "customer",
        "fraud": "other",
        "-": None,
    }
    rows = typed(*(LINE | {"cancel_reason": text} for text in reasons))
    assert [row["cancel_reason"] for row in rows] == list(reasons.values())


def test_who_numbered_the_order_is_blank_where_the_file_does_not_say(typed: Typed) -> None:
    """A key has no NULL: two of them would be two lines."""
    without, web = typed(LINE, LINE | {"channel": " web "})
    assert (without["channel"], web["channel"], web["order_number"]) == ("", "WEB", "C1")


def test_days_are_those_of_the_place(typed: Typed) -> None:
    (row,) = typed(LINE | {"requested_date": "05/09/2026", "shipped_date": "2026-09-03T23:30:00+02:00"})
    assert (row["requested_date"], row["shipped_date"]) == (date(2026, 9, 5), date(2026, 9, 3))
