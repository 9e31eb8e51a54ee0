"""Every KPI, computed by hand from the books, as the formula in its definition's header says."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from statistics import mean
from typing import Any

from tests.golden.books import Books

CARRY_DAYS = 7
WINDOW = 28
USUAL_LINES = 5
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
    trade: "Trade"
    listed: bool = True
    told: bool = True  # whether its sales are known: they are not missing

    @property
    def value(self) -> float | None:
        """The stock at cost."""
        return None if self.on_hand is None or self.cost is None else self.on_hand * self.cost

    @property
    def sold(self) -> float:
        """Units."""
        return self.trade.units

    @property
    def cogs(self) -> float | None:
        """What was sold, at cost."""
        return None if self.cost is None or not self.told else self.sold * self.cost

    @property
    def margin(self) -> float | None:
        """What was earned on the lines whose amount and cost are known."""
        if not self.trade.lines:
            return 0.0 if self.told else None
        cost, known = self.cost, [(units, net) for units, net in self.trade.lines if net is not None]
        return sum((net - units * cost for units, net in known), 0.0) if known and cost is not None else None

    @property
    def margin_units(self) -> float:
        """Units that went over the counter, either way, with a known margin."""
        return 0.0 if self.margin is None else sum(abs(units) for units, net in self.trade.lines if net is not None)


@dataclass
class Trade:
    """The lines of a SKU, location and day: units and net amount."""

    lines: list[tuple[float, float | None]] = field(default_factory=list)

    @cached_property
    def units(self) -> float:
        """Units sold, returns taken off."""
        return sum(units for units, _ in self.lines)

    @property
    def moved(self) -> float:
        """Units that went over the counter, either way."""
        return sum(abs(units) for units, _ in self.lines)


Place = tuple[str, str]


@dataclass
class Days:
    """The shop day by day."""

    books: Books

    @cached_property
    def calendar(self) -> list[date]:
        """Every day from the first to the newest business date of any fact about stock, sales or demand."""
        feeds = ("stock_snapshots", "sales", "stock_movements", "stock_counts", "customer_orders")
        known = [row["business_date"] for feed in feeds for row in self.books.current[feed]]
        known += [row["shipped_date"] for row in self.books.current["customer_orders"] if row["shipped_date"]]
        return days(min(known), max(known))

    def until(self, *feeds: str) -> list[date]:
        """Return the days of the calendar up to the newest one that these feeds know."""
        rows = [row for feed in feeds for row in self.books.current[feed]]
        ends = [max(row["business_date"], row.get("received_date") or row["business_date"]) for row in rows]
        return [day for day in self.calendar if not ends or day <= max(ends)]

    @cached_property
    def stock_days(self) -> list[date]:
        """The days of the stock KPIs: a sale long after the last balance does not make them longer."""
        reach = self.until("stock_snapshots")[-1] + timedelta(days=CARRY_DAYS)
        feeds = ("stock_snapshots", "sales", "stock_movements")
        known = [row["business_date"] for feed in feeds for row in self.books.current[feed]]
        return days(self.calendar[0], max(day for day in known if day <= reach))

    @cached_property
    def shelves(self) -> dict[Place, dict[date, Shelf]]:
        """Each shelf from the day of its first balance: while it is listed, or as long as there is stock."""
        stated: dict[Place, dict[date, Any]] = defaultdict(dict)
        for row in self.books.current["stock_snapshots"]:
            if self.books.place.get(row["location_code"], {}).get("type", "store") not in NOT_SHELVES:
                stated[row["sku"], row["location_code"]][row["business_date"]] = row
        return {place: self._shelf(place, by_day) for place, by_day in sorted(stated.items())}

    def _shelf(self, place: Place, stated: dict[date, Any]) -> dict[date, Shelf]:
        found: dict[date, Shelf] = {}
        last, stated_cost, moved = None, None, Decimal(0)
        for day in days(min(stated), self.stock_days[-1]):
            moved = Decimal(0) if day in stated else moved + self.flow(place, day)
            last = stated.get(day, last)
            assert last is not None
            stated_cost = last["unit_cost"] if last["unit_cost"] is not None else stated_cost
            cost = stated_cost if stated_cost is not None else self.product_on(place[0], day).get("unit_cost")
            known = (day - last["business_date"]).days <= CARRY_DAYS
            free = last["available"] if last.get("available") is not None else last["on_hand"]
            listed = self._listed(place, day)
            if listed or last["on_hand"] + moved != 0:
                found[day] = Shelf(
                    float(last["on_hand"] + moved) if known else None, float(free + moved) if known else None,
                    None if cost is None else float(cost), self.sold.get((*place, day), Trade()), listed,
                    (place[1], day) not in self.missing,
                )  # fmt: skip
        return found

    def _listed(self, place: Place, day: date) -> bool:
        product, location = self.books.product.get(place[0], {}), self.books.place.get(place[1], {})
        begins = [d for d in (product.get("listed_from"), location.get("opened_on")) if d]
        ends = [d for d in (product.get("delisted_on"), location.get("closed_on")) if d]
        return all(day >= d for d in begins) and all(day < d for d in ends)

    def flow(self, place: Place, day: date) -> Decimal:
        """What moved on a day: customers' units as the movements have them, else as the tills have them."""
        rows = self.moves.get((*place, day), [])
        customers = [r["quantity"] for r in rows if _of_customers(r)]
        other = sum((r["quantity"] for r in rows if not _of_customers(r)), Decimal(0))
        sold = self.sold.get((*place, day), Trade()).units
        return other + (sum(customers, Decimal(0)) if customers else -Decimal(str(sold)))

    @cached_property
    def moves(self) -> dict[tuple[str, str, date], list[Any]]:
        """Each movement, by SKU, location and day."""
        found: dict[tuple[str, str, date], list[Any]] = defaultdict(list)
        for row in self.books.current["stock_movements"]:
            found[row["sku"], row["location_code"], row["business_date"]].append(row)
        return found

    def product_on(self, sku: str, day: date) -> dict[str, Any]:
        """Return the product as it was stated for that day; the first statement holds for all days before."""
        now = self.books.product.get(sku, {})
        dated = {_stated_on(row): row for row in self.books.stated.get(sku, ())}
        if len(dated) < 2:
            return now
        chosen = max((d for d in dated if d <= day), default=min(dated))
        return now if chosen == max(dated) else dated[chosen]

    @cached_property
    def sold(self) -> dict[tuple[str, str, date], Trade]:
        """The lines of each SKU, location and day."""
        found: dict[tuple[str, str, date], Trade] = defaultdict(Trade)
        for row in self.books.current["sales"]:
            net = None if row["net_amount"] is None else float(row["net_amount"])
            found[row["sku"], row["location_code"], row["business_date"]].lines.append((float(row["quantity"]), net))
        return dict(found)

    @cached_property
    def missing(self) -> set[tuple[str, date]]:
        """Locations and days without a line, where the same weekdays before say that there must be some."""
        lines = Counter((row["location_code"], row["business_date"]) for row in self.books.current["sales"])
        found = set()
        for location, first in lines:
            for day in (first + timedelta(weeks=week) for week in range(1, 5)):
                before = [n for week in range(1, 5) if (n := lines[location, day - timedelta(weeks=week)])]
                closed = self.books.place.get(location, {}).get("closed_on")
                is_open = closed is None or day < closed
                if is_open and not lines[location, day] and len(before) >= 2 and mean(before) >= USUAL_LINES:
                    found.add((location, day))
        return found

    @cached_property
    def elsewhere(self) -> dict[tuple[str, str, date], Shelf]:
        """What was sold where no balance is known on the day."""
        found = {}
        for (sku, location, day), trade in self.sold.items():
            if day not in self.shelves.get((sku, location), {}):
                cost = self.product_on(sku, day).get("unit_cost")
                found[sku, location, day] = Shelf(None, None, None if cost is None else float(cost), trade, False)
        return found

    @cached_property
    def sales(self) -> dict[tuple[str, str, date], Shelf]:
        """Every SKU, location and day with sales, with or without a balance."""
        found = {(*place, day): s for place, shelf in self.shelves.items() for day, s in shelf.items() if s.trade.lines}
        return found | self.elsewhere

    @cached_property
    def receipts(self) -> dict[str, list[Any]]:
        """Goods receipts and their reversals by SKU, in the order of their days."""
        found: dict[str, list[Any]] = defaultdict(list)
        for row in sorted(self.books.current["stock_movements"], key=_by_day):
            if row["movement_type"] == "receipt" and row["quantity"]:
                found[row["sku"]].append(row)
        return found

    def standing(self, sku: str, day: date) -> list[tuple[date, float]]:
        """Return what is left of each receipt on a day (oldest first), what was taken back taken off."""
        left: list[list[Any]] = []
        for row in (r for r in self.receipts.get(sku, ()) if r["business_date"] <= day):
            units = float(row["quantity"])
            same = [n for n, r in enumerate(left) if r[1] == -units and r[2] == row["location_code"]]
            if units < 0 and same:
                del left[same[-1]]
            else:
                left.append([row["business_date"], units, row["location_code"]])
        return _taken_back(left)


