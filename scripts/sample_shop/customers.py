"""What customers ordered to collect in a store: some of what they asked for, with what was put aside for them."""

from datetime import date, timedelta

from scripts.sample_shop.carriers import Row, csv_bytes
from scripts.sample_shop.columns import ASKED
from scripts.sample_shop.dirt import SampleFile, quarantine
from scripts.sample_shop.shelves import PRODUCT, Shop, chance
from scripts.sample_shop.tables import table

SINCE = date(2026, 10, 5)
EXPORTS = (date(2026, 10, 7), date(2026, 10, 10))
STORES = ("LYO", "NA")
DAYS_TO_SHIP = (0, 1, 1, 1, 2, 3)
LINES_OF_AN_ORDER = 3


def customer_order_files(shop: Shop) -> list[SampleFile]:
    """Two exports three days apart: new lines, and old lines that changed since the first."""
    orders = [line for store in STORES for line in _numbered(shop, store)]
    files, since = [], SINCE - timedelta(days=1)
    for day in EXPORTS:
        rows = [_at(line, day) for line in orders if line["business_date"] <= day]
        story = "orders to collect in a store, as known on that evening; each store counts from 1001"
        changed = [row for row in rows if row["changed"] > since]
        files.append(table(f"customer_orders/collect_{day:%Y-%m-%d}.csv", changed, ASKED, story))
        since = day
    _damage(files[1])
    for file in files:
        file.data = csv_bytes(file.header, file.lines)
    return files


def _numbered(shop: Shop, store: str) -> list[Row]:
    chosen = [row for row in shop.asked if row["location_code"] == store and _is_ordered(row)]
    return [
        {**row, "order_number": 1001 + n // LINES_OF_AN_ORDER, "line_number": n % LINES_OF_AN_ORDER + 1}
        for n, row in enumerate(chosen)
    ]


def _is_ordered(row: Row) -> bool:
    """Most shortages, and some of the rest."""
    often = 0.7 if row["sold"] < row["wanted"] else 0.25
    luck = chance("collect", row["business_date"], row["location_code"], row["sku"])
    return SINCE <= row["business_date"] <= EXPORTS[-1] and luck.random() < often


def _at(line: Row, day: date) -> Row:
    """Return a line as it is known on an evening."""
    luck = chance("shipment", line["location_code"], line["order_number"], line["line_number"])
    ordered, days = line["business_date"], luck.choice(DAYS_TO_SHIP)
    short = line["sold"] > 2 and luck.random() < 0.2  # the shelf held one less than the books
    served = line["sold"] - short
    left_on = ordered + timedelta(days=days)
    row = {
        **line,
        "ordered_quantity": line["wanted"],
        "unit": PRODUCT[line["sku"]].base_unit,
        "requested_date": ordered + timedelta(days=3) if luck.random() < 0.2 else None,
        "changed": ordered,
    }
    if left_on <= day:
        row |= {"changed": left_on, "shipped_quantity": served, "shipped_date": left_on if served else None}
    if left_on <= day and not served:
        row |= {"cancelled_quantity": line["wanted"], "cancel_reason": "out of stock"}
    return row | {"updated_at": f"{row['changed'].isoformat()}T20:00:00+02:00"}


def _damage(file: SampleFile) -> None:
    file.story += "; a customer takes a line back, two lines are wrong"
    open_line = next(line for line in file.lines if line.row and "shipped_quantity" not in line.row)
    back, other = [line for line in file.lines if line.row and line.row.get("shipped_quantity")][:2]
    assert back.row is not None
    wanted = str(back.row["ordered_quantity"])
    for column, text in {"shipped_quantity": "0", "shipped_date": "", "cancelled_quantity": wanted}.items():
        file.write(back, column, text)
    file.write(back, "cancel_reason", "customer")
    file.write(
        open_line,
        "ordered_quantity",
        "-1",
        quarantine("ordered_quantity", "-1", "ordered_quantity_range", "a return is a sale with a minus, not an order"),
    )
    file.write(
        other,
        "unit",
        "PAL",
        quarantine("unit", "PAL", "unknown_unit_factor", "pallets of unknown size", "transform"),
    )
