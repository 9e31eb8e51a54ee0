"""More KPIs by hand: those that need no memory of their own beyond the shop's days and orders."""

from collections import defaultdict
from datetime import date
from itertools import pairwise
from math import sqrt
from typing import Any

from tests.golden.kpis import WINDOW, Cells, Days, Key, Place, Shelf, Window, _net, _no_demand, _ratio, _sum

RATE = 0.2


def compute_more(shop: Days) -> dict[str, Cells]:
    """Return these KPIs by name."""
    by_window = {"turns_on_revenue": _revenue, "days_sales_of_inventory": _days_of_sales, "lost_sales": _lost}
    cells = {name: Cells(("sku", "location_code")) for name in (*by_window, "carrying_cost")}
    for place, shelf in shop.shelves.items():
        ordered = sorted(shelf)
        for day in ordered:
            window = Window([shelf[d] for d in ordered if 0 <= (day - d).days < WINDOW])
            _carry(cells["carrying_cost"], (day, *place), shelf[day])
            for name, one in by_window.items():
                one(cells[name], (day, *place), window)
    spread = _spread(shop)
    return {
        **cells, **_planning(shop, spread), "return_rate": _returns(shop), "otif": _otif(shop),
        "lead_time_spread": spread, "inventory_position": _position(shop), "slow_stock": _slow(shop),
        "cycle_service_level": _cycles(shop),
    }  # fmt: skip


def _carry(cells: Cells, key: Key, shelf: Shelf) -> None:
    why = "stale" if shelf.on_hand is None else "no_cost" if shelf.cost is None else None
    _sum(cells, key, None if shelf.value is None else max(shelf.value, 0.0) * RATE, why, 0.0 if why else 100.0)


def _no_average(window: Window) -> str | None:
    if window.average is None:
        return "no_cost" if window.parts[-1].cost is None else "stale"
    return "no_stock" if window.average <= 0 else None


def _revenue(cells: Cells, key: Key, window: Window) -> None:
    known = [net for net in map(_net, window.parts) if net is not None]
    why = _no_average(window) or (None if known else "no_price" if window.told else "missing_sales")
    _ratio(cells, key, sum(known) * 365 / max(window.told, 1), window.average, why, window.valued)


def _days_of_sales(cells: Cells, key: Key, window: Window) -> None:
    cogs = window.cogs or 0.0
    why = _no_average(window) or (None if cogs > 0 else _no_demand(window))
    _ratio(cells, key, window.average, cogs / window.costed if window.costed else None, why, window.valued)


def _lost(cells: Cells, key: Key, window: Window) -> None:
    known = [part for part in window.parts if part.available is not None]
    out = sum(part.available <= 0 and part.listed for part in known)  # type: ignore[operator]
    inside = [part for part in known if part.available > 0 and part.told]  # type: ignore[operator]
    seen = 100 * sum(part.told for part in known) / window.listed
    if not known:
        cells.add(key, None, None, None, reason_code="stale", coverage_pct=seen)
    elif out and not inside:
        cells.add(key, None, None, None, reason_code="no_stock", coverage_pct=seen)
    else:
        lost = out * max(sum(part.sold for part in inside), 0.0) / len(inside) if out else 0.0
        cells.add(key, lost, None, lost, reason_code=None, coverage_pct=seen, days_out=out, days_in=len(inside))


def _returns(shop: Days) -> Cells:
    cells = Cells(("sku", "location_code"))
    rows: dict[Place, dict[date, Shelf]] = defaultdict(dict)
    for place, shelf in shop.shelves.items():
        rows[place].update(shelf)
    for (sku, location, day), part in shop.elsewhere.items():
        rows[sku, location][day] = part
    for place, by_day in rows.items():
        for day in by_day:
            parts = [part for d, part in by_day.items() if 0 <= (day - d).days < WINDOW]
            lines = [line for part in parts for line in part.trade.lines]
            told = sum(part.told for part in parts)
            sold = sum(units for units, _ in lines if units > 0)
            back = -sum(units for units, _ in lines if units < 0)
            why = "missing_sales" if not told else None if sold else "no_demand"
            _ratio(cells, (day, *place), back, sold, why, 100 * told / len(parts))
    return cells