def _taken_back(layers: list[list[Any]]) -> list[tuple[date, float]]:
    """A reversal of no receipt of its own takes from the newest layers before it."""
    stack: list[list[Any]] = []
    for received, units, *_ in layers:
        if units > 0:
            stack.append([received, units])
            continue
        rest = -units
        while rest > 0 and stack:
            part = min(rest, stack[-1][1])
            rest -= part
            stack[-1][1] -= part
            if stack[-1][1] == 0:
                stack.pop()
    return [(received, units) for received, units in stack]


def _of_customers(row: Any) -> bool:
    return row["movement_type"] == "issue" or (row["movement_type"] == "return" and row["quantity"] > 0)


def _by_day(row: Any) -> tuple[Any, ...]:
    return row["business_date"], -row["quantity"], row["document"], row["line_number"]


def _stated_on(row: Any) -> date:
    return datetime.fromisoformat(row["updated_at"]).astimezone(UTC).date()


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
        return 100 * sum(p.on_hand is not None and p.told for p in self.parts) / self.listed

    @property
    def valued(self) -> float:
        """Share of days whose value is known, in per cent."""
        return 100 * sum(p.value is not None and p.told for p in self.parts) / self.listed

    @property
    def told(self) -> int:
        """Days whose sales are known."""
        return sum(p.told for p in self.parts)

    @property
    def sold(self) -> float:
        """Units."""
        return sum(p.sold for p in self.parts)

    @property
    def costed(self) -> int:
        """Days whose cost of sales is known."""
        return sum(p.cogs is not None for p in self.parts)

    @property
    def margin(self) -> float | None:
        """Gross margin, as far as it is known."""
        known = [p.margin for p in self.parts if p.margin is not None]
        return sum(known) if known else None

    @property
    def margin_share(self) -> float:
        """Share of the units that went over the counter whose margin is known."""
        moved = sum(p.trade.moved for p in self.parts)
        return sum(p.margin_units for p in self.parts) / moved if moved else 1.0

    @property
    def cogs(self) -> float | None:
        """Cost of goods sold."""
        known = [p.cogs for p in self.parts if p.cogs is not None]
        return sum(known) if known else None

    @property
    def average(self) -> float | None:
        """Mean of the daily values; what cancels out is nothing."""
        known = [p.value for p in self.parts if p.value is not None]
        return round(sum(known) / len(known), 6) if known else None


