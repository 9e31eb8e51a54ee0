"""What stock and sales messages have in common: items with quantities in places become records of a feed."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from functions.ingest.readers.json_text import readable_text
from functions.ingest.readers.model import Facts, Found, Reject, Target, listed
from functions.ingest.readers.periods import hours_of, last_day
from functions.ingest.readers.segments import undecodable
from stockflow.errors import PermanentError

STOCK, SALES = "stock_snapshots", "sales"
MAX_KEYS = 500_000  # different products, places and days of the sales messages of a file
MAX_PLACES = 20_000  # of one item
LONGEST_SKU = 40
PERIOD = ("period_from", "period_to")  # of the values of a message: when what it says begins and ends, with hours
_NUMBER = re.compile(r"-?(\d{1,20}(\.\d{0,10})?|\.\d{1,10})")


@dataclass(frozen=True)
class Message:
    """A kind of message. ``measures``: feed -> code of a quantity -> column of that feed."""

    name: str
    measures: Mapping[str, Mapping[str, str]]

    def check_feed(self, target: Target) -> None:
        """See that the feed takes such messages.

        Raises:
            PermanentError: ``wrong_feed``.
        """
        if target.contract.feed not in self.measures:
            raise PermanentError(
                "wrong_feed",
                f"{target.name} holds a message of kind {self.name}, which is expected in the folder "
                f"{' or '.join(sorted(self.measures))}. Drop it there",
                found=self.name,
            )


@dataclass
class Item:
    """A product of a message while it is read. ``values``: column -> text; ``places``: place -> code -> quantity."""

    line: int
    ids: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    places: dict[str, dict[str, str]] = field(default_factory=dict)
    place: str = ""  # of quantities that name none
    problem: tuple[str, str, str, str] | None = None  # code, message, found, expected

    def state(self, place: str, code: str, quantity: str) -> None:
        """Take a quantity of a place; the empty place is the one that the message names for all its items."""
        measures = self.places.setdefault(place, {})
        if code in measures and measures[code] != quantity:
            where = f" for {place!r}" if place else ""
            message = f"quantity {code} is stated twice{where}: {measures[code]} and {quantity}"
            self.refuse("stated_twice", message, quantity, "each quantity once for an item and a place")
        if len(self.places) > MAX_PLACES:
            self.refuse("too_long", f"an item with more than {MAX_PLACES:,} places", "", "a shorter item")
            del self.places[place]
            return
        measures[code] = quantity
        if "," in quantity:  # 1,234: no standard knows a sign for thousands, and only EDIFACT a decimal comma
            self.refuse("bad_quantity", f"quantity {code} is {quantity}", quantity, "a number with a decimal point")

    def refuse(self, code: str, message: str, found: str = "", expected: str = "") -> None:
        """Note why the item cannot be read; the first reason counts."""
        self.problem = self.problem or (code, message, found, expected)


class Report:
    """Turns the items of one message into records."""

    def __init__(
        self, message: Message, order: Iterable[str], target: Target, facts: Facts, counts: Counter[int] | None = None
    ) -> None:
        message.check_feed(target)
        self._message = message
        self._feed = target.contract.feed
        self._measures = message.measures[self._feed]
        self._order = tuple(order)  # of the kinds of product numbers: the first one that is there is the SKU
        self._facts = facts
        self._counts = Counter[int]() if counts is None else counts  # what the file has said of a product so far
        self.values: dict[str, str] = {}  # that hold for all items
        self.place = ""

    def replaces(self) -> None:
        """Note that this message takes the place of another: it does not add to what the file said before."""
        self._counts = Counter()

    def records(self, item: Item, source: str) -> Iterator[Found]:
        """Yield a record for each place of an item; ``source`` is its text."""
        sku = next((item.ids[kind] for kind in self._order if kind in item.ids), "")
        if not sku:
            known = ", ".join(self._order)
            item.refuse("no_product", "the item has no product number", listed(item.ids), f"one of {known}")
        if not item.places:
            item.refuse("no_quantity", "the item has no quantity", "", "a quantity")
        if item.problem:
            code, message, found, expected = item.problem
            yield Reject(item.line, code, readable_text(message), readable_text(found), expected, source)
            return
        for place, measures in item.places.items():
            if record := self._record(item, sku, place or item.place or self.place, measures):
                yield self._found(item, record, source)

    def _found(self, item: Item, record: dict[str, str], source: str) -> Found:
        """Return the record with its line; a reject where a value from the message's head is not text."""
        if not (bad := next((value for value in record.values() if undecodable(value)), "")):
            return item.line, record
        message = "the head of its message has bytes that the file's encoding does not have"
        return Reject(item.line, "undecodable_bytes", message, readable_text(bad), "valid text", source)

    def _record(self, item: Item, sku: str, place: str, measures: Mapping[str, str]) -> dict[str, str]:
        """Return the record of a place; empty when no quantity of it has a column in this feed."""
        stated: dict[str, str] = {}
        others: dict[str, str] = {}
        for code, quantity in measures.items():
            column = self._measures.get(code)
            if column is None or column in stated:
                others[f"quantity {code}"] = quantity
                self._note_unread(code)
            else:
                stated[column] = quantity
        if not stated:
            return {}
        record = {"sku": sku, "location_code": place} | self.values | item.values | stated | others
        record |= {kind: number for kind, number in item.ids.items() if number != sku}
        span = [record.pop(name, "") for name in PERIOD]
        hours = hours_of(*span)
        if ended := last_day(*span):
            record["business_date"] = ended
        start = record.pop("period_start", "")
        if start and start < record.get("business_date", ""):
            record["period_start"] = start  # the whole period stands under its last day
            self._facts.note(periods=True)
        return record | (self._numbered(record, hours) if self._feed == SALES else {})

    def _note_unread(self, code: str) -> None:
        unread = self._facts.values.setdefault("quantities_not_read", {})
        name = f"{self._message.name} {readable_text(code)}"
        if name in unread or len(unread) < 50:
            unread[name] = unread.get(name, 0) + 1

    def _numbered(self, record: Mapping[str, str], hours: str) -> dict[str, str]:
        """Return a receipt and line number: such a message has none. The same message sent again has the same ones.

        A part of a day has its hours in it, so that the parts of a day stand beside each other. A product that a file
        names twice for a place, a day and its hours gets lines 1 and 2.
        """
        key = hash((record["sku"], record["location_code"], record.get("business_date"), hours))
        self._counts[key] += 1
        if len(self._counts) > MAX_KEYS:
            raise PermanentError(
                "too_large_for_function",
                f"{self._message.name} messages of one file with more than {MAX_KEYS:,} products, places and days; "
                "split it",
                limit=MAX_KEYS,
            )
        name = " ".join(filter(None, (self._message.name, hours, record["sku"][:LONGEST_SKU])))
        return {"receipt_number": name, "line_number": str(self._counts[key])}


def note_messages(
    read: Mapping[str, int], other: Mapping[str, int], expected: Iterable[str], target: Target, facts: Facts
) -> None:
    """Note how many messages of each kind a file held, those that are ``read`` and the ``other`` ones.

    Raises:
        PermanentError: ``unsupported_message`` when none of them is read.
    """
    others = {readable_text(kind): count for kind, count in other.items()}
    if not read:
        raise PermanentError(
            "unsupported_message",
            f"{target.name}: messages of kind {listed(others)}; expected {' or '.join(expected)}",
            found=list(others),
        )
    facts.note(messages=read, **({"messages_not_read": others} if others else {}))


def total(quantities: Iterable[str]) -> Decimal | None:
    """Return the sum of numbers as messages write them; None when one of them is not a number."""
    texts = list(quantities)
    return sum(map(Decimal, texts), Decimal(0)) if all(_NUMBER.fullmatch(t) for t in texts) else None


def day(text: str) -> str:
    """Return the day of ``20260901``, ``260901`` or a longer time in ISO 8601; another text as it is."""
    digits = text[:8] if len(text) in (8, 12, 14) else f"20{text}" if len(text) == 6 else ""
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}" if digits.isdigit() else text
