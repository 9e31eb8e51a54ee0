"""The files of the facts: stock, movements, sales, orders, counts. Some arrive in a sorry state."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa

from scripts.sample_shop.carriers import (
    FRENCH,
    PLAIN,
    Dialect,
    Row,
    csv_bytes,
    gzipped,
    jsonl_bytes,
    lines_of,
    parquet_bytes,
    xlsx_bytes,
)
from scripts.sample_shop.dirt import SampleFile, quarantine, reject, remark, repeat, warn
from scripts.sample_shop.simulate import Shop

NBSP = "\u00a0"
STOCK = (
    "business_date",
    "sku",
    "location_code",
    "on_hand",
    "available",
    "committed",
    "incoming",
    "unit",
    "unit_cost",
    "currency",
)
STOCK_FR = (
    "Date de stock",
    "Référence",
    "Code magasin",
    "Quantité en stock",
    "Qté disponible",
    "Qté réservée",
    "Qté en commande",
    "Unité",
    "Coût unitaire",
    "Devise",
)
STOCK_SAP = ("Stock date", "MATNR", "WERKS", "LABST", "MEINS", "STPRS", "WAERS")
STOCK_SAP_COLUMNS = ("business_date", "sku", "location_code", "on_hand", "unit", "unit_cost", "currency")
SALES = (
    "receipt_number",
    "line_number",
    "business_date",
    "sold_at",
    "sku",
    "location_code",
    "quantity",
    "unit",
    "net_amount",
    "gross_amount",
    "currency",
)
SALES_FR = (
    "N° ticket",
    "Ligne",
    "Date de vente",
    "Heure de vente",
    "Référence",
    "Code magasin",
    "Quantité",
    "Unité",
    "Montant HT",
    "Montant TTC",
    "Devise",
)
MOVEMENTS = (
    "document",
    "line_number",
    "business_date",
    "entry_date",
    "movement_type",
    "sku",
    "location_code",
    "counterpart_location",
    "quantity",
    "unit",
    "unit_cost",
    "currency",
    "reason",
)
COUNTS = (
    "business_date",
    "sku",
    "location_code",
    "counted_at",
    "counted_quantity",
    "book_quantity",
    "unit",
    "counted_by",
)
ORDERS = (
    "order_number",
    "line_number",
    "business_date",
    "supplier_code",
    "sku",
    "location_code",
    "ordered_quantity",
    "unit",
    "unit_cost",
    "currency",
    "promised_date",
    "received_date",
    "received_quantity",
    "status",
    "updated_at",
)


def week(number: int) -> tuple[date, date]:
    """Return the Monday and the Sunday of an ISO week of 2026."""
    monday = date.fromisocalendar(2026, number, 1)
    return monday, monday + timedelta(days=6)


def during(rows: Sequence[Row], first: date, last: date, by: str = "business_date") -> list[Row]:
    """Return the rows dated from ``first`` to ``last``."""
    return [row for row in rows if first <= row[by] <= last]


def _file(  # noqa: PLR0913, PLR0917
    path: str,
    rows: Sequence[Row],
    columns: Sequence[str],
    story: str,
    header: Sequence[str] | None = None,
    dialect: Dialect = PLAIN,
) -> SampleFile:
    return SampleFile(path, header or columns, columns, lines_of(rows, columns, dialect), story=story)


# ---- stock ----------------------------------------------------------------------------------------


def stock_files(shop: Shop) -> list[SampleFile]:
    """Six weeks of daily balances, from four systems."""
    return [
        _stock_36(shop),
        _stock_37(shop),
        _stock_38(shop),
        _stock_39(shop),
        *_stock_40(shop),
        _stock_41(shop),
        _stock_without_sku(shop),
    ]


def _stock_36(shop: Shop) -> SampleFile:
    file = _file(
        "stock_snapshots/stock_2026-W36.csv",
        during(shop.snapshots, *week(36)),
        STOCK,
        "a clean week, but for spelling: a code in small letters and blanks around a SKU",
    )
    file.write(
        file.find(sku="GT-1010", location_code="LYO"),
        "location_code",
        " lyo ",
        remark("codes are trimmed and written in capitals: this is LYO"),
    )
    file.write(
        file.find(sku="KI-5010", location_code="NA"),
        "location_code",
        "NA",
        remark("NA is Nantes, not a missing value"),
    )
    file.write(
        file.find(sku="0503E000", location_code="LYO"),
        "sku",
        '="0503E000"',
        remark("a spreadsheet's shield around a SKU is taken off; the SKU is not 503"),
    )
    file.data = csv_bytes(file.header, file.lines)
    return file


def _stock_37(shop: Shop) -> SampleFile:
    """SAP list: UTF-16, tabs, German dates, trailing minus, points between thousands."""
    rows = during(shop.snapshots, *week(37))
    dialect = Dialect("\t", "utf-16", ",", "%d.%m.%Y", "\r\n")
    file = _file(
        "stock_snapshots/sap_labst_2026-W37.txt",
        rows,
        STOCK_SAP_COLUMNS,
        "an SAP list: UTF-16, tabs, dd.mm.yyyy, 1.980 for 1980, minus behind the number",
        STOCK_SAP,
        dialect,
    )
    for line in file.lines:
        assert line.row is not None
        line.cells[3] = _sap_quantity(line.row["on_hand"])
        if line.row["on_hand"] < 0:
            line.outcomes.append(
                warn(
                    "on_hand",
                    line.cells[3],
                    "on_hand_negative",
                    "minus three pieces: sold before the delivery was booked; kept",
                )
            )
    file.write(
        file.find(sku="GT-1050", location_code="DC1"),
        "sku",
        "GT-1050",
        remark("a point between thousands, because the file's decimal mark is a comma"),
    )
    file.data = csv_bytes(file.header, file.lines, dialect)
    return file


def _sap_quantity(quantity: int) -> str:
    grouped = f"{abs(quantity):,}".replace(",", ".")
    return grouped + ("-" if quantity < 0 else "")


def _stock_38(shop: Shop) -> SampleFile:
    file = _file(
        "stock_snapshots/stock_2026-W38.xlsx",
        during(shop.snapshots, *week(38)),
        STOCK,
        "a workbook: dates are serial numbers, SKUs are text cells",
    )
    last = file.lines[-1]
    total = sum(row["on_hand"] for row in during(shop.snapshots, *week(38)))
    file.lines.append(
        type(last)(
            ["", "", "TOTAL", str(total), "", "", "", "", "", ""],
            outcomes=[
                quarantine(
                    "location_code", "TOTAL", "location_code_not_total", "a totals row under the table"
                )
            ],
        )
    )
    kinds = {
        "business_date": "date",
        "on_hand": "number",
        "available": "number",
        "committed": "number",
        "incoming": "number",
        "unit_cost": "number",
    }
    file.data = xlsx_bytes(file.header, file.lines, kinds)
    return file


def _stock_39(shop: Shop) -> SampleFile:
    file = _file(
        "stock_snapshots/stocks_2026-S39.csv",
        during(shop.snapshots, *week(39)),
        STOCK,
        "a French export: semicolons, decimal comma, cp1252, dd/mm/yyyy; and a bad day",
        STOCK_FR,
        FRENCH,
    )
    for line in file.lines:
        assert line.row is not None
        if line.row["on_hand"] >= 1000:
            line.cells[3] = line.cells[4] = f"{line.row['on_hand']:,}".replace(",", NBSP)
    file.find(sku="GT-1050", location_code="DC1").outcomes.append(
        remark("a no-break space between thousands is part of the number")
    )
    file.write(
        file.find(sku="PP-2010", location_code="LYO"),
        "business_date",
        "31/02/2026",
        quarantine("business_date", "31/02/2026", "business_date_type", "no such day"),
    )
    file.write(
        file.find(sku="PP-2020", location_code="NA"),
        "on_hand",
        "12O",
        quarantine("on_hand", "12O", "on_hand_type", "the letter O in a number"),
    )
    file.write(
        file.find(sku="SB-3010", location_code="GVA"),
        "sku",
        "",
        quarantine("sku", "", "sku_required", "no SKU: nobody knows what was counted"),
    )
    file.write(
        file.find(sku="KI-5020", location_code="LYO"),
        "unit",
        "PAL",
        quarantine(
            "unit", "PAL", "unknown_unit_factor", "pallets of unknown size are not pieces", "transform"
        ),
    )
    file.insert(
        file.find(sku="OF-4010", location_code="LYO"),
        "21/09/2026;OF-4020;LYO;3;3;0",
        reject("wrong_width", "6 cells where the header has 10"),
    )
    file.insert(
        file.find(sku="HT-6010", location_code="LYO"),
        "Total général;;;;;;;;;",
        quarantine("business_date", "Total général", "business_date_type", "a totals row in the middle"),
    )
    file.data = csv_bytes(file.header, file.lines, FRENCH)
    return file


def _stock_40(shop: Shop) -> list[SampleFile]:
    monday, sunday = week(40)
    day = _file(
        f"stock_snapshots/stock_on_hand_{monday:%Y%m%d}.csv",
        during(shop.snapshots, monday, monday),
        STOCK[1:],
        "one day; the date is only in the file's name",
    )
    day.data = csv_bytes(day.header, day.lines)
    rest = _file(
        "stock_snapshots/stock_2026-W40.csv",
        during(shop.snapshots, monday + timedelta(days=1), sunday),
        STOCK,
        "the rest of that week, Tuesday to Sunday",
    )
    rest.data = csv_bytes(rest.header, rest.lines)
    return [day, rest]


def _stock_41(shop: Shop) -> SampleFile:
    file = _file(
        "stock_snapshots/stock_2026-W41.csv.gz",
        during(shop.snapshots, *week(41)),
        STOCK,
        "gzip; two rows of one key, the last one wins",
    )
    first = file.find(sku="OF-4060", location_code="DC1", business_date=date(2026, 10, 9))
    assert first.row is not None
    repeat(file, first)
    wrong = first.row["on_hand"] + 40
    first.cells[3] = first.cells[4] = str(wrong)
    file.data = gzipped(file.header, file.lines)
    return file


def _stock_without_sku(shop: Shop) -> SampleFile:
    columns = tuple(c for c in STOCK if c != "sku")
    file = _file(
        "stock_snapshots/stock_summary_2026-W36.csv",
        during(shop.snapshots, *week(36))[:12],
        columns,
        "somebody's summary without the SKU column",
    )
    file.data = csv_bytes(file.header, file.lines)
    file.end_state, file.reason = "rejected", "key_columns_present"
    return file


# ---- movements -------------------------------------------------------------------------------------


def movement_files(shop: Shop) -> list[SampleFile]:
    """The lots on the shelves before the first day, then every movement by week of entry."""
    files = [
        _file(
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
    file = _file(
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


# ---- sales -----------------------------------------------------------------------------------------


def sales_files(shop: Shop) -> list[SampleFile]:
    """Six weeks of tills, in five formats; one file is delivered again, corrected; one comes twice."""
    first = _sales_plain(shop, 36, "a clean week")
    copy = SampleFile(
        "sales/sales_2026-W36 (1).csv",
        data=first.data,
        end_state="duplicate_content",
        reason="duplicate_content",
        story="the same bytes under another name",
    )
    return [
        first,
        copy,
        _sales_37(shop),
        _sales_38(shop),
        _sales_39(shop),
        _sales_40(shop),
        _sales_40_again(shop),
        _sales_plain(
            shop, 41, "a clean week; the file ends with SKUs that the product file names since Monday"
        ),
        SampleFile(
            "sales/sales_2026-W42.csv",
            end_state="rejected",
            reason="empty_file",
            story="an export that wrote nothing",
        ),
        SampleFile(
            "sales/_SUCCESS",
            end_state="ignored",
            reason="marker",
            story="a marker that a batch job leaves behind",
        ),
    ]


def _sales_plain(shop: Shop, number: int, story: str) -> SampleFile:
    file = _file(f"sales/sales_2026-W{number}.csv", during(shop.sales, *week(number)), SALES, story)
    file.data = csv_bytes(file.header, file.lines)
    return file


def _sales_37(shop: Shop) -> SampleFile:
    rows = [{**row, "sold_at": _paris(row["sold_at"])} for row in during(shop.sales, *week(37))]
    file = _file(
        "sales/ventes_2026-S37.csv",
        rows,
        SALES,
        "the tills' French export: semicolons, decimal comma, cp1252, dd/mm/yyyy",
        SALES_FR,
        FRENCH,
    )
    file.data = csv_bytes(file.header, file.lines, FRENCH)
    return file


def _paris(moment: str) -> str:
    return datetime.fromisoformat(moment).strftime("%d/%m/%Y %H:%M")


def _sales_38(shop: Shop) -> SampleFile:
    columns = (*SALES, "till")
    rows = [{**row, "till": 1} for row in during(shop.sales, *week(38))]
    file = _file(
        "sales/sales_2026-W38.jsonl",
        rows,
        columns,
        "JSON Lines: numbers as numbers and as text; a field that no contract knows is kept aside",
    )
    after = file.find(location_code="GVA")
    file.insert(
        after,
        '{"receipt_number": "GVA-20260914-1", "line_number": 99, "sku": ',
        reject("bad_json", "the line stops in the middle"),
    )
    file.data = jsonl_bytes(columns, file.lines, ("quantity", "line_number", "till"))
    return file


def _sales_39(shop: Shop) -> SampleFile:
    rows = during(shop.sales, *week(39))
    file = _file("sales/sales_2026-W39.parquet", rows, SALES, "Parquet with typed columns")
    money = pa.decimal128(12, 2)
    schema = pa.schema(
        [
            ("receipt_number", pa.string()),
            ("line_number", pa.int32()),
            ("business_date", pa.date32()),
            ("sold_at", pa.timestamp("us", tz="UTC")),
            ("sku", pa.string()),
            ("location_code", pa.string()),
            ("quantity", pa.int64()),
            ("unit", pa.string()),
            ("net_amount", money),
            ("gross_amount", money),
            ("currency", pa.string()),
        ]
    )
    file.data = parquet_bytes(
        [{**r, "sold_at": datetime.fromisoformat(r["sold_at"]).astimezone(UTC)} for r in rows], schema
    )
    return file


def _sales_40(shop: Shop) -> SampleFile:
    file = _file(
        "sales/sales_2026-W40.csv",
        during(shop.sales, *week(40)),
        SALES,
        "a till was repaired with a hammer: most kinds of damage in one file",
    )
    one, two, three, four, five = (file.lines[place] for place in (12, 57, 131, 214, 306))
    file.write(
        one, "quantity", "1O", quarantine("quantity", "1O", "quantity_type", "the letter O in a number")
    )
    file.write(
        two,
        "business_date",
        "2026-02-31",
        quarantine("business_date", "2026-02-31", "business_date_type", "no such day"),
    )
    file.write(three, "sku", "", quarantine("sku", "", "sku_required", "no SKU"))
    file.write(
        four,
        "currency",
        "FRF",
        quarantine("currency", "FRF", "unknown_exchange_rate", "no rate for francs since 2002", "transform"),
    )
    file.write(
        five,
        "unit",
        "PAL",
        quarantine("unit", "PAL", "unknown_unit_factor", "pallets of unknown size", "transform"),
    )
    apostrophe = file.find(location_code="NA", sku="00417")
    file.write(
        apostrophe,
        "sku",
        "'00417",
        remark("a leading apostrophe is a spreadsheet's mark for text; zeros stay"),
    )
    doubled = file.find(location_code="NA")
    repeat(file, doubled)
    after = file.find(location_code="GVA")
    file.insert(
        after,
        "GVA-20260928-1,97,2026-09-28,2026-09-28T19:59:00+02:00,GT-1010,GVA,1,EA",
        reject("wrong_width", "8 cells where the header has 11"),
    )
    file.insert(
        after,
        'GVA-20260928-1,98,2026-09-28,2026-09-28T19:59:00+02:00,"GT-1020,GVA,1,EA,16.70,18.05,CHF',
        reject("unclosed_quote", "a quote is opened and never closed; the lines after it are whole"),
    )
    file.lines.append(
        type(after)(
            [],
            raw="TOTAL,,,,,,999,,12345.67,14814.80,EUR",
            outcomes=[quarantine("line_number", "", "line_number_required", "a totals row")],
        )
    )
    file.data = csv_bytes(file.header, file.lines)
    return file


def _sales_40_again(shop: Shop) -> SampleFile:
    file = _file(
        "sales/sales_2026-W40_corrected.csv",
        during(shop.sales, *week(40)),
        SALES,
        "the same week again, whole: every row of the first delivery is superseded",
    )
    file.data = csv_bytes(file.header, file.lines)
    return file


# ---- purchase orders --------------------------------------------------------------------------------

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
            _file(
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


# ---- counts -----------------------------------------------------------------------------------------


def count_files(shop: Shop) -> list[SampleFile]:
    """Three evenings of counting."""
    books, sheets = (
        [],
        {day: during(shop.counts, day, day) for day in sorted({c["business_date"] for c in shop.counts})},
    )
    for number, (day, rows) in enumerate(sheets.items()):
        suffix = "xlsx" if number == 0 else "csv"
        books.append(
            _file(f"stock_counts/count_{day:%Y-%m-%d}.{suffix}", rows, COUNTS, "an evening of counting")
        )
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