def compute(books: Books) -> dict[str, Cells]:
    """Return every KPI by name."""
    from tests.golden.ahead import compute_ahead
    from tests.golden.assortment import compute_assortment
    from tests.golden.bridge import compute_bridge
    from tests.golden.customers import compute_customers
    from tests.golden.freshness import compute_freshness
    from tests.golden.more import compute_more

    shop = Days(books)
    by_day = {"stock_on_hand": _on_hand, "stock_value": _value, "stockout_rate": _stockout}
    by_window = {"inventory_turnover": _turnover, "days_of_supply": _supply, "sell_through": _sell_through,
                 "gmroi": _gmroi, "on_shelf_availability": _on_shelf}  # fmt: skip
    cells = {name: Cells(("sku", "location_code")) for name in (*by_day, *by_window)}
    for place, shelf in shop.shelves.items():
        ordered = sorted(shelf)
        for day in ordered:
            window = Window([shelf[d] for d in ordered if 0 <= (day - d).days < WINDOW])
            for name, one in by_day.items():
                one(cells[name], (day, *place), shelf[day])
            for name, many in by_window.items():
                many(cells[name], (day, *place), window)
    found = {
        **cells, **_sales(shop), **compute_more(shop), **compute_bridge(shop), **compute_ahead(shop),
        **compute_freshness(shop), **compute_customers(shop),
        "snapshot_ledger_residual": _residual(shop),
        # the shop states no reorder point
        "below_reorder_point": Cells(("sku", "location_code")),
        "dead_stock": _dead(shop), "abc_class": _abc(shop), "inventory_ageing": _ageing(shop),
        "supplier_lead_time": _lead_time(shop), "fill_rate": _fill_rate(shop),
        "record_accuracy": _record_accuracy(shop), "shrinkage": _shrinkage(shop),
    }  # fmt: skip
    return found | compute_assortment(shop, found)


