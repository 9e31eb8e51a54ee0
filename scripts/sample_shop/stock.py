"""The stock snapshots: six weeks of daily balances, from four systems."""

from datetime import date, timedelta

from scripts.sample_shop.carriers import (
    FRENCH,
    Dialect,
    csv_bytes,
    gzipped,
    xlsx_bytes,
)
from scripts.sample_shop.columns import STOCK, STOCK_FR, STOCK_SAP, STOCK_SAP_COLUMNS
from scripts.sample_shop.dirt import SampleFile, quarantine, reject, remark, repeat, warn
from scripts.sample_shop.shelves import Shop
from scripts.sample_shop.tables import during, table, week

NBSP = "\u00a0"


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
    file = table(
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
    file = table(
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
    file = table(
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
            outcomes=[quarantine("location_code", "TOTAL", "location_code_not_total", "a totals row under the table")],
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
    file = table(
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
        quarantine("unit", "PAL", "unknown_unit_factor", "pallets of unknown size are not pieces", "transform"),
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
    day = table(
        f"stock_snapshots/stock_on_hand_{monday:%Y%m%d}.csv",
        during(shop.snapshots, monday, monday),
        STOCK[1:],
        "one day; the date is only in the file's name",
    )
    day.data = csv_bytes(day.header, day.lines)
    rest = table(
        "stock_snapshots/stock_2026-W40.csv",
        during(shop.snapshots, monday + timedelta(days=1), sunday),
        STOCK,
        "the rest of that week, Tuesday to Sunday",
    )
    rest.data = csv_bytes(rest.header, rest.lines)
    return [day, rest]


def _stock_41(shop: Shop) -> SampleFile:
    file = table(
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
    file = table(
        "stock_snapshots/stock_summary_2026-W36.csv",
        during(shop.snapshots, *week(36))[:12],
        columns,
        "somebody's summary without the SKU column",
    )
    file.data = csv_bytes(file.header, file.lines)
    file.end_state, file.reason = "rejected", "key_columns_present"
    return file
