"""KPIs of the assortment by hand: excess stock, stock to sales, XYZ classes, and counts by value."""

from collections import defaultdict
from datetime import date, timedelta
from math import ceil, sqrt
from statistics import mean, stdev
from typing import Any

from tests.golden.kpis import WINDOW, Cells, Days, Key, Shelf, _cost, _counts, _net, _ratio

ORDER_COST, RATE, WEEKS = 20.0, 0.2, 12


def compute_assortment(shop: Days, cells: dict[str, Cells]) -> dict[str, Cells]:
    """Return these KPIs by name; ``cells`` are those that they build on: reorder points and ABC classes."""
    found = {name: Cells(("sku", "location_code")) for name in ("excess_stock", "stock_to_sales")}
    for place, shelf in shop.shelves.items():
        for day, part in shelf.items():
            sold = [other.sold for d, other in shelf.items() if 0 <= (day - d).days < 90 and other.told]
            point = cells["reorder_point"].rows[day, *place]
            pack = shop.books.product.get(place[0], {}).get("units_per_pack")
            _excess(found["excess_stock"], (day, *place), part, _order(part.cost, sold, pack), point)
            _to_sales(found["stock_to_sales"], (day, *place), shelf, shop.product_on(place[0], day - _PERIOD))
    return {**found, "xyz_class": _xyz(shop, cells["abc_class"]), "count_accuracy_by_value": _by_value(shop)}


_PERIOD = timedelta(days=WINDOW)


def _order(cost: float | None, sold: list[float], pack: Any) -> float | None:
    """Return how many units one order brings: Wilson's formula, in whole packs."""
    if not cost or cost < 0 or not sold:
        return None
    a_year = max(sum(sold) / len(sold), 0.0) * 365
    units = round(sqrt(2 * a_year * ORDER_COST / (cost * RATE)), 6)
    return ceil(units / float(pack)) * float(pack) if pack else units


def _excess(cells: Cells, key: Key, part: Shelf, order: float | None, point: dict[str, Any]) -> None:
    why = "stale" if part.on_hand is None else "no_cost" if order is None else point["reason_code"]
    value = None
    if part.on_hand is not None and part.cost is not None and order is not None and point["value"] is not None:
        value = max(part.on_hand - point["value"] - order, 0.0) * part.cost
    units_known = part.on_hand is not None and order is not None and point["value"] is not None
    cells.add(
        key, value, None, value, reason_code=why, coverage_pct=100.0 if units_known else 0.0, order_quantity=order
    )


def _to_sales(cells: Cells, key: Key, shelf: dict[date, Shelf], product: dict[str, Any]) -> None:
    day = key[0]
    parts = [part for d, part in shelf.items() if 0 <= (day - d).days < WINDOW]
    nets = [net for net in map(_net, parts) if net is not None]
    opening, price = shelf.get(day - _PERIOD), product.get("unit_price")
    seen = 100 * sum(part.on_hand is not None and part.told for part in parts) / len(parts)
    if opening is None or opening.on_hand is None:
        _ratio(cells, key, None, None, "missing_days" if opening is None else "stale", seen)
        return
    told = any(part.told for part in parts)
    why = (
        "missing_sales"
        if not told
        else "no_price"
        if price is None or not nets
        else None
        if sum(nets) > 0
        else "no_demand"
    )
    _ratio(cells, key, max(opening.on_hand, 0.0) * float(price or 0), sum(nets), why, seen)


def _xyz(shop: Days, classes: Cells) -> Cells:
    cells = Cells(("sku",))
    sold: dict[tuple[date, str], float] = defaultdict(float)
    for (sku, _, day), trade in shop.sold.items():
        sold[day, sku] += trade.units
    told: dict[tuple[date, str], list[bool]] = defaultdict(list)
    for (sku, _), shelf in shop.shelves.items():
        for day, part in shelf.items():
            told[day, sku].append(part.told)
    for sku, _, day in shop.elsewhere:
        told[day, sku].append(True)
    for (day, sku), row in classes.rows.items():
        known = sum((day - timedelta(days=n), sku) in classes.rows for n in range(7 * WEEKS))
        weeks = [sum(sold[day - timedelta(days=7 * w + n), sku] for n in range(7)) for w in range(WEEKS)]
        centre = mean(weeks)
        why = "missing_days" if known < 7 * WEEKS else None if centre > 0 else "no_demand"
        seen = sum(mean(told.get((d, sku), [True])) for n in range(7 * WEEKS)
                   if (d := day - timedelta(days=n), sku) in classes.rows)  # fmt: skip
        _ratio(cells, (day, sku), stdev(weeks), centre, why, 100 * seen / (7 * WEEKS))
        letter = None if why else "X" if stdev(weeks) < 0.5 * centre else "Y" if stdev(weeks) < centre else "Z"
        both = None if letter is None else row["abc_class"] + letter
        cells.rows[day, sku] |= {"xyz_class": letter, "abc_xyz_class": both}
    return cells


def _by_value(shop: Days) -> Cells:
    cells = Cells(("location_code",))
    for day in shop.until("stock_counts"):
        for place, rows in _counts(shop, day).items():
            with_book = [r for r in rows if r["book_quantity"] is not None]
            priced = [(r, cost) for r in with_book if (cost := _cost(shop, r["sku"], r["business_date"])) is not None]
            book = sum(max(float(r["book_quantity"]), 0.0) * cost for r, cost in priced)
            apart = sum(abs(float(r["book_quantity"] - r["counted_quantity"])) * cost for r, cost in priced)
            why = "no_book" if not with_book else "no_cost" if not priced else None if book > 0 else "no_stock"
            _ratio(cells, (day, place), book - apart, book, why, 100 * len(priced) / len(rows))
            cells.rows[day, place]["deviation_value"] = apart
    return cells