def _open_lines(shop: Days, day: date) -> list[Any]:
    rows = shop.books.current["purchase_orders"]
    return [r for r in rows if r["status"] != "cancelled" and 0 <= (day - r["business_date"]).days <= 270]


def _otif(shop: Days) -> Cells:
    cells = Cells(("supplier_code",))
    for day in shop.until("purchase_orders"):
        verdicts: dict[str, list[bool | None]] = defaultdict(list)
        for row in _open_lines(shop, day):
            wanted = float(row["ordered_quantity"]) - float(row.get("cancelled_quantity") or 0)
            if row["promised_date"] and 0 <= (day - row["promised_date"]).days <= 89 and wanted > 0:
                verdicts[row["supplier_code"]].append(_good(row, wanted))
        for supplier, judged in verdicts.items():
            known = [verdict for verdict in judged if verdict is not None]
            why = None if known else "no_receipt_date"
            _ratio(cells, (day, supplier), float(sum(known)), len(known), why, 100 * len(known) / len(judged))
    return cells


def _good(row: Any, wanted: float) -> bool | None:
    """Whether a line came on time and complete; None when nobody wrote down the day."""
    came = float(row["received_quantity"] or 0)
    if row["received_date"] is None:
        return None if came > 0 else False
    accepted = came - float(row.get("rejected_quantity") or 0)
    return bool(accepted >= wanted and row["received_date"] <= row["promised_date"])


def _spread(shop: Days) -> Cells:
    cells = Cells(("supplier_code",))
    for day in shop.until("purchase_orders"):
        waits: dict[str, list[tuple[float, int | None]]] = defaultdict(list)
        for row in _open_lines(shop, day):
            received, ordered = row["received_date"], row["business_date"]
            if row["received_quantity"] and 0 <= (day - (received or ordered)).days <= 89:
                wait = (received - ordered).days if received else None
                waits[row["supplier_code"]].append((float(row["received_quantity"]), wait))
        for supplier, parts in waits.items():
            _deviation(cells, (day, supplier), parts)
    return cells


def _deviation(cells: Cells, key: Key, parts: list[tuple[float, int | None]]) -> None:
    dated = [(units, wait) for units, wait in parts if wait is not None]
    units, seen = sum(u for u, _ in dated), 100 * sum(u for u, _ in dated) / sum(u for u, _ in parts)
    mean = sum(u * w for u, w in dated) / units if units else None
    if len(dated) < 2 or mean is None:
        why = "one_receipt" if dated else "no_receipt_date"
        cells.add(key, None, None, None, reason_code=why, coverage_pct=seen, average_days=mean, receipts=len(dated))
        return
    spread = sqrt(sum(u * (w - mean) ** 2 for u, w in dated) / units)
    cells.add(key, spread * units, units, spread, reason_code=None, coverage_pct=seen, average_days=mean,
              receipts=len(dated))  # fmt: skip


# ---- planning ----------------------------------------------------------------------------------------


def _planning(shop: Days, spread: Cells) -> dict[str, Cells]:
    """Safety stock and reorder point: z x sqrt(L var_d + d^2 var_L), and what sells in the lead time on top."""
    cells = {name: Cells(("sku", "location_code")) for name in ("safety_stock", "reorder_point")}
    for place, shelf in shop.shelves.items():
        lead = shop.books.product.get(place[0], {}).get("lead_time_days")
        for day in shelf:
            sold = [part.sold for d, part in shelf.items() if 0 <= (day - d).days < 90 and part.told]
            supplier = shop.product_on(place[0], day).get("supplier_code")
            late = spread.rows.get((day, supplier), {}).get("value") or 0.0
            daily = max(sum(sold) / max(len(sold), 1), 0.0)
            why = "missing_days" if len(sold) < 28 else None if lead else "no_lead_time"
            safety = point = None
            if why is None and lead is not None:
                spread_of_demand = sum((units - sum(sold) / len(sold)) ** 2 for units in sold) / (len(sold) - 1)
                safety = 1.65 * sqrt(float(lead) * spread_of_demand + (daily * late) ** 2)
                point = daily * float(lead) + safety
            seen = 100 * len(sold) / 90
            cells["safety_stock"].add((day, *place), safety, None, safety, reason_code=why, coverage_pct=seen)
            cells["reorder_point"].add((day, *place), point, None, point, reason_code=why, coverage_pct=seen)
    return cells