# ---- of one day -------------------------------------------------------------------------------------


def _on_hand(cells: Cells, key: Key, shelf: Shelf) -> None:
    why = "stale" if shelf.on_hand is None else None
    cells.add(key, shelf.on_hand, None, shelf.on_hand, reason_code=why, coverage_pct=0.0 if why else 100.0)


def _value(cells: Cells, key: Key, shelf: Shelf) -> None:
    why = "stale" if shelf.on_hand is None else "no_cost" if shelf.cost is None else None
    cells.add(key, shelf.value, None, shelf.value, reason_code=why, coverage_pct=0.0 if why else 100.0)


def _stockout(cells: Cells, key: Key, shelf: Shelf) -> None:
    if not shelf.listed:
        return
    if shelf.available is None:
        cells.add(key, None, None, None, reason_code="stale", coverage_pct=0.0)
        return
    out = 1.0 if shelf.available <= 0 else 0.0
    cells.add(key, out, 1.0, out, reason_code=None, coverage_pct=100.0)


# ---- of 28 days --------------------------------------------------------------------------------------


def _per_stock(cells: Cells, key: Key, window: Window, earned: float | None, share: float = 1.0) -> None:
    """A sum of the period, per year, over the average stock value."""
    average, why = window.average, None
    if average is None:
        why = "stale" if window.parts[-1].cost is not None else "no_cost"
    elif average <= 0:
        why = "no_stock"
    elif not window.told:
        why = "missing_sales"
    elif earned is None:
        why = "no_price"
    a_year = None if why or earned is None else earned * 365 / window.costed
    below = None if why else average
    value = a_year / below if a_year is not None and below else None
    cells.add(key, a_year, below, value, reason_code=why, coverage_pct=window.valued * share)


def _turnover(cells: Cells, key: Key, window: Window) -> None:
    _per_stock(cells, key, window, window.cogs)


def _gmroi(cells: Cells, key: Key, window: Window) -> None:
    known = window.margin_share > 0
    _per_stock(cells, key, window, window.margin if known else None, window.margin_share)


def _net(shelf: Shelf) -> float | None:
    known = [net for _, net in shelf.trade.lines if net is not None]
    return sum(known) if known or (shelf.told and not shelf.trade.lines) else None


def _ratio(cells: Cells, key: Key, top: float | None, bottom: float | None, why: str | None, seen: float) -> None:
    """A cell without a value takes no part on either side."""
    if why or top is None or not bottom:
        cells.add(key, None, None, None, reason_code=why, coverage_pct=seen)
    else:
        cells.add(key, top, bottom, top / bottom, reason_code=None, coverage_pct=seen)


def _no_demand(window: Window) -> str:
    return "no_demand" if window.told else "missing_sales"


