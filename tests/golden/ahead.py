"""Weeks of supply by hand: the stock is sold day after day until nothing is left."""

from collections.abc import Mapping
from datetime import date, timedelta

from tests.golden.kpis import Cells, Days, Shelf, _ratio

MOST_DAYS = 7 * 52


def compute_ahead(shop: Days) -> dict[str, Cells]:
    """Return the weeks by SKU, location and day."""
    cells = Cells(("sku", "location_code"))
    for place, shelf in shop.shelves.items():
        for day, part in shelf.items():
            recent = [p for d, p in shelf.items() if 0 <= (day - d).days < 28]
            seen = 100 * sum(p.on_hand is not None and p.told for p in recent) / len(recent)
            coming, lasted = _coming(shelf, day), None
            why = "stale" if part.on_hand is None else "missing_days" if coming is None else None
            if why is None and coming is not None:
                why = None if sum(coming) > 0 else "no_demand"
            if why is None and coming is not None and part.on_hand is not None:
                lasted = _lasts(part.on_hand, coming)
                _ratio(cells, (day, *place), lasted / 7 * sum(coming), sum(coming), None, seen)
            else:
                _ratio(cells, (day, *place), None, None, why, seen)
            cells.rows[day, *place]["runs_out_on"] = _end(day, lasted)
    return {"weeks_of_supply_forward": cells}


def _coming(shelf: Mapping[date, Shelf], day: date) -> list[float] | None:
    """Return what each of the next seven days is expected to sell: the mean of its weekday in four weeks."""
    found = []
    for ahead in range(1, 8):
        same = [day + timedelta(days=ahead - 7 * week) for week in range(1, 5)]
        sold = [shelf[d].sold for d in same if d in shelf and shelf[d].told]
        if not sold or same[0] not in shelf:
            return None
        found.append(max(sum(sold) / len(sold), 0.0))
    return found


def _lasts(on_hand: float, coming: list[float]) -> float:
    left = max(on_hand, 0.0)
    for day in range(MOST_DAYS):
        sold = coming[day % 7]
        if left <= 1e-9:
            return float(day) - _idle(day, coming) if on_hand > 0 else 0.0
        if sold >= left:
            return day + left / sold
        left -= sold
    return float(MOST_DAYS)


def _idle(day: int, coming: list[float]) -> int:
    """Return how many days just before this one sold nothing: the stock had ended before them."""
    idle = 0
    while coming[(day - 1 - idle) % 7] == 0:
        idle += 1
    return idle


def _end(day: date, lasted: float | None) -> date | None:
    if lasted is None or lasted >= MOST_DAYS:
        return None
    whole = int(lasted) if lasted - int(lasted) < 1e-7 else int(lasted) + 1
    return day + timedelta(days=whole)
