"""EDIFACT messages: INVRPT (inventory report) and SLSRPT (sales report), with every control count checked."""

from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO

from functions.ingest.readers.encoding import utf8_blocks
from functions.ingest.readers.model import Chunk, Facts, Found, Target
from functions.ingest.readers.periods import span_of
from functions.ingest.readers.records import Records
from functions.ingest.readers.reports import PERIOD, SALES, STOCK, Item, Message, Report, day, note_messages, total
from functions.ingest.readers.segments import Segment, Signs, cancelled, damaged, kept_text, segments, undecodable
from stockflow.errors import PermanentError

MESSAGES = {
    "INVRPT": Message("INVRPT", {STOCK: {"145": "on_hand", "17": "on_hand", "66": "committed", "170": "committed"}}),
    "SLSRPT": Message("SLSRPT", {SALES: {"153": "quantity", "152": "quantity"}}),
}
PRODUCTS = ("IN", "BP", "SA", "VN", "VP", "MF", "SRV", "EN", "UP")
PARTIES = ("WH", "ST", "GY")  # of NAD: warehouse, ship to, who reports; the first of these that is there is the place
PLACES = ("18", "162", "14", "19", "7")  # of LOC: warehouse, place of sale, of the goods, factory, of delivery
_PLACES = {  # of DTM's formats: where year, month and day stand that are not in this order
    "2": (slice(4, 6), slice(2, 4), slice(0, 2)),
    "3": (slice(4, 6), slice(0, 2), slice(2, 4)),
    "4": (slice(4, 8), slice(2, 4), slice(0, 2)),
    "201": (slice(0, 2), slice(2, 4), slice(4, 10)),
}
DATES = ("356", "366", "91", "137")  # of DTM: of the sales, of the stock, end of the period, of the document
_DEFAULT = Signs("+", ":", "'", "?")
_UNA = 9


def read_edifact(stream: BinaryIO, target: Target, facts: Facts) -> Iterator[Chunk]:
    """Yield the rows and rejects of the messages of a file; ``_line`` is the number of the item's LIN segment.

    Raises:
        PermanentError: ``truncated_edifact``, ``bad_edifact``, ``control_totals`` when a count or reference of UNT, UNZ
            or CNT differs from what was read, ``wrong_feed``, ``unsupported_message`` when no message is read.
    """
    facts.note(format="edifact")
    reader = _Reader(target, facts)
    records = Records(target, facts, lambda: "", standard=True)
    parts = utf8_blocks(stream, facts, lambda _: 0)
    yield from records.chunks(reader.found(segments(parts, target.name, "edifact", signs_of)))
    records.check()


def signs_of(text: str, place: int) -> tuple[Signs, int] | None:
    """Return the signs of an interchange: those that UNA names, or the usual ones before UNB."""
    if text.startswith("UNA", place):
        component, element, _, release, _, end = list(text[place + 3 : place + _UNA].ljust(6))
        return Signs(element, component, end, release.strip()), _UNA
    if not text.startswith("UNB", place):
        return None
    start = text[place : place + 1_000]
    lines = "'" not in start and "\n" in start  # written with a line end for each apostrophe
    return (Signs("+", ":", "\n", "?") if lines else _DEFAULT), 0


def _year_first(segment: Segment) -> str:
    """Return what a DTM segment says, year first: its format (code 2379) may be day or month first."""
    text = segment.get(1, 1)
    places = _PLACES.get(segment.get(1, 2), ())
    if not places or len(text) != max(place.stop for place in places):
        return text
    found = "".join(text[place] for place in places)
    return found if segment.get(1, 2) == "4" else f"20{found}"


