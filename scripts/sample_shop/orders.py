"""The purchase orders and the counts."""

from datetime import date

from scripts.sample_shop.carriers import (
    Row,
    csv_bytes,
    xlsx_bytes,
)
from scripts.sample_shop.columns import COUNTS, ORDERS
from scripts.sample_shop.dirt import SampleFile, quarantine, remark, repeat
from scripts.sample_shop.shelves import Shop
from scripts.sample_shop.tables import during, table

EXPORTS = (date(2026, 9, 13), date(2026, 9, 27), date(2026, 10, 11))


def order_files(shop: Shop) -> list[SampleFile]:
    """Three exports a fortnight apart: new lines, and old lines that changed since."""
    files, since = [], date(2026, 6, 29)
    for day in EXPORTS:
        rows = [
            _order_at(o, day)
            for o in shop.orders
            if o["business_date"] >= date(2026, 6, 29) and o["business_date"] <= day
        ]
        rows = [row for row in rows if row["changed"] > since or row["business_date"] > since]
        files.append(
            table(
                f"purchase_orders/orders_{day:%Y-%m-%d}.csv",
                rows,
                ORDERS,
                "orders as known on that evening; the later export restates what changed",
            )
        )
        since = day
    _damage_orders(files[1])
    for file in files:
        file.data = csv_bytes(file.header, file.lines)
    wrong = SampleFile(
        "purchase_orders/customers.csv",
        data=b"customer_id,first_name,last_name,newsletter\n",
        end_state="rejected",
        reason="key_columns_present",
        story="a header of something else, and nothing under it",
    )
    return [*files, wrong]


def _order_at(order: Row, day: date) -> Row:
    arrived = [(when, units) for when, units in order["arrivals"] if when <= day]
    received = sum(units for _, units in arrived)
    changed = max([order["business_date"], *(when for when, _ in arrived)])
    status = "open" if not received else "received" if received == order["units"] else "partial"
    return {
        **{
            k: order[k]
            for k in (
                "order_number",
                "line_number",
                "business_date",
                "supplier_code",
                "sku",
                "location_code",
                "unit",
                "unit_cost",
                "currency",
                "promised_date",
            )
        },
        "ordered_quantity": order["units"] // order["pack"],
        "received_quantity": received // order["pack"],
        "received_date": arrived[-1][0] if arrived else None,
        "status": status,
        "changed": changed,
        "updated_at": f"{changed.isoformat()}T18:00:00+02:00",
    }


def _damage_orders(file: SampleFile) -> None:
    file.story += "; two lines are wrong"
    one = file.find(supplier_code="S100", status="open")
    file.write(
        one,
        "ordered_quantity",
        "-" + one.cells[6],
        quarantine(
            "ordered_quantity",
            "-" + one.cells[6],
            "ordered_quantity_range",
            "nobody orders less than nothing",
        ),
    )
    two = file.find(supplier_code="S200", status="received")
    file.write(
        two,
        "unit",
        "PAL",
        quarantine("unit", "PAL", "unknown_unit_factor", "pallets of unknown size", "transform"),
    )


def count_files(shop: Shop) -> list[SampleFile]:
    """Three evenings of counting."""
    books, sheets = (
        [],
        {day: during(shop.counts, day, day) for day in sorted({c["business_date"] for c in shop.counts})},
    )
    for number, (day, rows) in enumerate(sheets.items()):
        suffix = "xlsx" if number == 0 else "csv"
        books.append(table(f"stock_counts/count_{day:%Y-%m-%d}.{suffix}", rows, COUNTS, "an evening of counting"))
    _damage_counts(books[2])
    kinds = {
        "business_date": "date",
        "counted_at": "time",
        "counted_quantity": "number",
        "book_quantity": "number",
    }
    books[0].data = xlsx_bytes(books[0].header, books[0].lines, kinds)
    for book in books[1:]:
        book.data = csv_bytes(book.header, book.lines)
    return books


def _damage_counts(file: SampleFile) -> None:
    file.story = "an evening of counting: one shelf left blank, one impossible, one counted again"
    file.write(
        file.find(),
        "counted_quantity",
        "",
        quarantine("counted_quantity", "", "counted_quantity_required", "blank is not zero"),
    )
    file.write(
        file.find(),
        "counted_quantity",
        "-2",
        quarantine("counted_quantity", "-2", "counted_quantity_range", "nobody counts less than nothing"),
    )
    first = file.find()
    again = repeat(file, first, counted_at=f"{file.lines[0].cells[0]} 21:40:00")
    assert again.row is not None
    first.cells[4] = str(int(first.cells[4]) + 5)
    first.outcomes.append(remark("counted again at 21:40: the later count wins"))
