"""The shop's books, kept by hand: typed rows, the newest statement of each key, base units and euros."""

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any

import yaml

from tests.golden.source import SAMPLES, Reading, read

Row = dict[str, Any]

KEYS = {
    "products": ["sku"], "locations": ["location_code"], "suppliers": ["supplier_code"],
    "exchange_rates": ["business_date", "currency"],
    "stock_snapshots": ["business_date", "sku", "location_code"],
    "stock_movements": ["document", "line_number"], "sales": ["receipt_number", "line_number"],
    "purchase_orders": ["order_number", "line_number"],
    "stock_counts": ["business_date", "sku", "location_code"],
    "customer_orders": ["location_code", "business_date", "order_number", "line_number"],
}  # fmt: skip
REQUIRED = {
    "exchange_rates": ["rate_to_base"], "stock_snapshots": ["on_hand"], "stock_counts": ["counted_quantity"],
    "stock_movements": ["business_date", "movement_type", "sku", "location_code", "quantity"],
    "sales": ["business_date", "sku", "location_code", "quantity"],
    "purchase_orders": ["business_date", "supplier_code", "sku", "location_code", "ordered_quantity"],
    "customer_orders": ["sku", "ordered_quantity"],
}  # fmt: skip
DATES = {"business_date", "entry_date", "promised_date", "received_date", "listed_from", "delisted_on",
         "opened_on", "closed_on", "requested_date", "shipped_date"}  # fmt: skip
TIMES = {"updated_at": "", "counted_at": ""}
WHOLE = {"line_number", "lead_time_days", "payment_terms_days"}
NUMBERS = {"on_hand", "available", "committed", "incoming", "unit_cost", "unit_price", "units_per_pack",
           "rate_to_base", "quantity", "net_amount", "gross_amount", "ordered_quantity", "received_quantity",
           "counted_quantity", "book_quantity", "shipped_quantity", "cancelled_quantity"}  # fmt: skip
CODES = {"sku", "location_code", "supplier_code", "unit", "currency", "counterpart_location", "base_unit"}
MOVES = {"receipt", "issue", "transfer_in", "transfer_out", "adjustment", "return"}
NOT_NEGATIVE = {"ordered_quantity", "received_quantity", "counted_quantity", "shipped_quantity"}
REASONS = {"out of stock": "no_stock"}
QUANTITIES = {"on_hand", "available", "committed", "incoming", "quantity", "ordered_quantity",
              "received_quantity", "counted_quantity", "book_quantity", "shipped_quantity",
              "cancelled_quantity"}  # fmt: skip
PER_UNIT = {"unit_cost"}
MONEY = {"unit_cost", "unit_price", "net_amount", "gross_amount"}
RATE_MAX_AGE = 7


class RefusedError(Exception):
    """The row cannot be believed."""


def a_number(text: str, comma: bool) -> Decimal:
    """Return a number as people write it: blanks between thousands, minus behind, comma or point."""
    plain = re.sub(r"[\s\u00a0\u202f']", "", text)
    plain = f"-{plain[:-1]}" if plain.endswith("-") else plain
    plain = plain.replace(".", "").replace(",", ".") if comma else plain.replace(",", "")
    try:
        return Decimal(plain)
    except InvalidOperation as error:
        raise RefusedError(text) from error


def a_date(text: str) -> date:
    """Return a date, day first unless the year leads."""
    for pattern in ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y"):
        try:
            return datetime.strptime(text, pattern).date()
        except ValueError:
            continue
    raise RefusedError(text)


def a_code(text: str) -> str:
    """Return a code without blanks and without a spreadsheet's shields."""
    shielded = re.fullmatch(r'="(.*)"', text.strip())
    return (shielded[1] if shielded else text.strip().removeprefix("'")).strip().upper()


def _typed(feed: str, text: dict[str, str], comma: bool) -> Row:
    row = {name: _value(name, value.strip(), comma) for name, value in text.items()}
    for name in [*KEYS[feed], *REQUIRED.get(feed, [])]:
        if row.get(name) in {None, ""}:
            raise RefusedError(f"{name} is missing")
    if feed == "stock_movements" and row["movement_type"] not in MOVES:
        raise RefusedError(row["movement_type"])
    if any(row.get(name) is not None and row[name] < 0 for name in NOT_NEGATIVE):
        raise RefusedError("less than nothing")
    if row.get("location_code") == "TOTAL":
        raise RefusedError("a totals row")
    return row


def _value(name: str, text: str, comma: bool) -> Any:
    if name in CODES:
        return a_code(text)
    if not text:
        return None
    if name in DATES:
        return a_date(text)
    if name in WHOLE:
        if not text.isdigit():
            raise RefusedError(text)
        return int(text)
    if name == "cancel_reason":
        return REASONS.get(text, text)
    return a_number(text, comma) if name in NUMBERS else text


