"""Day by day: deliveries, transfers, sales, returns, counts, orders. The same seed, the same shop."""

from datetime import date, timedelta
from math import ceil

from scripts.sample_shop.catalogue import (
    FIRST_DAY,
    LAST_DAY,
    PRODUCTS,
    STORES,
    WAREHOUSE,
)
from scripts.sample_shop.counter import count, sell, snapshot
from scripts.sample_shop.shelves import Shop, chance, move, put, share
from scripts.sample_shop.supply import COVER_DAYS, SUPPLIER, arrive, order, receive, transfer

START = date(2026, 5, 4)


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
    receive(shop, day)
    arrive(shop, day)
    transfer(shop, day)
    for store in STORES:
        sell(shop, day, store)
    count(shop, day)
    order(shop, day)
    if day >= FIRST_DAY:
        snapshot(shop, day)


def _stock_up(shop: Shop) -> None:
    for product in PRODUCTS:
        if product.late:
            continue
        since = product.dead_since or START - timedelta(days=chance("age", product.sku).randint(3, 25))
        lead = SUPPLIER[product.supplier].lead
        put(
            shop,
            product.sku,
            WAREHOUSE,
            since,
            16 if product.dead_since else ceil(product.daily * product.belief * (lead + 30)),
        )
        for store in product.stores.split():
            cover = COVER_DAYS[store] * product.daily * share(product, store)
            put(shop, product.sku, store, since, 6 if product.dead_since else ceil(cover))


def _write_opening(shop: Shop) -> None:
    """The lots on the shelves on the eve of the first day, each with the day it was received."""
    for (sku, place), layers in sorted(shop.layers.items()):
        for received, quantity in layers:
            move(shop, received, "receipt", sku, place, quantity, document="OPENING", reason="opening balance")