def _position(shop: Days) -> Cells:
    cells = Cells(("sku", "location_code"))
    for place, shelf in shop.shelves.items():
        orders = [r for r in shop.books.current["purchase_orders"] if (r["sku"], r["location_code"]) == place]
        for day, part in shelf.items():
            coming = 0.0
            for row in orders:
                if row["status"] != "cancelled" and 0 <= (day - row["business_date"]).days <= 270:
                    due = max(float(row["ordered_quantity"]) - float(row.get("cancelled_quantity") or 0), 0.0)
                    late = row["received_date"] is not None and row["received_date"] > day
                    coming += due if late else max(due - float(row["received_quantity"] or 0), 0.0)
            why = None if part.on_hand is not None else "stale"
            value = None if part.on_hand is None else part.on_hand + coming
            cells.add((day, *place), value, None, value, reason_code=why, coverage_pct=0.0 if why else 100.0,
                      on_order=coming)  # fmt: skip
    return cells


def _slow(shop: Days) -> Cells:
    cells = Cells(("sku", "location_code"))
    for place, shelf in shop.shelves.items():
        for day, part in shelf.items():
            year = [d for d in shelf if 0 <= (day - d).days < 365]
            told = 100 * sum(shelf[d].told for d in year) / len(year)
            sold, seen = sum(shelf[d].sold for d in year), 0.0 if None in (part.on_hand, part.cost) else told
            if part.on_hand is None or part.on_hand <= 0 or not (part.value or 0) > 0:
                why = "stale" if part.on_hand is None else "no_stock" if part.on_hand <= 0 else "no_cost"
                cells.add((day, *place), None, None, None, reason_code=why, coverage_pct=seen)
                continue
            slow = (day - min(year)).days >= 90 and sold * 100 < part.on_hand * 100
            cells.add((day, *place), part.value if slow else 0.0, part.value, float(slow), reason_code=None,
                      coverage_pct=seen, sold_units=sold)  # fmt: skip
    return cells


def _cycles(shop: Days) -> Cells:
    """From one delivery to the next: was anything out of stock in between?"""
    cells = Cells(("sku", "location_code"))
    for place, shelf in shop.shelves.items():
        came = {r["business_date"] for r in shop.books.current["stock_movements"] if _arrives(r, place)}
        arrivals = sorted(came & shelf.keys())
        ended = {end: all(not _out(shelf[d]) for d in shelf if start <= d < end)
                 for start, end in pairwise(arrivals) if (end - start).days <= 90}  # fmt: skip
        for day in shelf:
            served = [good for end, good in ended.items() if 0 <= (day - end).days < 90]
            known = [shelf[d].available is not None for d in shelf if 0 <= (day - d).days < 90]
            why = None if served else "no_cycle"
            _ratio(cells, (day, *place), float(sum(served)), len(served), why, 100 * sum(known) / len(known))
            cells.rows[day, *place] |= {"cycles": len(served), "few_cycles": len(served) < 5}
    return cells


def _arrives(row: Any, place: Place) -> bool:
    kind = row["movement_type"] in {"receipt", "transfer_in"}
    return bool(kind and row["quantity"] > 0 and (row["sku"], row["location_code"]) == place)


def _out(shelf: Shelf) -> bool:
    return shelf.listed and shelf.available is not None and shelf.available <= 0