def _supply(cells: Cells, key: Key, window: Window) -> None:
    on_hand, a_day = window.parts[-1].on_hand, window.sold / max(window.told, 1)
    why = "stale" if on_hand is None else None if a_day > 0 else _no_demand(window)
    _ratio(cells, key, max(on_hand or 0.0, 0.0), a_day, why, window.seen)


def _sell_through(cells: Cells, key: Key, window: Window) -> None:
    on_hand, sold = window.parts[-1].on_hand, window.sold
    there = sold + max(on_hand or 0.0, 0.0)
    why = "stale" if on_hand is None else "missing_sales" if not window.told else "no_demand" if sold < 0 else None
    why = why or (None if there else "no_stock")
    _ratio(cells, key, sold, there, why, window.seen)


def _on_shelf(cells: Cells, key: Key, window: Window) -> None:
    if not window.parts[-1].listed:
        return
    available, asked = window.parts[-1].available, window.sold / max(window.told, 1)
    why = "stale" if available is None else None if asked > 0 else _no_demand(window)
    _ratio(cells, key, asked if (available or 0) > 0 else 0.0, asked, why, window.seen)


# ---- sales, with or without a balance -----------------------------------------------------------------


def _sales(shop: Days) -> dict[str, Cells]:
    names = ("units_sold", "net_sales", "gross_margin")
    cells = {name: Cells(("sku", "location_code")) for name in names}
    for (sku, location, day), shelf in shop.sales.items():
        key, nets = (day, sku, location), [line for line in shelf.trade.lines if line[1] is not None]
        _sum(cells["units_sold"], key, shelf.sold, None, 100.0)
        net = sum(n or 0.0 for _, n in nets) if nets else None
        share = 100 * sum(abs(units) for units, _ in nets) / shelf.trade.moved
        _sum(cells["net_sales"], key, net, None if nets else "no_price", share)
        why = None if shelf.margin is not None else "no_cost" if shelf.cost is None else "no_price"
        _sum(cells["gross_margin"], key, shelf.margin, why, 100 * shelf.margin_units / shelf.trade.moved)
    return cells


def _sum(cells: Cells, key: Key, value: float | None, why: str | None, share: float) -> None:
    cells.add(key, value, None, value, reason_code=why, coverage_pct=share)


def _residual(shop: Days) -> Cells:
    """What a balance says that the one before it and the ledger in between do not explain."""
    cells = Cells(("sku", "location_code"))
    stated: dict[Place, dict[date, Decimal]] = defaultdict(dict)
    for row in shop.books.current["stock_snapshots"]:
        stated[row["sku"], row["location_code"]][row["business_date"]] = row["on_hand"]
    for place, by_day in stated.items():
        for before, day in pairwise(sorted(by_day)):
            moved = sum((shop.flow(place, d) for d in days(before + timedelta(days=1), day)), Decimal(0))
            rest = float(by_day[day] - by_day[before] - moved)
            if rest and (day - before).days <= 31:
                cells.add((day, *place), rest, None, rest, reason_code=None, opening=float(by_day[before]),
                          moved=float(moved), closing=float(by_day[day]))  # fmt: skip
    return cells


# ---- with a memory -----------------------------------------------------------------------------------


def _dead(shop: Days) -> Cells:
    cells = Cells(("sku", "location_code"))
    sales = [r for r in shop.books.current["sales"] if r["quantity"] > 0]
    moves = [r for r in shop.books.current["stock_movements"]
             if r["movement_type"] in {"issue", "transfer_out"} and r["quantity"] < 0]  # fmt: skip
    left: dict[Place, list[date]] = defaultdict(list)
    for row in (*sales, *moves):
        left[row["sku"], row["location_code"]].append(row["business_date"])
    for place, shelf in shop.shelves.items():
        for day, state in shelf.items():
            quiet = all((day - moved).days >= 180 for moved in left[place] if moved <= day)
            _dead_cell(cells, (day, *place), state, quiet and _not_supplied(shop, place[0], day))
    return cells


