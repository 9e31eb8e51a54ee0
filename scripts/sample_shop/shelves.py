"""The shelves: what lies where, lot by lot, and the book of movements."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

from scripts.sample_shop.catalogue import (
    FIRST_DAY,
    LOCATIONS,
    PRODUCTS,
    Product,
)

SEED = "maison-verger"
Row = dict[str, Any]
Place = tuple[str, str]
PRODUCT = {p.sku: p for p in PRODUCTS}
LOCATION = {place.code: place for place in LOCATIONS}


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
    asked: list[Row] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def chance(*parts: object) -> Random:
    """Return a source of chance of its own for one purpose, so that a change elsewhere does not stir it."""
    return Random(":".join(str(part) for part in (SEED, *parts)))


def put(shop: Shop, sku: str, place: str, received: date, quantity: int) -> None:
    shop.stock[sku, place] += quantity
    owed = quantity - max(0, min(quantity, shop.stock[sku, place]))
    if quantity > owed:
        shop.layers[sku, place].append([received, quantity - owed])


def take(shop: Shop, sku: str, place: str, quantity: int) -> list[list[Any]]:
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


def share(product: Product, store: str) -> float:
    total = sum(LOCATION[s].share for s in product.stores.split())
    return LOCATION[store].share / total if store in product.stores.split() else 0.0


def move(
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
    product = PRODUCT[sku]
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
