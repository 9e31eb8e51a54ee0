"""X12 messages: 846 (inventory advice) and 852 (product activity), with every control count checked."""

from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO

from functions.ingest.readers.encoding import utf8_blocks
from functions.ingest.readers.model import Chunk, Facts, Found, Target
from functions.ingest.readers.records import Records
from functions.ingest.readers.reports import PERIOD, SALES, STOCK, Item, Message, Report, day, note_messages, total
from functions.ingest.readers.segments import Segment, Signs, cancelled, damaged, kept_text, segments, undecodable
from stockflow.errors import PermanentError

MESSAGES = {
    "846": Message("846", {STOCK: {"17": "on_hand", "33": "available", "QA": "available", "63": "incoming"}}),
    "852": Message(
        "852",
        {
            STOCK: {"OH": "on_hand", "QA": "available", "QC": "committed", "QP": "incoming", "QI": "incoming"},
            SALES: {"QS": "quantity"},
        },
    ),
}
PRODUCTS = ("SK", "IN", "BP", "CB", "VN", "VP", "VC", "MG", "EN", "UK", "UP", "UI", "UA")
PLACES = ("WH", "SN", "ST")  # of N1: warehouse, store, ship to
DATES = {"091": "business_date", "007": "business_date", "090": "period_start"}
_HEAD = 16  # elements of ISA; the last one is the sign between components, and the end sign follows


def read_x12(stream: BinaryIO, target: Target, facts: Facts) -> Iterator[Chunk]:
    """Yield the rows and rejects of the messages of a file; ``_line`` is the number of the item's LIN segment.

    Raises:
        PermanentError: ``truncated_x12``, ``bad_x12``, ``control_totals`` when a count or number of SE, GE, IEA or CTT
            differs from what was read, ``wrong_feed``, ``unsupported_message`` when none of the messages is read.
    """
    facts.note(format="x12")
    reader = _Reader(target, facts)
    records = Records(target, facts, lambda: "", standard=True)
    parts = utf8_blocks(stream, facts, lambda _: 0)
    yield from records.chunks(reader.found(segments(parts, target.name, "x12", signs_of)))
    records.check()


def signs_of(text: str, place: int) -> tuple[Signs, int] | None:
    """Return the signs that an ISA segment names, which is where an interchange begins."""
    if not text.startswith("ISA", place):
        return None
    element = text[place + 3 : place + 4]
    end = place + 2
    for _ in range(_HEAD):
        end = text.find(element, end + 1, place + 1_000) if element else -1
        if end < 0:
            return None
    component, ending = text[end + 1 : end + 2], text[end + 2 : end + 3]
    if ending == "\r" and text[end + 3 : end + 4] == "\n":
        ending = "\n"
    signs = {element, component, ending}
    return (
        None if len(signs) < 3 or any(s.isalnum() or not s for s in signs) else (Signs(element, component, ending), 0)
    )


