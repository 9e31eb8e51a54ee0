"""The stock value bridge by hand: each shelf's step from one day's close to the next, from the documents of the day."""

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

from tests.golden.kpis import Cells, Days, Place, Shelf, _of_customers

PARTS = ("receipts", "sales", "transfers", "adjustments", "revaluation", "newly_known", "no_longer_known",
         "unexplained")  # fmt: skip
GONE = Shelf(0.0, 0.0, None, None)  # type: ignore[arg-type]


def compute_bridge(shop: Days) -> dict[str, Cells]:
    """Return the bridge by location and day."""
    steps: dict[tuple[date, str], list[dict[str, float | None]]] = defaultdict(list)
    for place, shelf in shop.shelves.items():
        for day in sorted({*shelf, *(d + timedelta(days=1) for d in shelf)}):
            if day <= shop.stock_days[-1]:
                steps[day, place[1]].append(_step(shop, place, shelf, day))
    cells = Cells(("location_code",))
    for key, found in steps.items():
        cells.rows[key] = _total(found)
    return {"value_bridge": cells}


def _step(shop: Days, place: Place, shelf: dict[date, Shelf], day: date) -> dict[str, float | None]:
    before, now = shelf.get(day - timedelta(days=1)), shelf.get(day, GONE)
    opening = None if before is None else before.value
    cost = now.cost if day in shelf or before is None else before.cost
    closing = None if now.on_hand is None or cost is None else now.on_hand * cost
    step: dict[str, float | None] = {"opening": opening, "closing": closing, "units": now.on_hand}
    if opening is None or closing is None:
        return {**step, "newly_known": closing or 0.0, "no_longer_known": opening or 0.0}
    assert before is not None and before.on_hand is not None and before.cost is not None
    assert cost is not None and now.on_hand is not None
    moved = _moved(shop, place, day)
    rest = now.on_hand - before.on_hand - sum(moved.values()) + 2 * moved["sales"]
    step |= {part: units * cost for part, units in moved.items()}
    return {**step, "revaluation": before.on_hand * (cost - before.cost), "unexplained": rest * cost}


def _moved(shop: Days, place: Place, day: date) -> dict[str, float]:
    """Return the units that moved, by why; sales are positive."""
    moved = dict.fromkeys(("receipts", "sales", "transfers", "adjustments"), 0.0)
    rows = shop.moves.get((*place, day), [])
    kinds = {"transfer_in": "transfers", "transfer_out": "transfers", "adjustment": "adjustments"}
    for row in rows:
        if not _of_customers(row):
            moved[kinds.get(row["movement_type"], "receipts")] += float(row["quantity"])
    out = [float(row["quantity"]) for row in rows if _of_customers(row)]
    trade = shop.sold.get((*place, day))
    moved["sales"] = -sum(out) if out else trade.units if trade else 0.0
    return moved


def _total(steps: list[dict[str, float | None]]) -> dict[str, Any]:
    opening, closing = (sum(step[name] or 0.0 for step in steps) for name in ("opening", "closing"))
    both = sum(step["opening"] is not None and step["closing"] is not None for step in steps)
    valued = any(step["opening"] is not None or step["closing"] is not None for step in steps)
    why = None if valued else "stale" if all(step["units"] is None for step in steps) else "no_cost"
    change = closing - opening if valued else None
    return {
        "numerator": change, "denominator": None, "value": change, "reason_code": why,
        "coverage_pct": 100 * both / len(steps), "opening_value": opening, "closing_value": closing,
        **{part: sum(step.get(part) or 0.0 for step in steps) for part in PARTS},
    }  # fmt: skip
