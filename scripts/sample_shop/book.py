"""The account of the samples: what must become of each file and each line."""

from collections.abc import Iterator, Sequence
from typing import Any

from scripts.sample_shop.carriers import Line
from scripts.sample_shop.customers import customer_order_files
from scripts.sample_shop.dirt import SampleFile
from scripts.sample_shop.masters import location_files, product_files, rate_files, supplier_files
from scripts.sample_shop.movements import movement_files
from scripts.sample_shop.orders import count_files, order_files
from scripts.sample_shop.sales import sales_files
from scripts.sample_shop.simulate import run
from scripts.sample_shop.stock import stock_files

KEYS = {
    "products": ("sku",),
    "locations": ("location_code",),
    "suppliers": ("supplier_code",),
    "exchange_rates": ("business_date", "currency"),
    "stock_snapshots": ("business_date", "sku", "location_code"),
    "stock_movements": ("document", "document_year", "location_code", "line_number"),
    "sales": ("location_code", "business_date", "till_number", "receipt_number", "line_number"),
    "purchase_orders": ("supplier_code", "order_number", "line_number"),
    "stock_counts": ("business_date", "sku", "location_code"),
    "customer_orders": ("location_code", "business_date", "order_number", "line_number"),
}
NEWER_BY = {
    "products": "updated_at",
    "locations": "updated_at",
    "suppliers": "updated_at",
    "purchase_orders": "updated_at",
    "stock_counts": "counted_at",
    "customer_orders": "updated_at",
}


def all_files() -> list[SampleFile]:
    """Return every sample file, in an order that suits a demo: dimensions first, facts after.

    Any other order of arrival gives the same numbers, as long as a corrected delivery comes after the
    one that it corrects.
    """
    shop = run()
    masters = [*location_files(), *supplier_files(), *rate_files(), product_files()[0]]
    facts = [
        *movement_files(shop),
        *stock_files(shop),
        *sales_files(shop),
        *order_files(shop),
        *count_files(shop),
        *customer_order_files(shop),
    ]
    strays = [
        SampleFile(
            "stock_movements/movements_2026-W42.csv.gz.tmp",
            data=b"half of a fi",
            end_state="ignored",
            reason="temporary",
            story="an upload that was not finished",
        ),
        SampleFile(
            "promotions/autumn.csv",
            data=b"sku,from,to\n22E1,2026-10-19,2026-10-25\n",
            end_state="ignored",
            reason="unknown_feed",
            story="a kind of file that no contract describes",
        ),
    ]
    return [*masters, *facts, product_files()[1], *strays]


def numbered(file: SampleFile) -> Iterator[tuple[int, Line]]:
    """Yield each record with the number of its line (workbook: sheet row; Parquet: row)."""
    offset = 1 if file.path.endswith((".jsonl", ".parquet")) else 2
    yield from enumerate(file.lines, offset)


def _is(line: Line, kind: str) -> bool:
    return any(o.kind == kind for o in line.outcomes)


def superseded(files: Sequence[SampleFile]) -> dict[str, list[int]]:
    """Return, by path, the lines whose key a newer statement (time, then arrival, then line) restates."""
    best: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    stated = []
    for arrival, file in enumerate(f for f in files if f.end_state == "loaded"):
        for number, line in numbered(file):
            if line.row is None or _is(line, "quarantined"):
                continue
            key = (file.feed, *(str(line.row.get(c)) for c in KEYS[file.feed]))
            rank = (str(line.row.get(NEWER_BY.get(file.feed, ""), "")), arrival, number)
            stated.append((key, rank, file.path, number))
            best[key] = max(best.get(key, rank), rank)
    losers: dict[str, list[int]] = {f.path: [] for f in files}
    for key, rank, path, number in stated:
        if best[key] != rank:
            losers[path].append(number)
    return losers


def expected(files: Sequence[SampleFile]) -> list[dict[str, Any]]:
    """Return what must become of each file, as ``expected.yaml`` says it."""
    losers = superseded(files)
    return [_expected(file, losers[file.path]) for file in files]


def _expected(file: SampleFile, losers: list[int]) -> dict[str, Any]:
    known = file.feed in KEYS and file.end_state != "ignored"
    entry: dict[str, Any] = {
        "path": file.path,
        "feed": file.feed if known else None,
        "end_state": file.end_state,
    }
    if file.reason:
        entry["reason"] = file.reason
    if file.end_state != "loaded":
        return {**entry, "story": file.story}
    found = [(n, o) for n, line in numbered(file) for o in line.outcomes]
    rejects = [{"line": n, "code": o.code} for n, o in found if o.kind == "reject"]
    refused = [_refused(n, o) for n, o in found if o.kind == "quarantined"]
    rows = len(file.lines) - len(rejects)
    return {
        **entry,
        "lines": len(file.lines),
        "rows": rows,
        "rejects": rejects,
        "quarantined": refused,
        "superseded": len(losers),
        "superseded_lines": losers if len(losers) < 100 else "all",
        "current": rows - len(refused) - len(losers),
        "warnings": [
            {"line": n, "column": o.column, "value": o.value, "code": o.code} for n, o in found if o.kind == "warning"
        ],
        "story": file.story,
    }