def _not_supplied(shop: Days, sku: str, day: date) -> bool:
    """Whether it was received once, and not lately: what was sent back does not count as lately."""
    rows = [r for r in shop.receipts.get(sku, ()) if r["business_date"] <= day]
    received = [r for r in rows if r["quantity"] > 0]
    for row in (r for r in rows if r["quantity"] < 0):
        same = [r for r in received if r["quantity"] == -row["quantity"] and _earlier(r, row)]
        if same:
            received.remove(same[-1])
    return any(r["quantity"] > 0 for r in rows) and all((day - r["business_date"]).days >= 180 for r in received)


def _earlier(receipt: Any, reversal: Any) -> bool:
    return bool(receipt["location_code"] == reversal["location_code"] and _by_day(receipt) < _by_day(reversal))


def _dead_cell(cells: Cells, key: Key, shelf: Shelf, asleep: bool) -> None:
    dead = asleep and (shelf.on_hand or 0) > 0
    why = "stale" if shelf.on_hand is None else "no_cost" if shelf.value is None else None
    why = why or (None if (shelf.value or 0) > 0 else "no_stock")
    _ratio(cells, key, shelf.value if dead else 0.0, shelf.value, why, 0.0 if shelf.value is None else 100.0)


def _abc(shop: Days) -> Cells:
    cells = Cells(("sku",))
    daily: dict[str, dict[date, list[Shelf]]] = defaultdict(lambda: defaultdict(list))
    for (sku, _), shelf in shop.shelves.items():
        for day, state in shelf.items():
            daily[sku][day].append(state)
    for (sku, _, day), state in shop.elsewhere.items():
        daily[sku][day].append(state)
    for day in shop.until("sales"):
        year = {sku: [s for d, some in by_day.items() if 0 <= (day - d).days <= 364 for s in some]
                for sku, by_day in daily.items()}  # fmt: skip
        _classify(cells, day, {sku: states for sku, states in year.items() if states})
    return cells


def _classify(cells: Cells, day: date, year: dict[str, list[Shelf]]) -> None:
    costed = {sku: [s.cogs for s in states if s.cogs is not None] for sku, states in year.items()}
    used = {sku: round(max(0.0, sum(cogs)), 6) for sku, cogs in costed.items()}
    total, before = sum(used.values()), 0.0
    for rank, sku in enumerate(sorted(used, key=lambda s: (-used[s], s)), 1):
        share = "A" if before < 0.8 * total else "B" if before < 0.95 * total else "C"
        why = "no_cost" if not costed[sku] else None if total else "no_demand"
        _ratio(cells, (day, sku), used[sku], total, why, _costed_share(year[sku]))
        cells.rows[day, sku] |= {"abc_class": share if used[sku] > 0 else "C", "rank_of_sku": rank}
        before += used[sku]


def _costed_share(states: list[Shelf]) -> float:
    moved = sum(s.trade.moved for s in states)
    if moved:
        return 100 * sum(s.trade.moved for s in states if s.cogs is not None) / moved
    return 100.0 if any(s.cogs is not None for s in states) else 0.0


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
        _age(cells, day, sku, max(units, 0.0), shop.standing(sku, day))
    return cells


def _age(cells: Cells, day: date, sku: str, units: float, layers: list[tuple[date, float]]) -> None:
    """First in, first out: what is there came with the newest deliveries."""
    rest, unit_days = units, 0.0
    buckets = dict.fromkeys(BUCKETS, 0.0)
    for received, there in reversed(layers):
        part, age = min(rest, there), (day - received).days
        rest -= part
        unit_days += part * age
        buckets[next(name for name, (low, high) in BUCKETS.items() if low <= age <= high)] += part
    found = units - rest
    why = "no_stock" if units == 0 else "missing_days" if found == 0 else None
    cells.add((day, sku), unit_days if found else None, found or None, unit_days / found if found else None,
              reason_code=why, coverage_pct=100.0 * found / units if units else 100.0,
              units_unknown=rest, **buckets)  # fmt: skip


# ---- suppliers ---------------------------------------------------------------------------------------


