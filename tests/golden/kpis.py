"""Every KPI, computed by hand from the books, as the formula in its definition's header says."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from tests.golden.books import Books

CARRY_DAYS = 7
WINDOW = 28
NOT_SHELVES = {"transit", "virtual"}
Key = tuple[Any, ...]


@dataclass
class Cells:
    """The rows of one KPI: the grain's column names, and what must stand in which column, by day and grain."""

    grain: tuple[str, ...]
    rows: dict[Key, dict[str, Any]] = field(default_factory=dict)

    def add(self, key: Key, top: float | None, bottom: float | None, value: float | None, **more: Any) -> None:
        """Write one row."""
        self.rows[key] = {"numerator": top, "denominator": bottom, "value": value, **more}


@dataclass
class Shelf:
    """One SKU at one location on one day; ``on_hand`` is None when nobody knows it any more."""

    on_hand: float | None
    available: float | None
    cost: float | None
    sold: float
    net: float

    @property
    def value(self) -> float | None:
        """The stock at cost."""
        return None if self.on_hand is None or self.cost is None else self.on_hand * self.cost

    @property
    def cogs(self) -> float | None:
        """What was sold, at cost."""
        return None if self.cost is None else self.sold * self.cost


@dataclass
class Days:
    """The shop day by day."""

    books: Books

    @cached_property
    def calendar(self) -> list[date]:
        """Every day from the first to the newest business date of any fact about stock or sales."""
        feeds = ("stock_snapshots", "sales", "stock_movements", "stock_counts")
        known = [row["business_date"] for feed in feeds for row in self.books.current[feed]]
        return days(min(known), max(known))

    @cached_property
    def shelves(self) -> dict[tuple[str, str], dict[date, Shelf]]:
        """Each shelf from the day of its first balance to its delisting."""
        stated: dict[tuple[str, str], dict[date, Any]] = defaultdict(dict)
        for row in self.books.current["stock_snapshots"]:
            if self.books.place.get(row["location_code"], {}).get("type", "store") not in NOT_SHELVES:
                stated[row["sku"], row["location_code"]][row["business_date"]] = row
        return {place: self._shelf(place, by_day) for place, by_day in sorted(stated.items())}

    def _shelf(self, place: tuple[str, str], stated: dict[date, Any]) -> dict[date, Shelf]:
        end = self.books.product.get(place[0], {}).get("delisted_on") or date.max
        product_cost = self.books.product.get(place[0], {}).get("unit_cost")
        found: dict[date, Shelf] = {}
        last, stated_cost = None, None
        for day in (d for d in days(min(stated), self.calendar[-1]) if d < end):
            last = stated.get(day, last)
            assert last is not None
            stated_cost = last["unit_cost"] if last["unit_cost"] is not None else stated_cost
            cost = stated_cost if stated_cost is not None else product_cost
            known = (day - last["business_date"]).days <= CARRY_DAYS
            free = last["available"] if last.get("available") is not None else last["on_hand"]
            sold, net = self.sold.get((*place, day), (0.0, 0.0))
            found[day] = Shelf(
                float(last["on_hand"]) if known else None, float(free) if known else None,
                None if cost is None else float(cost), sold, net,
            )  # fmt: skip
        return found

    @cached_property
    def sold(self) -> dict[tuple[str, str, date], tuple[float, float]]:
        """Units and net amount by SKU, location and day; returns taken off."""
        sums: dict[tuple[str, str, date], tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
        for row in self.books.current["sales"]:
            key = (row["sku"], row["location_code"], row["business_date"])
            units, net = sums[key]
            sums[key] = (units + float(row["quantity"]), net + float(row["net_amount"] or 0))
        return dict(sums)

    @cached_property
    def receipts(self) -> dict[str, dict[date, float]]:
        """Units received from suppliers (and opening lots), by SKU and day."""
        found: dict[str, dict[date, float]] = defaultdict(lambda: defaultdict(float))
        for row in self.books.current["stock_movements"]:
            if row["movement_type"] == "receipt":
                found[row["sku"]][row["business_date"]] += float(row["quantity"])
        return found


def days(first: date, last: date) -> list[date]:
    """Return every day from first to last."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


@dataclass(frozen=True)
class Window:
    """The 28 days up to a day, of one shelf."""

    parts: list[Shelf]

    @property
    def listed(self) -> int:
        """Days on the list."""
        return len(self.parts)

    @property
    def seen(self) -> float:
        """Share of days whose balance is known, in per cent."""
        return 100 * sum(p.on_hand is not None for p in self.parts) / self.listed

    @property
    def valued(self) -> float:
        """Share of days whose value is known, in per cent."""
        return 100 * sum(p.value is not None for p in self.parts) / self.listed

    @property
    def sold(self) -> float:
        """Units."""
        return sum(p.sold for p in self.parts)

    @property
    def net(self) -> float:
        """Net sales whose cost is known."""
        return sum(p.net for p in self.parts if p.cogs is not None)

    @property
    def cogs(self) -> float | None:
        """Cost of goods sold."""
        known = [p.cogs for p in self.parts if p.cogs is not None]
        return sum(known) if known else None

    @property
    def average(self) -> float | None:
        """Mean of the daily values."""
        known = [p.value for p in self.parts if p.value is not None]
        return sum(known) / len(known) if known else None


def compute(books: Books) -> dict[str, Cells]:
    """Return every KPI by name."""
    shop = Days(books)
    by_day = {"stock_on_hand": _on_hand, "stock_value": _value, "stockout_rate": _stockout}
    by_window = {"inventory_turnover": _turnover, "days_of_supply": _supply, "sell_through": _sell_through,
                 "gmroi": _gmroi, "on_shelf_availability": _on_shelf}  # fmt: skip
    cells = {name: Cells(("sku", "location_code")) for name in (*by_day, *by_window)}
    for place, shelf in shop.shelves.items():
        ordered = sorted(shelf)
        for index, day in enumerate(ordered):
            window = Window([shelf[d] for d in ordered[max(0, index - WINDOW + 1) : index + 1]])
            for name, one in by_day.items():
                one(cells[name], (day, *place), shelf[day])
            for name, many in by_window.items():
                many(cells[name], (day, *place), window)
    return {
        **cells, "dead_stock": _dead(shop), "abc_class": _abc(shop), "inventory_ageing": _ageing(shop),
        "supplier_lead_time": _lead_time(shop), "fill_rate": _fill_rate(shop),
        "record_accuracy": _record_accuracy(shop), "shrinkage": _shrinkage(shop),
    }  # fmt: skip


# ---- of one day -------------------------------------------------------------------------------------


def _on_hand(cells: Cells, key: Key, shelf: Shelf) -> None:
    why = "stale" if shelf.on_hand is None else None
    cells.add(key, shelf.on_hand, None, shelf.on_hand, reason_code=why, coverage_pct=0.0 if why else 100.0)


def _value(cells: Cells, key: Key, shelf: Shelf) -> None:
    why = "stale" if shelf.on_hand is None else "no_cost" if shelf.cost is None else None
    cells.add(key, shelf.value, None, shelf.value, reason_code=why, coverage_pct=0.0 if why else 100.0)


def _stockout(cells: Cells, key: Key, shelf: Shelf) -> None:
    if shelf.available is None:
        cells.add(key, None, None, None, reason_code="stale", coverage_pct=0.0)
        return
    out = 1.0 if shelf.available <= 0 else 0.0
    cells.add(key, out, 1.0, out, reason_code=None, coverage_pct=100.0)


# ---- of 28 days --------------------------------------------------------------------------------------


def _per_stock(cells: Cells, key: Key, window: Window, earned: float | None) -> None:
    """A sum of the period, per year, over the average stock value."""
    average = window.average
    a_year = None if earned is None or average is None else earned * 365 / window.listed
    value = a_year / average if a_year is not None and average is not None and average > 0 else None
    why = None
    if average is None:
        why = "stale" if window.parts[-1].cost is not None else "no_cost"
    elif average <= 0:
        why = "no_stock"
    cells.add(key, a_year, average, value, reason_code=why, coverage_pct=window.valued)


def _turnover(cells: Cells, key: Key, window: Window) -> None:
    _per_stock(cells, key, window, window.cogs)


def _gmroi(cells: Cells, key: Key, window: Window) -> None:
    _per_stock(cells, key, window, None if window.cogs is None else window.net - window.cogs)


def _supply(cells: Cells, key: Key, window: Window) -> None:
    on_hand = window.parts[-1].on_hand
    if on_hand is None:
        cells.add(key, None, None, None, reason_code="stale", coverage_pct=window.seen)
        return
    a_day = window.sold / window.listed
    value = max(on_hand, 0.0) / a_day if a_day > 0 else None
    why = None if a_day > 0 else "no_demand"
    cells.add(key, max(on_hand, 0.0), a_day, value, reason_code=why, coverage_pct=window.seen)


def _sell_through(cells: Cells, key: Key, window: Window) -> None:
    on_hand, sold = window.parts[-1].on_hand, window.sold
    if on_hand is None or sold < 0:
        reason = "stale" if on_hand is None else "no_demand"
        cells.add(key, None, None, None, reason_code=reason, coverage_pct=window.seen)
        return
    there = sold + max(on_hand, 0.0)
    why = None if there else "no_stock"
    cells.add(key, sold, there, sold / there if there else None, reason_code=why, coverage_pct=window.seen)


def _on_shelf(cells: Cells, key: Key, window: Window) -> None:
    available, asked = window.parts[-1].available, max(window.sold, 0.0) / window.listed
    if available is None:
        cells.add(key, None, None, None, reason_code="stale", coverage_pct=window.seen)
        return
    served = asked if available > 0 else 0.0
    why = None if asked else "no_demand"
    cells.add(key, served, asked, served / asked if asked else None, reason_code=why, coverage_pct=window.seen)


# ---- with a memory -----------------------------------------------------------------------------------


def _dead(shop: Days) -> Cells:
    cells = Cells(("sku", "location_code"))
    for place, shelf in shop.shelves.items():
        sales = sorted(r["business_date"] for r in shop.books.current["sales"]
                       if (r["sku"], r["location_code"]) == place and r["quantity"] > 0)  # fmt: skip
        receipts = sorted(shop.receipts.get(place[0], {}))
        for day, state in shelf.items():
            quiet = all((day - sold).days >= 180 for sold in sales if sold <= day)
            before = [r for r in receipts if r <= day]
            old = bool(before) and (day - before[-1]).days >= 180
            _dead_cell(cells, (day, *place), state, quiet and old)
    return cells


def _dead_cell(cells: Cells, key: Key, shelf: Shelf, asleep: bool) -> None:
    if shelf.value is None:
        reason = "stale" if shelf.on_hand is None else "no_cost"
        cells.add(key, None, None, None, reason_code=reason, coverage_pct=0.0)
        return
    dead = asleep and (shelf.on_hand or 0) > 0
    worth = max(shelf.value, 0.0)
    value = (1.0 if dead else 0.0) if worth > 0 else None
    why = None if worth > 0 else "no_stock"
    cells.add(key, worth if dead else 0.0, worth, value, reason_code=why, coverage_pct=100.0, is_dead=dead)


def _abc(shop: Days) -> Cells:
    cells = Cells(("sku",))
    daily: dict[date, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for (sku, _), shelf in shop.shelves.items():
        for day, state in shelf.items():
            daily[day][sku] += state.cogs or 0.0
    for day, skus in daily.items():
        past = [d for d in daily if 0 <= (day - d).days <= 364]
        used = {sku: round(max(0.0, sum(daily[d].get(sku, 0.0) for d in past)), 6) for sku in skus}
        _classify(cells, day, used)
    return cells


def _classify(cells: Cells, day: date, used: dict[str, float]) -> None:
    total, before = sum(used.values()), 0.0
    for rank, sku in enumerate(sorted(used, key=lambda s: (-used[s], s)), 1):
        share = "A" if before < 0.8 * total else "B" if before < 0.95 * total else "C"
        value = used[sku] / total if total else None
        why = None if total else "no_demand"
        cells.add((day, sku), used[sku], total, value, reason_code=why, coverage_pct=100.0,
                  abc_class=share if used[sku] > 0 else "C", rank_of_sku=rank)  # fmt: skip
        before += used[sku]


BUCKETS = {"units_0_30": (0, 30), "units_31_60": (31, 60), "units_61_90": (61, 90), "units_91_180": (91, 180),
           "units_181_plus": (181, 99_999)}  # fmt: skip


def _ageing(shop: Days) -> Cells:
    cells = Cells(("sku",))
    stock: dict[tuple[date, str], float] = defaultdict(float)
    for (sku, _), shelf in shop.shelves.items():
        for day, state in shelf.items():
            if state.on_hand is not None:
                stock[day, sku] += state.on_hand
    for (day, sku), units in stock.items():
        _age(cells, day, sku, max(units, 0.0), shop.receipts.get(sku, {}))
    return cells


def _age(cells: Cells, day: date, sku: str, units: float, receipts: dict[date, float]) -> None:
    """First in, first out: what is there came with the newest deliveries."""
    rest, unit_days = units, 0.0
    buckets = dict.fromkeys(BUCKETS, 0.0)
    known = [r for r in sorted(receipts, reverse=True) if r <= day]
    for received in known:
        part, age = min(rest, receipts[received]), (day - received).days
        rest -= part
        unit_days += part * age
        buckets[next(name for name, (low, high) in BUCKETS.items() if low <= age <= high)] += part
    found = units - rest
    why = "no_stock" if units == 0 else "missing_days" if found == 0 else None
    cells.add((day, sku), unit_days if known else None, found if known else None,
              unit_days / found if found else None, reason_code=why,
              coverage_pct=100.0 * found / units if units else 100.0, units_unknown=rest, **buckets)  # fmt: skip


# ---- suppliers ---------------------------------------------------------------------------------------


def _lead_time(shop: Days) -> Cells:
    cells = Cells(("supplier_code",))
    for day in shop.calendar:
        lines: dict[str, list[tuple[float, int]]] = defaultdict(list)
        for row in shop.books.current["purchase_orders"]:
            received = row["received_date"]
            if row["status"] == "cancelled" or not row["received_quantity"] or received is None:
                continue
            if 0 <= (day - received).days <= 89 and 0 <= (day - row["business_date"]).days <= 270:
                wait = (received - row["business_date"]).days
                lines[row["supplier_code"]].append((float(row["received_quantity"]), wait))
        for supplier, received_lines in lines.items():
            top, bottom = sum(u * w for u, w in received_lines), sum(u for u, _ in received_lines)
            cells.add((day, supplier), top, bottom, top / bottom, reason_code=None, coverage_pct=100.0,
                      receipts=len(received_lines))  # fmt: skip
    return cells


def _fill_rate(shop: Days) -> Cells:
    cells = Cells(("supplier_code",))
    for day in shop.calendar:
        lines: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for row in shop.books.current["purchase_orders"]:
            due = 0 <= (day - row["promised_date"]).days <= 89
            if row["status"] != "cancelled" and due and 0 <= (day - row["business_date"]).days <= 270:
                ordered = float(row["ordered_quantity"])
                arrived = row["received_date"] is not None and row["received_date"] <= day
                got = min(float(row["received_quantity"] or 0), ordered) if arrived else 0.0
                lines[row["supplier_code"]].append((got, ordered))
        for supplier, parts in lines.items():
            top, bottom = sum(g for g, _ in parts), sum(o for _, o in parts)
            cells.add((day, supplier), top, bottom, top / bottom if bottom else None,
                      reason_code=None if bottom else "no_demand", coverage_pct=100.0,
                      due_lines=len(parts))  # fmt: skip
    return cells


# ---- counts ------------------------------------------------------------------------------------------


def _counts(shop: Days, day: date) -> dict[str, list[Any]]:
    """The counts of 90 days by location."""
    found: dict[str, list[Any]] = defaultdict(list)
    for row in shop.books.current["stock_counts"]:
        if 0 <= (day - row["business_date"]).days <= 89:
            found[row["location_code"]].append(row)
    return found


def _record_accuracy(shop: Days) -> Cells:
    cells = Cells(("location_code",))
    for day in shop.calendar:
        for place, rows in _counts(shop, day).items():
            known = [r for r in rows if r["book_quantity"] is not None]
            right = sum(r["book_quantity"] == r["counted_quantity"] for r in known)
            cells.add((day, place), float(right), float(len(known)), right / len(known) if known else None,
                      reason_code=None if known else "no_book", coverage_pct=100 * len(known) / len(rows),
                      counted_records=len(rows))  # fmt: skip
    return cells


def _shrinkage(shop: Days) -> Cells:
    cells = Cells(("location_code",))
    for day in shop.calendar:
        for place, rows in _counts(shop, day).items():
            missing = [units * cost for r in rows if (units := _short(r)) is not None
                       and (cost := _cost(shop, r["sku"])) is not None]  # fmt: skip
            net = sum(float(r["net_amount"] or 0) for r in shop.books.current["sales"]
                      if r["location_code"] == place and 0 <= (day - r["business_date"]).days <= 89)  # fmt: skip
            why = "no_cost" if not missing else None if net > 0 else "no_demand"
            cells.add((day, place), sum(missing) if missing else None, net, None if why else sum(missing) / net,
                      reason_code=why, coverage_pct=100 * len(missing) / len(rows),
                      surplus=-sum(m for m in missing if m < 0))  # fmt: skip
    return cells


def _short(row: Any) -> float | None:
    """Units that the books had and nobody found; negative for what was too many."""
    return None if row["book_quantity"] is None else float(row["book_quantity"] - row["counted_quantity"])


def _cost(shop: Days, sku: str) -> float | None:
    cost = shop.books.product.get(sku, {}).get("unit_cost")
    return None if cost is None else float(cost)