class _Reader:
    """Follows the messages of a file, segment by segment."""

    def __init__(self, target: Target, facts: Facts) -> None:
        self._target, self._facts = target, facts
        self._open: list[tuple[Segment, int]] = []  # ISA, GS, ST, each with how much it holds so far
        self._report: Report | None = None
        self._item: Item | None = None
        self._code = ""  # the activity that quantities by place belong to
        self._text: list[Segment] = []
        self._items = 0
        self._hash: list[str] = []
        self._counts = Counter[int]()
        self._read: dict[str, int] = {}
        self._other: dict[str, int] = {}

    def found(self, parts: Iterator[Segment]) -> Iterator[Found]:
        """Yield the records of all messages."""
        for segment in parts:
            if self._open and self._open[-1][0].tag == "ST":
                self._open[-1] = (self._open[-1][0], self._open[-1][1] + 1)
            if segment.tag in _ENVELOPE:
                yield from self._finished()
                self._envelope(segment)
            elif self._report is not None:
                yield from self._inside(segment, self._report)
        if self._open:
            raise self._error("truncated_x12", self._open[-1][0], "it has no end: the file was cut in transfer")
        note_messages(self._read, self._other, MESSAGES, self._target, self._facts)

    # the envelope

    def _envelope(self, segment: Segment) -> None:
        opening = _ENVELOPE[segment.tag]
        if opening is None:
            self._begin(segment)
            return
        self._report = None
        if not self._open or self._open[-1][0].tag != opening:
            expected = self._open[-1][0].tag if self._open else "ISA"
            raise self._error("bad_x12", segment, f"it ends {opening}, but what is open is {expected}")
        begun, held = self._open.pop()
        stated, number = segment.get(1), segment.get(2)
        if not stated.isdecimal() or int(stated) != held:
            raise self._error("control_totals", segment, f"it counts {stated or 'nothing'}, found were {held}")
        if number != begun.get(_NUMBER[opening]):
            mine = begun.get(_NUMBER[opening])
            raise self._error("control_totals", segment, f"it ends number {number!r}, but {opening} is number {mine!r}")

    def _begin(self, segment: Segment) -> None:
        depth = ("ISA", "GS", "ST").index(segment.tag)
        if len(self._open) != depth:
            raise self._error("bad_x12", segment, "it stands where no such segment may stand")
        if depth:
            above, held = self._open[-1]
            self._open[-1] = (above, held + 1)
        self._open.append((segment, 1 if segment.tag == "ST" else 0))
        if segment.tag != "ST":
            return
        kind = segment.get(1)
        self._items, self._hash = 0, []
        message = MESSAGES.get(kind)
        counts = self._read if message else self._other
        counts[kind] = counts.get(kind, 0) + 1
        self._report = Report(message, PRODUCTS, self._target, self._facts, self._counts) if message else None

    # a message

    def _inside(self, segment: Segment, report: Report) -> Iterator[Found]:
        tag = segment.tag
        if tag == "LIN":
            yield from self._finished()
            self._items += 1
            self._item, self._code, self._text = Item(segment.number), "", []
            self._item.ids.update(segment.pairs(2))
        elif tag == "CTT":
            yield from self._finished()
            self._check_totals(segment)
        if self._item is None:
            self._heading(segment, report)
            return
        self._text.append(segment)
        if undecodable(segment.text):
            self._item.refuse("undecodable_bytes", "bytes that the file's encoding does not have", "", "valid text")
        if step := _STEPS.get(tag):
            step(self, segment, self._item)

    def _finished(self) -> Iterator[Found]:
        if self._item is not None and self._report is not None:
            self._drop_totals(self._item)
            yield from self._report.records(self._item, kept_text(self._text))
        self._item = None

    def _heading(self, segment: Segment, report: Report) -> None:
        values = report.values
        if segment.tag == "BIA":
            if segment.get(1) == "01":
                raise cancelled(self._target.name, segment)
            values["business_date"] = day(segment.get(4))
        elif segment.tag == "XQ":
            values |= {"business_date": day(segment.get(3) or segment.get(2)), "period_start": day(segment.get(2))}
        elif segment.tag == "DTM":
            self._date(segment, values)
        elif segment.tag == "N1" and segment.get(1) in PLACES:
            report.place = segment.get(4) or segment.get(2)
        elif segment.tag == "CUR" and segment.get(2):
            values["currency"] = segment.get(2)

    def _date(self, segment: Segment, values: dict[str, str]) -> None:
        if column := DATES.get(segment.get(1)):
            values[column] = day(segment.get(2))
            values[PERIOD[column == "business_date"]] = segment.get(2) + segment.get(3)

    def _dated(self, segment: Segment, item: Item) -> None:
        self._date(segment, item.values)

    def _placed(self, segment: Segment, item: Item) -> None:
        """Take the place of an item; a second one would leave open which quantities belong to which."""
        if segment.get(1) not in PLACES:
            return
        place = segment.get(4) or segment.get(2)
        if item.place and item.place != place:
            both = f"{item.place!r} and {place!r}"
            item.refuse("ambiguous_place", f"an item with two places, {both}", place, "one place, or SDQ segments")
        item.place = place

    def _quantity(self, segment: Segment, item: Item) -> None:
        """QTY: code, quantity, unit."""
        self._hash.append(segment.get(2))
        self._stated(segment, item)

    def _activity(self, segment: Segment, item: Item) -> None:
        """ZA: the same; without a quantity, those by place follow."""
        self._code = segment.get(1)
        if segment.get(2):
            self._stated(segment, item)

    def _stated(self, segment: Segment, item: Item) -> None:
        item.state("", segment.get(1), segment.get(2))
        if unit := segment.get(3):
            self._unit(unit, item)

    def _unit(self, unit: str, item: Item) -> None:
        if item.values.setdefault("unit", unit) != unit:
            both = f"{item.values['unit']!r} and {unit!r}"
            item.refuse("ambiguous_unit", f"an item in two units, {both}", unit, "one unit for all its quantities")

    def _by_place(self, segment: Segment, item: Item) -> None:
        """SDQ: unit, kind of place numbers, then place and quantity up to ten times."""
        if not self._code:
            item.refuse("no_activity", "quantities by place without a ZA segment before them", segment.text[:80], "ZA")
            return
        if unit := segment.get(1):
            self._unit(unit, item)
        for place, quantity in segment.pairs(3):
            item.state(place, self._code, quantity)

    def _drop_totals(self, item: Item) -> None:
        """A quantity that is split by place is a total: it is checked, and is not a row of its own."""
        for code, stated in list(item.places.get("", {}).items()):
            parts = [m[code] for place, m in item.places.items() if place and code in m]
            if parts:
                if (found := total(parts)) != total([stated]):
                    item.refuse("wrong_total", f"{code} is {stated}, its places add up to {found}", stated, "their sum")
                del item.places[""][code]
        if not item.places.get("", True):
            del item.places[""]

    def _priced(self, segment: Segment, item: Item) -> None:
        if segment.get(2) == "UCP" and segment.get(3) and self._target.contract.feed == STOCK:
            item.values["unit_cost"] = segment.get(3)

    def _check_totals(self, segment: Segment) -> None:
        """CTT: how many items, and the sum of the quantities, with or without their decimal points."""
        stated, hashed = segment.get(1), segment.get(2)
        if stated and (not stated.isdecimal() or int(stated) != self._items):
            raise self._error("control_totals", segment, f"it counts {stated} items, found were {self._items}")
        found = total(self._hash)
        if not hashed or not self._hash or found is None:
            return
        if total([hashed]) not in {found, total(q.replace(".", "") for q in self._hash)}:
            raise self._error("control_totals", segment, f"it says {hashed}, the quantities add up to {found}")

    def _error(self, code: str, segment: Segment, why: str) -> PermanentError:
        return damaged(code, self._target.name, segment, why)


_ENVELOPE = {"ISA": None, "GS": None, "ST": None, "SE": "ST", "GE": "GS", "IEA": "ISA"}
_NUMBER = {"ST": 2, "GS": 6, "ISA": 13}
_STEPS = {
    "QTY": _Reader._quantity,
    "ZA": _Reader._activity,
    "SDQ": _Reader._by_place,
    "DTM": _Reader._dated,
    "N1": _Reader._placed,
    "CTP": _Reader._priced,
}
