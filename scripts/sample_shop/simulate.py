"""Day by day: deliveries, transfers, sales, returns, counts, orders. The same seed, the same shop."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from math import ceil, exp
from random import Random
from typing import Any

from scripts.sample_shop.catalogue import (
    FIRST_DAY,
    LAST_DAY,
    LOCATIONS,
    PRODUCTS,
    STORES,
    SUPPLIERS,
    TRANSIT,
    WAREHOUSE,
    Product,
    Supplier,
)

SEED = "maison-verger"
START = date(2026, 5, 4)
Row = dict[str, Any]
Place = tuple[str, str]

WEEKDAY = (0.75, 0.85, 1.0, 0.95, 1.2, 1.85, 0.0)
PROMOTION = {"SB-3010": 0.8, "SB-3020": 0.8, "PP-2010": 0.85, "GT-1020": 0.85}
PROMOTION_DAYS = (date(2026, 9, 14), date(2026, 9, 19))
DELIVERY_DAYS = {"LYO": (1, 4), "NA": (2,), "GVA": (3,)}
COVER_DAYS = {"LYO": 27, "NA": 37, "GVA": 40}
COUNT_DAYS = {date(2026, 9, 17): "LYO", date(2026, 9, 30): "NA", date(2026, 10, 8): "LYO"}
# what was due from a supplier in these days came only at the end of them: a strike, a customs jam
JAMS = {"S100": (date(2026, 9, 7), date(2026, 9, 18)), "S300": (date(2026, 9, 1), date(2026, 9, 22))}
OVERSOLD = (date(2026, 9, 12), "NA", "KI-5040", 3)
VAT = {"EUR": Decimal("1.20"), "CHF": Decimal("1.081")}
CHF_PRICE_FACTOR = Decimal("1.05")
CENT = Decimal("0.01")

_SUPPLIER = {s.code: s for s in SUPPLIERS}
_PRODUCT = {p.sku: p for p in PRODUCTS}
_LOCATION = {place.code: place for place in LOCATIONS}


@dataclass
class Shop:
    """All that is known on one day, and all that was written down so far."""

    stock: dict[Place, int] = field(default_factory=lambda: defaultdict(int))
    layers: dict[Place, list[list[Any]]] = field(default_factory=lambda: defaultdict(list))
    on_the_road: list[tuple[date, str, list[list[Any]]]] = field(default_factory=list)
    orders: list[Row] = field(default_factory=list)
    opening: list[Row] = field(default_factory=list)
    movements: list[Row] = field(default_factory=list)
    sales: list[Row] = field(default_factory=list)
    snapshots: list[Row] = field(default_factory=list)
    counts: list[Row] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def chance(*parts: object) -> Random:
    """Return a source of chance of its own for one purpose, so that a change elsewhere does not stir it."""
    return Random(":".join(str(part) for part in (SEED, *parts)))


def run() -> Shop:
    """Return the shop after its last day."""
    shop = Shop()
    _stock_up(shop)
    day = START
    while day <= LAST_DAY:
        if day == FIRST_DAY:
            _write_opening(shop)
        _one_day(shop, day)
        day += timedelta(days=1)
    return shop


def _one_day(shop: Shop, day: date) -> None:
    _receive(shop, day)
    _arrive(shop, day)
    _transfer(shop, day)
    for store in STORES:
        _sell(shop, day, store)
    _count(shop, day)
    _order(shop, day)
    if day >= FIRST_DAY:
        _snapshot(shop, day)


# ---- stock and its layers -------------------------------------------------------------------------


def _put(shop: Shop, sku: str, place: str, received: date, quantity: int) -> None:
    shop.stock[sku, place] += quantity
    owed = quantity - max(0, min(quantity, shop.stock[sku, place]))
    if quantity > owed:
        shop.layers[sku, place].append([received, quantity - owed])


def _take(shop: Shop, sku: str, place: str, quantity: int) -> list[list[Any]]:
    shop.stock[sku, place] -= quantity
    taken: list[list[Any]] = []
    layers = shop.layers[sku, place]
    while quantity and layers:
        part = min(quantity, layers[0][1])
        taken.append([layers[0][0], part])
        layers[0][1] -= part
        quantity -= part
        if not layers[0][1]:
            layers.pop(0)
    return taken


def _share(product: Product, store: str) -> float:
    total = sum(_LOCATION[s].share for s in product.stores.split())
    return _LOCATION[store].share / total if store in product.stores.split() else 0.0


def _stock_up(shop: Shop) -> None:
    for product in PRODUCTS:
        if product.late:
            continue
        since = product.dead_since or START - timedelta(days=chance("age", product.sku).randint(3, 25))
        lead = _SUPPLIER[product.supplier].lead
        _put(
            shop,
            product.sku,
            WAREHOUSE,
            since,
            16 if product.dead_since else ceil(product.daily * product.belief * (lead + 30)),
        )
        for store in product.stores.split():
            cover = COVER_DAYS[store] * product.daily * _share(product, store)
            _put(shop, product.sku, store, since, 6 if product.dead_since else ceil(cover))


def _write_opening(shop: Shop) -> None:
    """The lots on the shelves on the eve of the first day, each with the day it was received."""
    for (sku, place), layers in sorted(shop.layers.items()):
        for received, quantity in layers:
            _move(
                shop, received, "receipt", sku, place, quantity, document="OPENING", reason="opening balance"
            )


def _move(  # noqa: PLR0913, PLR0917
    shop: Shop,
    day: date,
    kind: str,
    sku: str,
    place: str,
    quantity: int,
    *,
    document: str,
    counterpart: str = "",
    reason: str = "",
    unit: str = "",
    stated: object = None,
    cost: str = "",
    currency: str = "EUR",
) -> None:
    opening = document == "OPENING"
    if day < FIRST_DAY and not opening:
        return
    shop.numbers[document] += 1
    product = _PRODUCT[sku]
    row: Row = {
        "document": document,
        "line_number": shop.numbers[document],
        "business_date": day,
        "entry_date": day,
        "movement_type": kind,
        "sku": sku,
        "location_code": place,
        "counterpart_location": counterpart,
        "quantity": quantity if stated is None else stated,
        "unit": unit or product.base_unit,
        "unit_cost": Decimal(cost or product.cost),
        "currency": currency,
        "reason": reason,
    }
    (shop.opening if opening else shop.movements).append(row)


# ---- from suppliers -------------------------------------------------------------------------------


def _order(shop: Shop, day: date) -> None:
    for supplier in SUPPLIERS:
        if day.weekday() == int(supplier.code[1]) - 1:
            _order_from(shop, day, supplier)


def _order_from(shop: Shop, day: date, supplier: Supplier) -> None:
    number = f"PO-{day:%y%m%d}-{supplier.code}"
    for product in (p for p in PRODUCTS if p.supplier == supplier.code and p.daily):
        wanted = _wanted(shop, day, product, supplier)
        if wanted:
            shop.numbers[number] += 1
            shop.orders.append(_order_line(day, number, shop.numbers[number], product, supplier, wanted))


def _wanted(shop: Shop, day: date, product: Product, supplier: Supplier) -> int:
    """Packs to order: up to demand over lead time, review and safety; only when below the reorder point."""
    first = product.listed - timedelta(days=12)
    if product.late and not first <= day:
        return 0
    coming = sum(o["units"] - o["arrived"] for o in shop.orders if o["sku"] == product.sku and o["open"])
    position = shop.stock[product.sku, WAREHOUSE] + coming
    review = 7 if supplier.lead < 12 else 14
    daily = product.daily * product.belief
    point = daily * (supplier.lead + 28)
    return ceil((point + daily * review - position) / product.pack) if position < point else 0


def _order_line(  # noqa: PLR0913, PLR0917
    day: date, number: str, line: int, product: Product, supplier: Supplier, packs: int
) -> Row:
    luck = chance("order", number, product.sku)
    promised = day + timedelta(days=supplier.lead)
    late = luck.choice((-1, 0, 0, 0, 1, supplier.spread, supplier.spread + 1))
    units = packs * product.pack
    short = luck.random() < supplier.short and packs > 1
    first = max(1, round(packs * luck.uniform(0.5, 0.85))) * product.pack if short else units
    arrivals = [(_jammed(supplier, promised + timedelta(days=late)), first)]
    if short and luck.random() < 0.5:
        arrivals.append((arrivals[0][0] + timedelta(days=luck.randint(4, 9)), units - first))
    by_case = supplier.code in {"S200", "S400"}
    return {
        "order_number": number,
        "line_number": line,
        "business_date": day,
        "supplier_code": supplier.code,
        "sku": product.sku,
        "location_code": WAREHOUSE,
        "units": units,
        "pack": product.pack if by_case else 1,
        "unit": "CS" if by_case and product.pack > 1 else product.base_unit,
        "currency": supplier.currency,
        "unit_cost": _cost_in(product.cost, supplier.currency, product.pack if by_case else 1),
        "promised_date": promised,
        "arrivals": arrivals,
        "arrived": 0,
        "open": True,
    }


def _jammed(supplier: Supplier, day: date) -> date:
    first, last = JAMS.get(supplier.code, (date.max, date.max))
    return last if first <= day < last else day


_ROUGH_RATE = {"EUR": Decimal(1), "GBP": Decimal("1.15"), "USD": Decimal("0.92"), "CHF": Decimal("1.04")}


def _cost_in(cost: str, currency: str, pack: int) -> Decimal:
    return (Decimal(cost) * pack / _ROUGH_RATE[currency]).quantize(CENT, ROUND_HALF_UP)


def _receive(shop: Shop, day: date) -> None:
    for order in shop.orders:
        for when, units in order["arrivals"]:
            if when == day:
                _receive_line(shop, day, order, units)


def _receive_line(shop: Shop, day: date, order: Row, units: int) -> None:
    order["arrived"] += units
    order["open"] = order["arrivals"][-1][0] > day
    _put(shop, order["sku"], WAREHOUSE, day, units)
    _move(
        shop,
        day,
        "receipt",
        order["sku"],
        WAREHOUSE,
        units,
        document=f"GR-{day:%y%m%d}-{order['supplier_code']}",
        unit=order["unit"],
        stated=units // order["pack"] if order["unit"] == "CS" else units,
        cost=str(order["unit_cost"]),
        currency=order["currency"],
        reason=order["order_number"],
    )


# ---- between places -------------------------------------------------------------------------------


def _transfer(shop: Shop, day: date) -> None:
    for store, days in DELIVERY_DAYS.items():
        if day.weekday() in days:
            for product in PRODUCTS:
                _replenish(shop, day, store, product)


def _replenish(shop: Shop, day: date, store: str, product: Product) -> None:
    rate = product.daily * _share(product, store)
    if not rate or (product.late and day < product.listed - timedelta(days=6)):
        return
    here = shop.stock[product.sku, store] + _underway(shop, product.sku, store)
    target = ceil(rate * product.belief * COVER_DAYS[store]) + 1
    quantity = min(target - here, max(0, shop.stock[product.sku, WAREHOUSE]))
    if quantity > 0 and here < target * 0.7:
        _send(shop, day, store, product.sku, quantity)


def _underway(shop: Shop, sku: str, store: str) -> int:
    return shop.stock[sku, TRANSIT] if store == "GVA" else 0


def _send(shop: Shop, day: date, store: str, sku: str, quantity: int) -> None:
    document = f"TR-{day:%y%m%d}-{store}"
    lots = _take(shop, sku, WAREHOUSE, quantity)
    target = TRANSIT if store == "GVA" else store
    _move(shop, day, "transfer_out", sku, WAREHOUSE, -quantity, document=document, counterpart=target)
    for received, part in lots:
        _put(shop, sku, target, received, part)
    _move(shop, day, "transfer_in", sku, target, quantity, document=document, counterpart=WAREHOUSE)
    if target == TRANSIT:
        shop.on_the_road.append((day + timedelta(days=2), sku, lots))


def _arrive(shop: Shop, day: date) -> None:
    for when, sku, lots in shop.on_the_road:
        if when == day:
            _cross(shop, day, sku, lots)


def _cross(shop: Shop, day: date, sku: str, lots: list[list[Any]]) -> None:
    quantity = sum(part for _, part in lots)
    document = f"TA-{day:%y%m%d}-GVA"
    _take(shop, sku, TRANSIT, quantity)
    _move(shop, day, "transfer_out", sku, TRANSIT, -quantity, document=document, counterpart="GVA")
    for received, part in lots:
        _put(shop, sku, "GVA", received, part)
    _move(shop, day, "transfer_in", sku, "GVA", quantity, document=document, counterpart=TRANSIT)


# ---- over the counter -----------------------------------------------------------------------------


def _poisson(luck: Random, mean: float) -> int:
    limit, product, count = exp(-mean), luck.random(), 0
    while product > limit:
        product *= luck.random()
        count += 1
    return count


def _promoted(day: date, sku: str) -> bool:
    return sku in PROMOTION and PROMOTION_DAYS[0] <= day <= PROMOTION_DAYS[1]


def _sell(shop: Shop, day: date, store: str) -> None:
    for product in PRODUCTS:
        rate = product.daily * _share(product, store) * WEEKDAY[day.weekday()]
        if not rate or day < product.listed:
            continue
        luck = chance("sale", day, store, product.sku)
        wanted = _poisson(luck, rate * (2.2 if _promoted(day, product.sku) else 1.0))
        sold = min(wanted, max(0, shop.stock[product.sku, store]))
        if OVERSOLD[:3] == (day, store, product.sku):
            sold = max(0, shop.stock[product.sku, store]) + OVERSOLD[3]
        if sold:
            _ring_up(shop, day, store, product, sold)
        if luck.random() < 0.012:
            _ring_up(shop, day, store, product, -1)


def _ring_up(shop: Shop, day: date, store: str, product: Product, quantity: int) -> None:
    if quantity > 0:
        _take(shop, product.sku, store, quantity)
    else:
        _put(shop, product.sku, store, day, -quantity)
    kind = "issue" if quantity > 0 else "return"
    _move(shop, day, kind, product.sku, store, -quantity, document=f"Z-{store}-{day:%y%m%d}", reason="sale")
    if day >= FIRST_DAY:
        shop.sales.append(_sale(shop, day, store, product, quantity))


def _sale(shop: Shop, day: date, store: str, product: Product, quantity: int) -> Row:
    currency = _LOCATION[store].currency
    price = Decimal(product.price) * (CHF_PRICE_FACTOR if currency == "CHF" else 1)
    if _promoted(day, product.sku):
        price *= Decimal(str(PROMOTION[product.sku]))
    net = (price * quantity).quantize(CENT, ROUND_HALF_UP)
    receipt = f"{store}-{day:%Y%m%d}-1"
    shop.numbers[receipt] += 1
    return {
        "receipt_number": receipt,
        "line_number": shop.numbers[receipt],
        "business_date": day,
        "sold_at": f"{day.isoformat()}T19:{15 + shop.numbers[receipt] % 40:02d}:00+02:00",
        "sku": product.sku,
        "location_code": store,
        "quantity": quantity,
        "unit": product.base_unit,
        "net_amount": net,
        "gross_amount": (net * VAT[currency]).quantize(CENT, ROUND_HALF_UP),
        "currency": currency,
    }


# ---- what is counted and what is shown -------------------------------------------------------------


def _count(shop: Shop, day: date) -> None:
    store = COUNT_DAYS.get(day)
    for product in PRODUCTS if store else ():
        if (
            store in product.stores.split()
            and day >= product.listed
            and chance("pick", day, product.sku).random() < 0.6
        ):
            _count_one(shop, day, str(store), product)


def _count_one(shop: Shop, day: date, store: str, product: Product) -> None:
    book = shop.stock[product.sku, store]
    off = chance("count", day, product.sku).choices((0, -1, -2, -3, 1), (78, 12, 5, 2, 3))[0]
    counted = max(0, book + off)
    shop.counts.append(
        {
            "business_date": day,
            "sku": product.sku,
            "location_code": store,
            "counted_at": f"{day.isoformat()} 20:{len(shop.counts) % 50 + 5:02d}:00",
            "counted_quantity": counted,
            "book_quantity": book,
            "unit": product.base_unit,
            "counted_by": "M. Roux" if store == "LYO" else "A. Le Goff",
        }
    )
    if counted != book:
        change = counted - book
        if change > 0:
            _put(shop, product.sku, store, day, change)
        else:
            _take(shop, product.sku, store, -change)
        _move(
            shop,
            day,
            "adjustment",
            product.sku,
            store,
            change,
            document=f"CC-{store}-{day:%y%m%d}",
            reason="count",
        )


def _snapshot(shop: Shop, day: date) -> None:
    for product in PRODUCTS:
        if day < product.listed:
            continue
        for place in (*product.stores.split(), WAREHOUSE):
            shop.snapshots.append(_balance(shop, day, product, place))
        if "GVA" in product.stores.split() and (
            shop.stock[product.sku, TRANSIT] or day.weekday() in {3, 4, 5}
        ):
            shop.snapshots.append(_balance(shop, day, product, TRANSIT))


def _balance(shop: Shop, day: date, product: Product, place: str) -> Row:
    on_hand = shop.stock[product.sku, place]
    held = chance("held", day, place, product.sku).choices((0, 1, 2), (90, 8, 2))[0] if place in STORES else 0
    committed = held if on_hand > 4 else 0
    coming = sum(o["units"] - o["arrived"] for o in shop.orders if o["sku"] == product.sku and o["open"])
    return {
        "business_date": day,
        "sku": product.sku,
        "location_code": place,
        "on_hand": on_hand,
        "available": on_hand - committed,
        "committed": committed,
        "incoming": coming if place == WAREHOUSE else 0,
        "unit": product.base_unit,
        "unit_cost": Decimal(product.cost),
        "currency": "EUR",
    }
