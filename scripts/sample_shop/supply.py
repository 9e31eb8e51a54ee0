"""From suppliers to the warehouse, from the warehouse to the stores."""

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from math import ceil
from typing import Any

from scripts.sample_shop.catalogue import (
    PRODUCTS,
    SUPPLIERS,
    TRANSIT,
    WAREHOUSE,
    Product,
    Supplier,
)
from scripts.sample_shop.shelves import Row, Shop, chance, move, put, share, take

DELIVERY_DAYS = {"LYO": (1, 4), "NA": (2,), "GVA": (3,)}
COVER_DAYS = {"LYO": 27, "NA": 37, "GVA": 40}
# what was due from a supplier in these days came only at the end of them: a strike, a customs jam
JAMS = {"S100": (date(2026, 9, 7), date(2026, 9, 18)), "S300": (date(2026, 9, 1), date(2026, 9, 22))}
CENT = Decimal("0.01")
SUPPLIER = {s.code: s for s in SUPPLIERS}


def order(shop: Shop, day: date) -> None:
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


def _order_line(day: date, number: str, line: int, product: Product, supplier: Supplier, packs: int) -> Row:
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


def receive(shop: Shop, day: date) -> None:
    for order in shop.orders:
        for when, units in order["arrivals"]:
            if when == day:
                _receive_line(shop, day, order, units)


def _receive_line(shop: Shop, day: date, order: Row, units: int) -> None:
    order["arrived"] += units
    order["open"] = order["arrivals"][-1][0] > day
    put(shop, order["sku"], WAREHOUSE, day, units)
    move(
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


def transfer(shop: Shop, day: date) -> None:
    for store, days in DELIVERY_DAYS.items():
        if day.weekday() in days:
            for product in PRODUCTS:
                _replenish(shop, day, store, product)


def _replenish(shop: Shop, day: date, store: str, product: Product) -> None:
    rate = product.daily * share(product, store)
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
    lots = take(shop, sku, WAREHOUSE, quantity)
    target = TRANSIT if store == "GVA" else store
    move(shop, day, "transfer_out", sku, WAREHOUSE, -quantity, document=document, counterpart=target)
    for received, part in lots:
        put(shop, sku, target, received, part)
    move(shop, day, "transfer_in", sku, target, quantity, document=document, counterpart=WAREHOUSE)
    if target == TRANSIT:
        shop.on_the_road.append((day + timedelta(days=2), sku, lots))


def arrive(shop: Shop, day: date) -> None:
    for when, sku, lots in shop.on_the_road:
        if when == day:
            _cross(shop, day, sku, lots)


def _cross(shop: Shop, day: date, sku: str, lots: list[list[Any]]) -> None:
    quantity = sum(part for _, part in lots)
    document = f"TA-{day:%y%m%d}-GVA"
    take(shop, sku, TRANSIT, quantity)
    move(shop, day, "transfer_out", sku, TRANSIT, -quantity, document=document, counterpart="GVA")
    for received, part in lots:
        put(shop, sku, "GVA", received, part)
    move(shop, day, "transfer_in", sku, "GVA", quantity, document=document, counterpart=TRANSIT)