def _refused(number: int, outcome: Any) -> dict[str, Any]:
    return {
        "line": number,
        "stage": outcome.stage,
        "column": outcome.column,
        "value": outcome.value,
        "code": outcome.code,
    }


_HEAD = """# The sample shop

Maison Verger sells for house and garden in Lyon (`LYO`), Nantes (`NA`) and Geneva (`GVA`, in francs), from a
warehouse in Mâcon (`DC1`); what travels to Geneva is in `TRANSIT` for two days. Four suppliers, one paid in
pounds, one in dollars. {skus} products. The files tell six weeks, Monday 2026-08-31 to Sunday 2026-10-11.

Everything here is made up, by `python scripts/make_samples.py`: the same seed gives the same shop, and a
test compares. `expected.yaml` says the same as this page for machines. The folders are those of the landing
bucket. This drops all of them, follows them into the KPIs and says what became of each:

    stockflow demo

Any order will do, also all at once, as long as a corrected delivery comes after the one that it corrects
(`sales_2026-W40.csv`, then `sales_2026-W40_corrected.csv`). `sales_2026-W36.csv` and its copy hold the same
bytes: whichever arrives first is loaded, the other one is the duplicate.

What you should see: stock turns six times a year, and a euro of stock earns nearly four euros of margin a
year; four of a hundred shelves are empty, ten in mid September, when supplier S100 was on strike and S300
stuck in customs; three products have not moved since winter; the planners believe in too few tulips, forks
and chopping boards and in too many fire bowls. The cachepots of Geneva (`PP-2060` at `GVA`) are missing from
the stock exports since 30 September: their balance is carried on for seven days and is stale from 7 October.

## The files

| file | what it is | end state | lines | rows | rejects | quarantined | superseded |
|---|---|---|---:|---:|---:|---:|---:|
"""

_TAIL = """
## Line by line

Every line that is damaged, or looks so. *Lines* are counted from 1, with the header (a workbook: the row of
the sheet; JSON Lines: the line). What is not listed is loaded as it stands.
"""


def readme(files: Sequence[SampleFile], skus: int) -> str:
    """Return ``samples/README.md``."""
    entries = expected(files)
    table = "".join(_table_row(entry) for entry in entries)
    details = "".join(_details(file, entry) for file, entry in zip(files, entries, strict=True))
    return _HEAD.format(skus=skus) + table + _TAIL + details


def _table_row(entry: dict[str, Any]) -> str:
    reason = entry.get("reason", entry["end_state"])
    state = entry["end_state"] + (f" ({reason})" if reason != entry["end_state"] else "")
    if entry["end_state"] != "loaded":
        return f"| `{entry['path']}` | {entry['story']} | {state} | | | | | |\n"
    counts = [
        entry["lines"],
        entry["rows"],
        len(entry["rejects"]),
        len(entry["quarantined"]),
        entry["superseded"],
    ]
    cells = " | ".join(f"{count:,}" if count else "" for count in counts)
    return f"| `{entry['path']}` | {entry['story']} | {state} | {cells} |\n"


def _details(file: SampleFile, entry: dict[str, Any]) -> str:
    rows = [_detail(number, outcome) for number, line in numbered(file) for outcome in line.outcomes]
    losers = entry.get("superseded_lines") or []
    if len(losers) > 2:
        rows.append(f"| | superseded | | {entry['superseded']} rows are restated by a later delivery |\n")
    else:
        rows += [f"| {number} | superseded | | restated by a newer row with the same key |\n" for number in losers]
    if not rows:
        return ""
    return f"\n### {file.path}\n\n| line | becomes | why | in words |\n|---:|---|---|---|\n" + "".join(rows)


def _detail(number: int, outcome: Any) -> str:
    names = {"reject": "rejected", "note": "loaded", "warning": "loaded, reported"}
    becomes = names.get(outcome.kind, f"quarantined by {outcome.stage}")
    value = f" `{outcome.column}` = `{outcome.value}`" if outcome.column else ""
    code = f"`{outcome.code}`" if outcome.code else ""
    return f"| {number} | {becomes} | {code}{value} | {outcome.note} |\n"