@dataclass
class Account:
    """What became of one file."""

    path: str
    lines: int
    rejects: list[int]
    refused: list[int] = field(default_factory=list)
    superseded: list[int] = field(default_factory=list)
    current: int = 0


@dataclass
class Books:
    """All facts of the samples, typed; ``accounts`` says what became of every line.

    ``stated`` holds every statement of a product, also those that a newer one replaced, the oldest first.
    """

    accounts: dict[str, Account] = field(default_factory=dict)
    current: dict[str, list[Row]] = field(default_factory=dict)
    stated: dict[str, list[Row]] = field(default_factory=dict)

    @cached_property
    def product(self) -> dict[str, Row]:
        """Products by SKU."""
        return {row["sku"]: row for row in self.current["products"]}

    @cached_property
    def place(self) -> dict[str, Row]:
        """Locations by code."""
        return {row["location_code"]: row for row in self.current["locations"]}

    @cached_property
    def rates(self) -> dict[str, dict[date, Decimal]]:
        """Euros for one unit of a currency, by currency and day."""
        table: dict[str, dict[date, Decimal]] = defaultdict(dict)
        for row in self.current["exchange_rates"]:
            table[row["currency"]][row["business_date"]] = row["rate_to_base"]
        return table

    def rate(self, currency: str, day: date) -> Decimal:
        """Return the rate of that day, or the last one before it, at most a week old."""
        if currency in {"", "EUR"}:
            return Decimal(1)
        known = [d for d in self.rates[currency] if d <= day]
        if not known or (day - max(known)).days > RATE_MAX_AGE:
            raise RefusedError(f"no rate of {currency} for {day}")
        return self.rates[currency][max(known)]

    def factor(self, sku: str, unit: str) -> Decimal:
        """Return base units in one stated unit."""
        product = self.product.get(sku, {})
        base = product.get("base_unit") or "EA"
        if unit in {"", base}:
            return Decimal(1)
        if unit == product.get("pack_unit"):
            return Decimal(product["units_per_pack"])
        raise RefusedError(f"unknown unit {unit} of {sku}")


def keep() -> Books:
    """Read every loaded sample file and return the books."""
    plan = yaml.safe_load((SAMPLES / "expected.yaml").read_text())["files"]
    books = Books()
    feeds: dict[str, list[str]] = defaultdict(list)
    for entry in plan:
        if entry["end_state"] == "loaded":
            feeds[entry["feed"]].append(entry["path"])
    for feed in KEYS:
        _enter(books, feed, [read(path) for path in feeds[feed]])
    return books


def _enter(books: Books, feed: str, readings: list[Reading]) -> None:
    convert = _in_base_units(books) if feed not in {"products", "exchange_rates"} else dict
    best: dict[tuple[Any, ...], tuple[tuple[str, int, int], Row, str]] = {}
    for arrival, reading in enumerate(readings):
        account = Account(reading.path, len(reading.rows) + len(reading.rejects), reading.rejects)
        books.accounts[reading.path] = account
        for line, text in reading.rows:
            try:
                row = convert(_typed(feed, text, reading.comma))
            except RefusedError:
                account.refused.append(line)
                continue
            key = tuple(row[name] for name in KEYS[feed])
            if feed == "products":
                books.stated.setdefault(row["sku"], []).append(row)
            rank = (str(row.get("updated_at") or row.get("counted_at") or ""), arrival, line)
            _keep_newer(books, best, key, (rank, row, reading.path))
    books.current[feed] = [row for _, row, _ in best.values()]
    for _, _, path in best.values():
        books.accounts[path].current += 1


def _keep_newer(books: Books, best: dict[Any, Any], key: Any, stated: tuple[tuple[str, int, int], Row, str]) -> None:
    winner, loser = stated, best.get(key)
    if loser and loser[0] > winner[0]:
        winner, loser = loser, winner
    best[key] = winner
    if loser:
        books.accounts[loser[2]].superseded.append(loser[0][2])


def _in_base_units(books: Books) -> Callable[[Row], Row]:
    def convert(row: Row) -> Row:
        if "sku" not in row:
            return row
        factor = books.factor(row["sku"], row.get("unit") or "")
        rate = books.rate(row.get("currency") or "", row["business_date"])
        for name in QUANTITIES & row.keys():
            row[name] = None if row[name] is None else row[name] * factor
        for name in MONEY & row.keys():
            per = factor if name in PER_UNIT else Decimal(1)
            row[name] = None if row[name] is None else row[name] * rate / per
        return row

    return convert
