"""The sales: six weeks of tills, in five formats, one of them in a sorry state."""

from datetime import UTC, datetime

import pyarrow as pa

from scripts.sample_shop.carriers import (
    FRENCH,
    csv_bytes,
    jsonl_bytes,
    parquet_bytes,
)
from scripts.sample_shop.columns import SALES, SALES_FR
from scripts.sample_shop.dirt import SampleFile, quarantine, reject, remark, repeat
from scripts.sample_shop.shelves import Shop
from scripts.sample_shop.tables import during, table, week


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
        _sales_plain(shop, 41, "a clean week; the file ends with SKUs that the product file names since Monday"),
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
    file = table(f"sales/sales_2026-W{number}.csv", during(shop.sales, *week(number)), SALES, story)
    file.data = csv_bytes(file.header, file.lines)
    return file


def _sales_37(shop: Shop) -> SampleFile:
    rows = [{**row, "sold_at": _paris(row["sold_at"])} for row in during(shop.sales, *week(37))]
    file = table(
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
    columns = (*SALES, "shift")
    rows = [{**row, "shift": 1} for row in during(shop.sales, *week(38))]
    file = table(
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
    file.data = jsonl_bytes(columns, file.lines, ("quantity", "line_number", "shift"))
    return file


def _sales_39(shop: Shop) -> SampleFile:
    rows = during(shop.sales, *week(39))
    file = table("sales/sales_2026-W39.parquet", rows, SALES, "Parquet with typed columns")
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
    file = table(
        "sales/sales_2026-W40.csv",
        during(shop.sales, *week(40)),
        SALES,
        "a till was repaired with a hammer: most kinds of damage in one file",
    )
    one, two, three, four, five = (file.lines[place] for place in (12, 57, 131, 214, 306))
    file.write(one, "quantity", "1O", quarantine("quantity", "1O", "quantity_type", "the letter O in a number"))
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
    file = table(
        "sales/sales_2026-W40_corrected.csv",
        during(shop.sales, *week(40)),
        SALES,
        "the same week again, whole: every row of the first delivery is superseded",
    )
    file.data = csv_bytes(file.header, file.lines)
    return file
