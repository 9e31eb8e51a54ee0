"""The customer fill rate by hand: order by order, what was to leave by its day, and what did."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from tests.golden.kpis import Cells, Days, Place

PROMISED_DAYS = 2
WINDOW, ORDERED = 28, 180


def compute_customers(shop: Days) -> dict[str, Cells]:
    """Return the rate by SKU, location and day."""
    cells = Cells(("sku", "location_code"))
    orders = [_Line(row) for row in shop.books.current["customer_orders"]]
    for day in _days(shop, orders):
        due: dict[Place, list[_Line]] = defaultdict(list)
        for line in orders:
            if line.is_due_by(day):
                due[line.row["sku"], line.row["location_code"]].append(line)
        for place, lines in due.items():
            _rate(cells, (day, *place), lines)
    return {"customer_fill_rate": cells}


@dataclass(frozen=True)
class _Line:
    row: dict[str, Any]

    @property
    def due_on(self) -> date:
        """The day for which the customer asked, or the usual one; never before the order."""
        ordered: date = self.row["business_date"]
        wanted_on = self.row.get("requested_date")
        return ordered + timedelta(days=PROMISED_DAYS) if wanted_on is None else max(ordered, wanted_on)

    def is_due_by(self, day: date) -> bool:
        """Whether it was due in the four weeks up to a day, and ordered in the half year."""
        return 0 <= (day - self.due_on).days < WINDOW and 0 <= (day - self.row["business_date"]).days <= ORDERED

    @property
    def wanted(self) -> float:
        """Units; those that nobody could deliver are wanted all the same."""
        taken_back = 0 if self.row.get("cancel_reason") == "no_stock" else self.row.get("cancelled_quantity") or 0
        return max(float(self.row["ordered_quantity"] - taken_back), 0.0)

    @property
    def served(self) -> float | None:
        """Units that left in time; None where nobody says."""
        row = self.row
        if row.get("shipped_on_time_quantity") is not None:
            return min(float(row["shipped_on_time_quantity"]), self.wanted)
        left_on, units = row.get("shipped_date"), row.get("shipped_quantity")
        if units == 0 or (left_on is not None and left_on > self.due_on):
            return 0.0
        return None if left_on is None or units is None else min(float(units), self.wanted)


def _days(shop: Days, orders: list[_Line]) -> list[date]:
    ends = [max(o.row["business_date"], o.row.get("shipped_date") or date.min) for o in orders]
    return [day for day in shop.calendar if ends and day <= max(ends)]


def _rate(cells: Cells, key: tuple[Any, ...], lines: list[_Line]) -> None:
    wanted = [line for line in lines if line.wanted]
    known = [line for line in wanted if line.served is not None]
    units, all_units = sum(line.wanted for line in known), sum(line.wanted for line in wanted)
    served = sum(line.served or 0.0 for line in known)
    said = any(line.row.get("shipped_quantity") is not None for line in wanted)
    why = None if known else "no_ship_date" if said else "no_shipment" if wanted else "no_demand"
    cells.add(
        key, served if known else None, units if known else None, served / units if known else None, reason_code=why,
        coverage_pct=100 * units / all_units if wanted else 100.0, due_lines=len(known),
        full_lines=sum(line.served == line.wanted for line in known),
    )  # fmt: skip
