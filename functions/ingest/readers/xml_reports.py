"""Inventory reports in XML: UBL 2.1 and GS1. Read in parts by expat; document types and entities are refused."""

import re
from collections.abc import Iterator
from typing import BinaryIO
from xml.parsers import expat

from functions.ingest.readers.model import Chunk, Facts, Found, Target, shown
from functions.ingest.readers.records import Records
from functions.ingest.readers.reports import STOCK, Item, Message, Report
from functions.ingest.readers.xml_events import parts_of
from stockflow.errors import PermanentError

UBL = Message("UBL InventoryReport", {STOCK: {"Quantity": "on_hand"}})
GS1 = Message(
    "GS1 inventoryReport",
    {
        STOCK: {
            "ON_HAND": "on_hand",
            "AVAILABLE_FOR_SALE": "available",
            "COMMITTED": "committed",
            "ON_ORDER": "incoming",
        }
    },
)
ITEMS = {"InventoryReportLine": UBL, "inventoryItemLocationInformation": GS1}
PRODUCTS = ("buyer", "seller", "manufacturer", "gtin")
MAX_DEPTH = 64
MAX_TEXT = 65_536  # characters of one element
MAX_ITEM = 1_000_000  # bytes
MAX_HEAD = 500  # elements of the report that are remembered
MAX_OTHERS = 50  # elements of an item that no column takes
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ].*|Z|[+-]\d\d:\d\d)?")
_NUMBERS = {
    "Item/BuyersItemIdentification/ID": "buyer",
    "Item/SellersItemIdentification/ID": "seller",
    "Item/ManufacturersItemIdentification/ID": "manufacturer",
    "Item/StandardItemIdentification/ID": "gtin",
    "transactionalTradeItem/gtin": "gtin",
    "tradeItemIdentification/gtin": "gtin",
}
_ASSIGNED = {"BUYER_ASSIGNED": "buyer", "SUPPLIER_ASSIGNED": "seller", "MANUFACTURER_PART_NUMBER": "manufacturer"}
_PLACES = ("InventoryLocation/ID", "inventoryLocation/gln")
_STATUSES = ("inventoryStatusType", "inventoryStatusTypeCode", "inventoryStatusCode", "inventoryDispositionCode",
             "inventoryMovementType", "inventoryActivityType", "inventoryActivityTypeCode")  # fmt: skip
_REPORT_PLACES = ("InventoryReportingParty/PartyIdentification/ID", "inventoryReportingParty/gln")
# of the report: the first of them that is there is the day
_REPORT_DAYS = ("InventoryPeriod/EndDate", "reportingPeriod/endDate", "InventoryPeriod/StartDate",
                "reportingPeriod/beginDate", "IssueDate", "creationDateTime")  # fmt: skip


def read_xml(stream: BinaryIO, target: Target, facts: Facts) -> Iterator[Chunk]:
    """Yield the rows and rejects of an inventory report; ``_line`` is the line in which the item's element starts.

    Raises:
        PermanentError: ``corrupt_xml``, ``xml_document_type``, ``xml_too_large`` (see the bounds),
            ``wrong_feed``.
    """
    facts.note(format="xml")
    records = Records(target, facts, lambda: "", standard=True)
    yield from records.chunks(_Reader(target, facts).found(stream))
    records.check()


