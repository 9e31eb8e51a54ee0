"""A corner shop of two stores and three days, small enough to compute its KPIs in the head; it has a ledger."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from tests.support.local_warehouse import LocalServices, LocalWarehouse

NOW = datetime(2026, 9, 4, 8, tzinfo=UTC)
DAYS = (date(2026, 9, 1), date(2026, 9, 2), date(2026, 9, 3))
# (day, sku, store, units, net amount): A costs 10 until the price of 3 September, B is given without an amount once.
SALES: tuple[tuple[int, str, str, int, str | None], ...] = (
    (0, "A", "LYO", 2, "20"), (0, "B", "LYO", 1, "5"), (0, "A", "PAR", 1, "10"),
    (1, "A", "LYO", 1, "10"), (1, "B", "PAR", 1, None),
    (2, "A", "LYO", 4, "48"), (2, "A", "PAR", 2, "24"), (2, "B", "LYO", 1, "5"),
)  # fmt: skip
LOAD = "5a1e5000000000000001"


def corner_shop() -> LocalServices:
    """Return its environment: net sales and stock are computed, one file is loaded, one rejected."""
    made = LocalWarehouse(ledger=True)
    made.put("products", [{"sku": s, "name": n, "category": c, "unit_cost": Decimal(4)} for s, n, c in
                          (("A", "Hammer", "tools"), ("B", "Seeds", "garden"))])  # fmt: skip
    made.put("locations", [{"location_code": c, "name": n, "type": "store"} for c, n in
                           (("LYO", "Lyon"), ("PAR", "Paris"))])  # fmt: skip
    made.put("sales", [_sale(number, *sale) for number, sale in enumerate(SALES, 1)])
    made.put("stock_snapshots", [
        {"business_date": day, "sku": sku, "location_code": place, "on_hand": Decimal(20), "unit_cost": Decimal(4)}
        for day in DAYS for sku in "AB" for place in ("LYO", "PAR")
    ])  # fmt: skip
    _files(made)
    made.compute(("net_sales", "units_sold", "stock_value"))
    return LocalServices(made, NOW)


def _sale(number: int, day: int, sku: str, place: str, units: int, net: str | None) -> dict[str, Any]:
    return {
        "receipt_number": f"R{number}", "line_number": 1, "business_date": DAYS[day], "sku": sku,
        "location_code": place, "quantity": Decimal(units), "net_amount": Decimal(net) if net else None,
        "_load_id": LOAD, "_line": number + 1,
    }  # fmt: skip


def _files(made: LocalWarehouse) -> None:
    """Record a file whose line 9 was refused, and one that could not be read at all."""
    landed = datetime(2026, 9, 4, 6, tzinfo=UTC)
    load = {"load_id": LOAD, "feed": "sales", "bucket": "landing", "object": "sales/week_36.csv", "generation": 1,
            "landed_at": landed, "landed_on": landed.date(), "finished_at": landed, "lines": 9, "rows": 9}  # fmt: skip
    done = (("ingest", "loaded"), ("validate", "validated"), ("transform", "transformed"), ("kpi", "refreshed"))
    stages = [{**load, "record_id": s, "run_id": s, "stage": s, "state": state, "finished_at": landed.replace(minute=n),
               "quarantined": int(s == "validate")} for n, (s, state) in enumerate(done, 1)]  # fmt: skip
    lost = {**load, "load_id": "5a1e5000000000000002", "object": "sales/photo.csv", "record_id": "x", "run_id": "x",
            "stage": "ingest", "state": "rejected", "reason_code": "unknown_format", "lines": None, "rows": None,
            "message": "expected CSV, found a JPEG image"}  # fmt: skip
    made.record("load_stages", [*stages, lost])
    made.record("quarantine_rows", [
        {"run_id": "validate", "load_id": LOAD, "landed_on": landed.date(), "feed": "sales", "row": 9, "line": 10,
         "stage": "validate", "rule": "quantity_type", "column_name": "quantity", "value": "deux",
         "expected": "a number", "original_row": "R9;1;2026-09-03;A;LYO;deux", "recorded_at": landed},
    ])  # fmt: skip
