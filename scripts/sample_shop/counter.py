"""What is sold, counted and shown."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from math import exp
from random import Random

from scripts.sample_shop.catalogue import (
    FIRST_DAY,
    PRODUCTS,
    STORES,
    TRANSIT,
    WAREHOUSE,
    Product,
)
from scripts.sample_shop.shelves import LOCATION, Row, Shop, chance, move, put, share, take

WEEKDAY = (0.75, 0.85, 1.0, 0.95, 1.2, 1.85, 0.0)
PROMOTION = {"SB-3010": 0.8, "SB-3020": 0.8, "PP-2010": 0.85, "GT-1020": 0.85}
PROMOTION_DAYS = (date(2026, 9, 14), date(2026, 9, 19))
COUNT_DAYS = {date(2026, 9, 17): "LYO", date(2026, 9, 30): "NA", date(2026, 10, 8): "LYO"}
OVERSOLD = (date(2026, 9, 12), "NA", "KI-5040", 3)
# from that day on the exports leave this shelf out: its balance is carried on for a week, then stale
FORGOTTEN = ("PP-2060", "GVA", date(2026, 9, 30))
VAT = {"EUR": Decimal("1.20"), "CHF": Decimal("1.081")}
CENT = Decimal("0.01")


def _poisson(luck: Random, mean: float) -> int:
    limit, product, count = exp(-mean), luck.random(), 0
    while product > limit:
        product *= luck.random()
        count += 1
    return count


def _promoted(day: date, sku: str) -> bool:
    return sku in PROMOTION and PROMOTION_DAYS[0] <= day <= PROMOTION_DAYS[1]


def sell(shop: Shop, day: date, store: str) -> None:
    for product in PRODUCTS:
        rate = product.daily * share(product, store) * WEEKDAY[day.weekday()]
        if not rate or day < product.listed:
            continue
        luck = chance("sale", day, store, product.sku)
        wanted = _poisson(luck, rate * (2.2 if _promoted(day, product.sku) else 1.0))
        sold = min(wanted, max(0, shop.stock[product.sku, store]))
        if OVERSOLD[:3] == (day, store, product.sku):
            sold = max(0, shop.stock[product.sku, store]) + OVERSOLD[3]
        if wanted and day >= FIRST_DAY:
            shop.asked.append(
                {"business_date": day, "location_code": store, "sku": product.sku, "wanted": wanted, "sold": sold}
            )
        if sold:
            _ring_up(shop, day, store, product, sold)
        if luck.random() < 0.012:
            _ring_up(shop, day, store, product, -1)


def _ring_up(shop: Shop, day: date, store: str, product: Product, quantity: int) -> None:
    if quantity > 0:
        take(shop, product.sku, store, quantity)
    else:
        put(shop, product.sku, store, day, -quantity)
    kind = "issue" if quantity > 0 else "return"
    move(shop, day, kind, product.sku, store, -quantity, document=f"Z-{store}-{day:%y%m%d}", reason="sale")
    if day >= FIRST_DAY:
        shop.sales.append(_sale(shop, day, store, product, quantity))


def _sale(shop: Shop, day: date, store: str, product: Product, quantity: int) -> Row:
    currency = LOCATION[store].currency
    price = Decimal(product.price)  # the same figure in francs in Geneva
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


def count(shop: Shop, day: date) -> None:
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
            put(shop, product.sku, store, day, change)
        else:
            take(shop, product.sku, store, -change)
        move(
            shop,
            day,
            "adjustment",
            product.sku,
            store,
            change,
            document=f"CC-{store}-{day:%y%m%d}",
            reason="count",
        )


def snapshot(shop: Shop, day: date) -> None:
    for product in PRODUCTS:
        if day < product.listed:
            continue
        for place in (*product.stores.split(), WAREHOUSE):
            if (product.sku, place) == FORGOTTEN[:2] and day >= FORGOTTEN[2]:
                continue
            shop.snapshots.append(_balance(shop, day, product, place))
        if "GVA" in product.stores.split() and (shop.stock[product.sku, TRANSIT] or day.weekday() in {3, 4, 5}):
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