class _Reader:
    """Follows the elements of a file, and keeps the text of the item that is open."""

    def __init__(self, target: Target, facts: Facts) -> None:
        self._target, self._facts = target, facts
        self._path: list[str] = []
        self._attributes: list[dict[str, str]] = []
        self._text: list[str] = []
        self._size = 0  # characters of the element that is open
        self._report: Report | None = None
        self._head: dict[str, str] = {}
        self._item: Item | None = None
        self._depth = 0  # of the item's element
        self._quantity: dict[str, str] = {}
        self._others = 0
        self._window, self._base, self._start = b"", 0, 0  # bytes that are kept, and where they and the item start
        self._ready: list[Found] = []
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._open
        self._parser.EndElementHandler = self._close
        self._parser.CharacterDataHandler = self._characters
        self._parser.StartDoctypeDeclHandler = self._doctype

    def found(self, stream: BinaryIO) -> Iterator[Found]:
        """Yield the records of the file."""
        try:
            for part in parts_of(stream):
                self._keep(part)
                self._parser.Parse(part, False)
                yield from self._taken()
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise PermanentError(
                "corrupt_xml",
                f"{self._target.name}: its XML is damaged ({error}): it was cut or changed on its way. Send it again",
                line=error.lineno,
            ) from error
        except (LookupError, ValueError) as error:  # of the encoding that its first line states
            raise PermanentError(
                "corrupt_xml",
                f"{self._target.name}: its first line states an encoding that cannot be read ({error}); "
                "expected UTF-8, UTF-16 or one of one byte a character, such as ISO-8859-1",
            ) from error
        yield from self._taken()

    def _taken(self) -> list[Found]:
        ready, self._ready = self._ready, []
        return ready

    def _keep(self, part: bytes) -> None:
        """Keep the bytes from the start of the open item on."""
        begun = self._start if self._item else self._base + len(self._window)
        self._window, self._base = self._window[begun - self._base :] + part, begun
        if self._item and len(self._window) - len(part) > MAX_ITEM:
            raise self._beyond(f"an item of more than {MAX_ITEM:,} bytes")

    # what the parser calls

    def _open(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name.rpartition(":")[2])
        self._attributes.append(attributes)
        self._text, self._size = [], 0
        if len(self._path) > MAX_DEPTH:
            raise self._beyond(f"elements within elements {MAX_DEPTH} times")
        message = ITEMS.get(self._path[-1])
        if message is None or self._item is not None:
            return
        if self._report is None:
            self._report = Report(message, PRODUCTS, self._target, self._facts)
            self._facts.note(messages={message.name: 1})
        self._item, self._depth, self._others = Item(self._parser.CurrentLineNumber), len(self._path), 0
        self._start = self._parser.CurrentByteIndex

    def _characters(self, data: str) -> None:
        self._text.append(data)
        self._size += len(data)
        if self._size > MAX_TEXT:
            raise self._beyond(f"an element of more than {MAX_TEXT:,} characters")

    def _doctype(self, *_: object) -> None:
        raise PermanentError(
            "xml_document_type",
            f"{self._target.name} declares a document type, which no inventory report needs; send it without one",
        )

    def _close(self, name: str) -> None:
        text = "".join(self._text).strip()
        attributes = self._attributes.pop()
        if self._item is None and len(self._head) < MAX_HEAD:
            self._head.setdefault("/".join(self._path[1:]), text)
        elif self._item and len(self._path) == self._depth:
            self._finish(self._item, name)
        elif self._item:
            self._take("/".join(self._path[self._depth :]), text, attributes, self._item)
        self._path.pop()
        self._text, self._size = [], 0

    # what an item says

    def _take(self, path: str, text: str, attributes: dict[str, str], item: Item) -> None:
        leaf = self._path[-1]
        if leaf.endswith("QuantitySpecification") or path == "Quantity":
            self._state(text, attributes, item)
        elif leaf == "quantityOfUnits" or leaf in _STATUSES:
            self._quantity["quantity" if leaf == "quantityOfUnits" else "status"] = text
            self._unit(attributes.get("measurementUnitCode", ""), item)
        elif not text:
            return
        elif kind := self._number(path, attributes):
            item.ids.setdefault(kind, text)
        elif path in _PLACES:
            item.place = item.place or text
        elif leaf == "inventoryDateTime":
            item.values["business_date"] = _day(text)
        elif self._others < MAX_OTHERS:
            self._others += 1
            item.values.setdefault(path, text)

    def _number(self, path: str, attributes: dict[str, str]) -> str | None:
        """Return which number of the product an element holds, if any."""
        if path.endswith("additionalTradeItemIdentification"):
            return _ASSIGNED.get(attributes.get("additionalTradeItemIdentificationTypeCode", ""))
        return _NUMBERS.get(path)

    def _state(self, text: str, attributes: dict[str, str], item: Item) -> None:
        """Take a quantity: of UBL an element, of GS1 the end of one that holds it and its status."""
        code, quantity = "Quantity", text
        if self._path[-1] != "Quantity":
            code, quantity = self._quantity.get("status", "without a status"), self._quantity.get("quantity", "")
        self._quantity = {}
        self._unit(attributes.get("unitCode", ""), item)
        item.state("", code, quantity)

    def _unit(self, unit: str, item: Item) -> None:
        if unit and item.values.setdefault("unit", unit) != unit:
            both = f"{item.values['unit']!r} and {unit!r}"
            item.refuse("ambiguous_unit", f"an item in two units, {both}", unit, "one unit for all its quantities")

    def _finish(self, item: Item, name: str) -> None:
        assert self._report is not None
        end = self._parser.CurrentByteIndex
        source = self._window[self._start - self._base : end - self._base].decode("utf-8", "backslashreplace")
        self._report.place = self._first(_REPORT_PLACES)
        dated = _day(self._first(_REPORT_DAYS))
        self._report.values = {"business_date": dated} if dated else {}
        if currency := self._first(("DocumentCurrencyCode",)):
            self._report.values["currency"] = currency
        self._ready += self._report.records(item, shown(f"{source}</{name}>"))
        self._item = None

    def _first(self, paths: tuple[str, ...]) -> str:
        """Return the first of these elements of the report that is there; GS1 puts the report into a message."""
        inner = (
            self._head.get(p) or next((t for q, t in self._head.items() if q.endswith(f"/{p}")), "") for p in paths
        )
        return next((text for text in inner if text), "")

    def _beyond(self, what: str) -> PermanentError:
        line = self._parser.CurrentLineNumber
        message = f"{self._target.name}: {what}, near line {line}; no inventory report has that. Send a valid one"
        return PermanentError("xml_too_large", message, line=line)


def _day(text: str) -> str:
    """Return the day of a date or time of XML; another text as it is."""
    found = _DAY.fullmatch(text)
    return found[1] if found else text