def _lead_time(shop: Days) -> Cells:
    cells = Cells(("supplier_code",))
    for day in shop.until("purchase_orders"):
        lines: dict[str, list[tuple[float, int | None]]] = defaultdict(list)
        for row in shop.books.current["purchase_orders"]:
            received, ordered = row["received_date"], row["business_date"]
            if row["status"] == "cancelled" or not row["received_quantity"] or not 0 <= (day - ordered).days <= 270:
                continue
            if 0 <= (day - (received or ordered)).days <= 89:
                wait = (received - ordered).days if received else None
                lines[row["supplier_code"]].append((float(row["received_quantity"]), wait))
        for supplier, parts in lines.items():
            dated = [(units, wait) for units, wait in parts if wait is not None]
            top, bottom = sum(u * w for u, w in dated), sum(u for u, _ in dated)
            share = 100 * bottom / sum(u for u, _ in parts)
            _ratio(cells, (day, supplier), top, bottom, None if dated else "no_receipt_date", share)
            cells.rows[day, supplier]["receipts"] = len(dated)
    return cells


def _fill_rate(shop: Days) -> Cells:
    cells = Cells(("supplier_code",))
    for day in shop.until("purchase_orders"):
        lines: dict[str, list[tuple[float, float, bool]]] = defaultdict(list)
        for row in shop.books.current["purchase_orders"]:
            due_on = row["promised_date"] or row["business_date"]
            in_time = 0 <= (day - due_on).days <= 89 and 0 <= (day - row["business_date"]).days <= 270
            if row["status"] != "cancelled" and in_time:
                ordered = max(float(row["ordered_quantity"]) - float(row.get("cancelled_quantity") or 0), 0.0)
                accepted = max(float(row["received_quantity"] or 0) - float(row.get("rejected_quantity") or 0), 0.0)
                arrived = row["received_date"] is None or row["received_date"] <= day
                promised = row["promised_date"] is not None
                lines[row["supplier_code"]].append((min(accepted, ordered) if arrived else 0.0, ordered, promised))
        for supplier, parts in lines.items():
            due = [(got, ordered) for got, ordered, promised in parts if promised]
            top, bottom, all_ = sum(g for g, _ in due), sum(o for _, o in due), sum(o for _, o, _ in parts)
            why = "no_promised_date" if not due else None if bottom else "no_demand"
            _ratio(cells, (day, supplier), top, bottom, why, 100 * bottom / all_ if all_ else 100.0)
            cells.rows[day, supplier]["due_lines"] = len(due)
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
    for day in shop.until("stock_counts"):
        for place, rows in _counts(shop, day).items():
            known = [r for r in rows if r["book_quantity"] is not None]
            right = sum(r["book_quantity"] == r["counted_quantity"] for r in known)
            _ratio(cells, (day, place), float(right), float(len(known)), None if known else "no_book",
                   100 * len(known) / len(rows))  # fmt: skip
            cells.rows[day, place]["counted_records"] = len(rows)
    return cells


def _shrinkage(shop: Days) -> Cells:
    cells = Cells(("location_code",))
    for day in shop.until("sales"):
        for place, rows in _counts(shop, day).items():
            with_book = [(r, units) for r in rows if (units := _short(r)) is not None]
            missing = [units * cost for r, units in with_book
                       if (cost := _cost(shop, r["sku"], r["business_date"])) is not None]  # fmt: skip
            net = sum(float(r["net_amount"] or 0) for r in shop.books.current["sales"]
                      if r["location_code"] == place and 0 <= (day - r["business_date"]).days <= 89)  # fmt: skip
            why = "no_book" if not with_book else "no_cost" if not missing else None if net > 0 else "no_demand"
            _ratio(cells, (day, place), sum(missing), net, why, 100 * len(missing) / len(rows))
            cells.rows[day, place]["surplus"] = -sum(m for m in missing if m < 0)
    return cells


def _short(row: Any) -> float | None:
    """Units that the books had and nobody found; negative for what was too many."""
    return None if row["book_quantity"] is None else float(row["book_quantity"] - row["counted_quantity"])


def _cost(shop: Days, sku: str, day: date) -> float | None:
    cost = shop.product_on(sku, day).get("unit_cost")
    return None if cost is None else float(cost)
