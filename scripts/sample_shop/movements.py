"""The stock movements: the lots of the eve, then every movement by week of entry."""

from datetime import date

from scripts.sample_shop.carriers import (
    gzipped,
)
from scripts.sample_shop.columns import MOVEMENTS
from scripts.sample_shop.dirt import SampleFile, quarantine, reject
from scripts.sample_shop.shelves import Shop
from scripts.sample_shop.tables import during, table, week


def movement_files(shop: Shop) -> list[SampleFile]:
    """The lots on the shelves before the first day, then every movement by week of entry."""
    files = [
        table(
            "stock_movements/movements_2026-08-30_opening.csv.gz",
            shop.opening,
            MOVEMENTS,
            "what lay on the shelves on the eve, lot by lot, with the day each lot was received",
        )
    ]
    _enter_late(shop)
    files += [_movements_of(shop, number) for number in range(36, 42)]
    for file in files:
        file.data = gzipped(file.header, file.lines)
    return files


def _enter_late(shop: Shop) -> None:
    """One delivery was booked three weeks after it came: it is in a later file."""
    late = next(
        row["document"]
        for row in shop.movements
        if row["document"].startswith("GR-2609") and row["business_date"] >= date(2026, 9, 15)
    )
    for row in shop.movements:
        if row["document"] == late:
            row["entry_date"] = date(2026, 10, 6)


def _movements_of(shop: Shop, number: int) -> SampleFile:
    rows = during(shop.movements, *week(number), by="entry_date")
    file = table(
        f"stock_movements/movements_2026-W{number}.csv.gz",
        rows,
        MOVEMENTS,
        "every movement that was entered in this week",
    )
    if number == 39:
        _damage_movements(file)
    if number == 41:
        file.story += "; among them a delivery of September that was booked only now"
    return file


def _damage_movements(file: SampleFile) -> None:
    file.story += "; three lines are broken"
    issue = file.find(movement_type="issue", location_code="LYO")
    file.write(
        issue,
        "movement_type",
        "TELEPORT",
        quarantine("movement_type", "TELEPORT", "movement_type_known", "no such kind of movement"),
    )
    number = file.find(movement_type="issue", location_code="NA")
    file.write(
        number,
        "line_number",
        "1.5",
        quarantine("line_number", "1.5", "line_number_type", "line numbers are whole numbers"),
    )
    file.insert(
        file.find(movement_type="issue", location_code="GVA"),
        'Z-GVA-260922,999,2026-09-22,2026-09-22,issue,"GT-1010,GVA,,-1,EA,19.50,EUR,sale',
        reject("unclosed_quote", "a quote is opened and never closed; the lines after it are whole"),
    )