class _Reader:
    """Follows the messages of a file, segment by segment."""

    def __init__(self, target: Target, facts: Facts) -> None:
        self._target, self._facts = target, facts
        self._interchange: Segment | None = None
        self._header: Segment | None = None  # of the message that is open
        self._held = 0  # segments of it, so far
        self._units = 0  # messages of the interchange, or its groups where it has them
        self._groups = 0
        self._report: Report | None = None
        self._item: Item | None = None
        self._text: list[Segment] = []
        self._dates: dict[str, str] = {}
        self._parties: dict[str, str] = {}
        self._items = 0
        self._quantities: list[str] = []
        self._pending: dict[str, str] = {}  # quantities of the item whose place has not come yet
        self._counts = Counter[int]()
        self._read: dict[str, int] = {}
        self._other: dict[str, int] = {}

    def found(self, parts: Iterator[Segment]) -> Iterator[Found]:
        """Yield the records of all messages."""
        for segment in parts:
            self._held += 1
            if segment.tag in _ENVELOPE:
                yield from self._finished()
                _ENVELOPE[segment.tag](self, segment)
            elif self._header is None:
                raise self._error("bad_edifact", segment, "it stands outside a message (UNH to UNT)")
            elif self._report is not None:
                yield from self._inside(segment, self._report)
        if left := self._header or self._interchange:
            raise self._error("truncated_edifact", left, "it has no end: the file was cut in transfer")
        note_messages(self._read, self._other, MESSAGES, self._target, self._facts)

    # the envelope

    def _begin_interchange(self, segment: Segment) -> None:
        if self._interchange or self._header:
            raise self._error("bad_edifact", segment, "the interchange before it has no end (UNZ)")
        self._interchange, self._units, self._groups = segment, 0, 0

    def _end_interchange(self, segment: Segment) -> None:
        if self._interchange is None or self._header:
            raise self._error("bad_edifact", segment, "it ends an interchange, but none is open or a message is")
        self._compare(segment, self._groups or self._units, self._interchange.get(5))
        self._interchange = None

    def _group(self, segment: Segment) -> None:
        self._groups += segment.tag == "UNG"

    def _begin(self, segment: Segment) -> None:
        if self._header or self._interchange is None:
            raise self._error("bad_edifact", segment, "it begins a message where none may begin")
        self._header, self._held, self._units = segment, 1, self._units + 1
        self._items, self._quantities, self._dates, self._parties = 0, [], {}, {}
        kind = segment.get(2)
        message = MESSAGES.get(kind)
        counts = self._read if message else self._other
        counts[kind] = counts.get(kind, 0) + 1
        self._report = Report(message, PRODUCTS, self._target, self._facts, self._counts) if message else None

    def _end(self, segment: Segment) -> None:
        if self._header is None:
            raise self._error("bad_edifact", segment, "it ends a message, but none is open")
        self._compare(segment, self._held, self._header.get(1))
        self._header = self._report = None

    def _compare(self, segment: Segment, held: int, reference: str) -> None:
        stated, number = segment.get(1), segment.get(2)
        if not stated.isdecimal() or int(stated) != held:
            raise self._error("control_totals", segment, f"it counts {stated or 'nothing'}, found were {held}")
        if number != reference:
            raise self._error(
                "control_totals", segment, f"it ends number {number!r}, but what is open is {reference!r}"
            )

    # a message

    def _inside(self, segment: Segment, report: Report) -> Iterator[Found]:
        if segment.tag in ("LIN", "UNS", "CNT") or (segment.tag == "LOC" and self._report_by_place(segment)):
            yield from self._finished()
        if segment.tag == "LIN":
            self._items += 1
            self._item, self._text, self._pending = Item(segment.number), [], {}
            self._product(segment.get(3), segment.get(3, 1), self._item)
        if self._item is None:
            self._heading(segment, report)
            return
        self._text.append(segment)
        if undecodable(segment.text):
            self._item.refuse("undecodable_bytes", "bytes that the file's encoding does not have", "", "valid text")
        if step := _STEPS.get(segment.tag):
            step(self, segment, self._item)

    def _report_by_place(self, segment: Segment) -> bool:
        """Whether a LOC segment begins the part of another place: in a sales report items stand below their place."""
        return self._target.contract.feed == SALES and segment.get(1) == "162"

    def _finished(self) -> Iterator[Found]:
        if self._item is not None and self._report is not None:
            self._place_pending(self._item.place, self._item)
            yield from self._report.records(self._item, kept_text(self._text))
        self._item = None

    def _heading(self, segment: Segment, report: Report) -> None:
        if segment.tag == "BGM":
            self._function(segment, report)
        if segment.tag == "DTM":
            self._dates[segment.get(1)] = _year_first(segment)
            report.values |= self._dated(self._dates)
        elif segment.tag == "NAD":
            self._parties[segment.get(1)] = segment.get(2)
            report.place = next((self._parties[p] for p in PARTIES if self._parties.get(p)), "")
        elif segment.tag == "LOC" and segment.get(1) in PLACES:
            report.place = segment.get(2)
            self._parties = {PARTIES[0]: segment.get(2)}
        elif segment.tag == "CUX" and segment.get(1, 1):
            report.values.setdefault("currency", segment.get(1, 1))
        elif segment.tag == "CNT":
            self._check_total(segment)

    def _function(self, segment: Segment, report: Report) -> None:
        if segment.get(3) == "1":
            raise cancelled(self._target.name, segment)
        if segment.get(3) == "5":
            report.replaces()

    def _dated(self, dates: dict[str, str]) -> dict[str, str]:
        """Return the day, and the first one of its period."""
        code = next((c for c in DATES if dates.get(c)), "")
        if not code:
            return {}
        start, end = span_of(dates[code])
        first, last = dates.get("90", start) if code == "91" else start, end or start
        return {"business_date": day(last), "period_start": day(first), **dict(zip(PERIOD, (first, last), strict=True))}

    def _item_date(self, segment: Segment, item: Item) -> None:
        if segment.get(1) in DATES[:-1]:
            item.values |= self._dated({segment.get(1): _year_first(segment)})

    def _product(self, number: str, kind: str, item: Item) -> None:
        if number:
            item.ids.setdefault(kind or "EN", number)

    def _more_products(self, segment: Segment, item: Item) -> None:
        """PIA: up to five more numbers of the product."""
        for place in range(2, 7):
            self._product(segment.get(place), segment.get(place, 1), item)

    def _quantity(self, segment: Segment, item: Item) -> None:
        code, quantity, unit = segment.get(1), segment.get(1, 1).replace(",", "."), segment.get(1, 2)
        self._quantities.append(quantity)
        if self._pending.get(code, quantity) != quantity:
            message = f"quantity {code} is stated twice: {self._pending[code]} and {quantity}"
            item.refuse("stated_twice", message, quantity, "each quantity once for an item and a place")
        self._pending[code] = quantity
        if unit and item.values.setdefault("unit", unit) != unit:
            both = f"{item.values['unit']!r} and {unit!r}"
            item.refuse("ambiguous_unit", f"an item in two units, {both}", unit, "one unit for all its quantities")

    def _place(self, segment: Segment, item: Item) -> None:
        """LOC: before all quantities the place of the item; behind some, their place."""
        if segment.get(1) not in PLACES or not segment.get(2):
            return
        if self._pending and not item.place:
            self._place_pending(segment.get(2), item)
        elif not item.places and not item.place:
            item.place = segment.get(2)
        elif item.place not in ("", segment.get(2)):
            both = f"{item.place!r} and {segment.get(2)!r}"
            item.refuse("ambiguous_place", f"an item with two places, {both}", segment.get(2), "QTY, then its LOC")

    def _place_pending(self, place: str, item: Item) -> None:
        for code, quantity in self._pending.items():
            item.state(place, code, quantity)
        self._pending = {}

    def _amount(self, segment: Segment, item: Item) -> None:
        if segment.get(1) == "203" and self._target.contract.feed == SALES:
            item.values["net_amount"] = segment.get(1, 1).replace(",", ".")

    def _check_total(self, segment: Segment) -> None:
        """CNT: 2 counts the items, 1 adds up their quantities."""
        code, stated = segment.get(1), segment.get(1, 1).replace(",", ".")
        found = {"2": total([str(self._items)]), "1": total(self._quantities)}.get(code)
        if found is not None and total([stated]) != found:
            raise self._error("control_totals", segment, f"it says {stated}, found were {found}")

    def _error(self, code: str, segment: Segment, why: str) -> PermanentError:
        return damaged(code, self._target.name, segment, why)


_ENVELOPE = {
    "UNB": _Reader._begin_interchange,
    "UNG": _Reader._group,
    "UNE": _Reader._group,
    "UNH": _Reader._begin,
    "UNT": _Reader._end,
    "UNZ": _Reader._end_interchange,
}
_STEPS = {
    "PIA": _Reader._more_products,
    "QTY": _Reader._quantity,
    "LOC": _Reader._place,
    "DTM": _Reader._item_date,
    "MOA": _Reader._amount,
}
