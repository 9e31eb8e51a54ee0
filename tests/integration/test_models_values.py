"""The models on cells as people write them: local times, statements from the future, extreme numbers, no value."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from functions.transform.merge import drain_script
from tests.integration import transform_world

pytestmark = pytest.mark.integration
LANDED = datetime(2026, 9, 20, 12, tzinfo=UTC)
SALE = {"receipt_number": "T1", "line_number": "1", "business_date": "2026-09-14", "sku": "A-1", "location_code": "LYO",
        "quantity": "2", "net_amount": "10.00"}  # fmt: skip
ORDER = {"order_number": "P1", "line_number": "1", "business_date": "2026-09-01", "supplier_code": "S1", "sku": "A-1",
         "location_code": "LYO", "ordered_quantity": "5"}  # fmt: skip
ASKED = {"order_number": "C1", "line_number": "1", "business_date": "2026-09-01", "sku": "A-1", "location_code": "LYO",
         "ordered_quantity": "5"}  # fmt: skip
Typed = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def typed(bigquery_emulator: str) -> Typed:
    """Return a function that types rows of a feed as a drain does, without the rest of the drain."""
    world = transform_world.new_world(bigquery_emulator)
    world.rows(
        "INSERT INTO inventory_curated.products (sku, base_unit, pack_unit, units_per_pack) VALUES "
        "('A-1', 'EA', 'CS', NUMERIC '6'), ('HUGE', 'EA', 'CS', NUMERIC '9000000000000000000000000000'); SELECT 1"
    )
    return lambda feed, *rows: world.rows(_script(world.services.contracts[feed], rows))


def _script(contract: Any, rows: tuple[dict[str, str], ...]) -> str:
    names = [c.name for c in contract.stated]
    cells = ",\n".join(
        "(" + ", ".join([str(n), *(_text(row.get(c)) for c in names)]) + ")" for n, row in enumerate(rows)
    )
    found = re.search(r"CREATE TEMP TABLE typed AS.*?;\n", drain_script(contract), re.DOTALL)
    assert found
    return f"""
        CREATE TEMP TABLE written (_row INT64, {", ".join(f"`{c}` STRING" for c in names)});
        INSERT INTO written VALUES {cells};
        CREATE TEMP TABLE accepted AS
        SELECT *, 'load' AS _load_id, 'run' AS _run_id, _row AS _line, '.' AS _decimal, 'dmy' AS _date_order,
          'Europe/Paris' AS _time_zone, 1 AS _generation, TIMESTAMP '{LANDED:%Y-%m-%d %H:%M:%S}+00' AS _landed_at,
          DATE '{LANDED:%Y-%m-%d}' AS _landed_on
        FROM written;
        {found[0]}
        SELECT * FROM typed ORDER BY _line"""


def _text(value: str | None) -> str:
    return "CAST(NULL AS STRING)" if value is None else f"'{value}'"


def test_times_are_local_to_the_feed(typed: Typed) -> None:
    """A local midnight in UTC is the day that begins; a moment without an offset is the clock of the place."""
    midnight, paris, offset = typed(
        "sales",
        SALE | {"business_date": "2026-09-14T22:00:00Z"},
        SALE | {"sold_at": "2026-09-14 10:00:00"},
        SALE | {"business_date": "2026-09-14 23:30:00 +0200", "sold_at": "14/09/2026 11:30:00 PM"},
    )
    assert midnight["business_date"] == date(2026, 9, 15)
    assert paris["sold_at"] == datetime(2026, 9, 14, 8, tzinfo=UTC)
    assert (offset["business_date"], offset["sold_at"]) == (
        date(2026, 9, 14),
        datetime(2026, 9, 14, 21, 30, tzinfo=UTC),
    )
    assert [row["_issue"] for row in (midnight, paris, offset)] == [None, None, None]


@pytest.mark.parametrize(
    ("feed", "row", "column"),
    [
        ("purchase_orders", ORDER, "updated_at"),
        ("customer_orders", ASKED, "updated_at"),
        ("products", {"sku": "A-1", "name": "x"}, "updated_at"),
        ("locations", {"location_code": "L1", "name": "x"}, "updated_at"),
        ("suppliers", {"supplier_code": "S1", "name": "x"}, "updated_at"),
        ("stock_counts", {"business_date": "2026-09-14", "sku": "A-1", "location_code": "L1", "counted_quantity": "3"},
         "counted_at"),
    ],
)  # fmt: skip
def test_a_statement_counts_no_later_than_it_landed(typed: Typed, feed: str, row: dict[str, str], column: str) -> None:
    """A clock that is ahead, a past statement, and one without a time."""
    ahead, past, blank = typed(feed, row | {column: "2062-11-10 09:00"}, row | {column: "2026-09-10 09:00"}, row)
    assert [r["_business_time"] for r in (ahead, past, blank)] == [LANDED, datetime(2026, 9, 10, 7, tzinfo=UTC), LANDED]


def test_no_value_in_words_and_no_date_are_empty(typed: Typed) -> None:
    """An open line of an order stays an open line."""
    (row,) = typed(
        "purchase_orders",
        ORDER | {"received_date": "01/01/1753", "promised_date": "9999-12-31", "received_quantity": "NULL",
                 "unit": "N/A", "currency": "NULL", "status": "-", "unit_cost": "\\\\N", "updated_at": "1900-01-01"},
    )  # fmt: skip
    assert row["_issue"] is None
    assert (row["received_date"], row["promised_date"], row["received_quantity"], row["unit_cost"]) == (None,) * 4
    assert (row["status"], row["unit"], row["stated_currency"]) == ("open", "EA", "EUR")


@pytest.mark.parametrize(
    ("change", "issue"),
    [
        ({"quantity": "9" * 29, "unit": "CS"}, "out_of_range|quantity"),
        ({"quantity": "12000", "unit": "CS", "sku": "HUGE"}, "out_of_range|quantity"),
        ({"quantity": "1" + "0" * 40}, "out_of_range|quantity"),
        ({"net_amount": "1e99"}, "out_of_range|net_amount"),
        ({"net_amount": "9" * 60 + "e-40"}, "out_of_range|net_amount"),
        ({"net_amount": "9" * 29 + ".9999999999"}, "out_of_range|net_amount"),
        ({"net_amount": "#N/A"}, "unreadable|net_amount"),
        ({"net_amount": "£ 12"}, "unreadable|net_amount"),
    ],
)
def test_an_extreme_number_refuses_its_row_and_not_the_load(typed: Typed, change: dict[str, str], issue: str) -> None:
    """Beside it, a good row is typed."""
    bad, good = typed("sales", SALE | change, SALE | {"unit": "CS", "net_amount": "12.50 €"})
    assert str(bad["_issue"]).startswith(issue)
    assert (good["_issue"], good["quantity"], good["net_amount"]) == (None, Decimal(12), Decimal("12.5"))


def test_large_numbers_stay_exact(typed: Typed) -> None:
    """Eighteen digits and a half."""
    number = "123456789012345678.5"
    (row,) = typed("sales", SALE | {"net_amount": number, "quantity": f"-{number}"})
    assert (row["_issue"], row["net_amount"], row["quantity"]) == (None, Decimal(number), -Decimal(number))
