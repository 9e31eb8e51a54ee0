"""XYZ classes need 12 weeks, more than the shop by chance has: 14 weeks of four SKUs, by hand."""

from datetime import date, timedelta
from decimal import Decimal
from statistics import mean, stdev

from functions.kpi.examples import same
from tests.support.local_warehouse import LocalWarehouse

FIRST = date(2026, 3, 2)
WEEKLY = {
    "STEADY": [10] * 14,
    "SEASONAL": [4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 16, 16, 16, 16],
    "RARE": [0, 0, 30, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 30],
    "RETURNED": [0, 0, 0, 0, 0, 0, 5, -5, 0, 0, 0, 0, 0, 0],
}


def test_twelve_weeks_say_how_steadily_a_sku_sells() -> None:
    """Steady, seasonal, now and then, and nothing net; the weeks of all locations together."""
    made = LocalWarehouse()
    day_of = [FIRST + timedelta(days=7 * week + 3) for week in range(14)]
    made.put("products", [{"sku": sku, "unit_cost": Decimal(2)} for sku in WEEKLY])
    made.put("stock_snapshots", [
        {"business_date": day, "sku": sku, "location_code": place, "on_hand": Decimal(50)}
        for sku in WEEKLY for place in ("P1", "P2")
        for day in (FIRST + timedelta(days=n) for n in range(98))
    ])  # fmt: skip
    made.put("sales", [
        {"receipt_number": f"{sku}{n}", "line_number": 1, "business_date": day, "sku": sku,
         "location_code": "P1" if n % 2 else "P2", "quantity": Decimal(units), "net_amount": Decimal(units)}
        for sku, weeks in WEEKLY.items() for n, (day, units) in enumerate(zip(day_of, weeks, strict=True)) if units
    ])  # fmt: skip
    made.compute(["xyz_class"])

    rows = {(r["business_date"], r["sku"]): r for r in made.rows("SELECT * FROM inventory_kpi.xyz_class")}
    last = max(day for day, _ in rows)
    assert last == day_of[-1], "the last day with sales"
    found = {sku: rows[last, sku] for sku in WEEKLY}
    assert {sku: row["abc_xyz_class"] for sku, row in found.items()} == {
        "STEADY": "AX", "SEASONAL": "AY", "RARE": "BZ", "RETURNED": None,
    }  # fmt: skip
    for sku in ("STEADY", "SEASONAL", "RARE"):
        weeks = WEEKLY[sku][-12:]
        assert same(found[sku]["value"], stdev(weeks) / mean(weeks)), sku
    assert (found["RETURNED"]["value"], found["RETURNED"]["reason_code"]) == (None, "no_demand")
    early = rows[last - timedelta(days=21), "STEADY"]
    assert (early["value"], early["reason_code"], early["xyz_class"]) == (None, "missing_days", None)
