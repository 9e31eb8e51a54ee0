"""X12, EDIFACT and XML: what is written reads back the same, whatever the signs; damage never passes for data."""

import random
from decimal import Decimal
from xml.etree.ElementTree import Element, SubElement, tostring

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.ingest.readers import segments, xml_events
from stockflow.errors import PermanentError
from tests.unit.ingest.reading import read

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
CODES = st.text(st.sampled_from("ABZ019-é./+:'?*~>"), min_size=1, max_size=9).filter(lambda t: t.strip() == t)
QUANTITIES = st.integers(-999, 10**12).map(str) | st.decimals(0, 10**6, places=3).map(str)
ITEMS = st.lists(st.tuples(CODES, CODES, QUANTITIES), min_size=1, max_size=6)


def x12(items: list[tuple[str, str, str]], element: str, component: str, end: str) -> str:
    head = "ISA*00*          *00*          *ZZ*SENDER         *ZZ*SHOP           *260901*1430*U*00501*000000042*0*P*"
    body = [["BIA", "00", "SI", "1", "20260901"]]
    for sku, place, quantity in items:
        body += [["LIN", "", "SK", sku], ["QTY", "17", quantity, "EA"], ["N1", "WH", "", "92", place]]
    body.append(["CTT", str(len(items))])
    whole = [["GS", "IB", "S", "R", "20260901", "1430", "7", "X", "005010"], ["ST", "846", "1"], *body]
    whole += [["SE", str(len(body) + 2), "1"], ["GE", "1", "7"], ["IEA", "1", "000000042"]]
    return head.replace("*", element) + component + end + "".join(element.join(s) + end for s in whole)


def edifact(items: list[tuple[str, str, str]]) -> str:
    def released(text: str) -> str:
        return "".join(f"?{c}" if c in "+:'?" else c for c in text)

    body = ["BGM+35+1+9", "DTM+366:20260901:102"]
    for number, (sku, place, quantity) in enumerate(items, 1):
        body += [f"LIN+{number}", f"PIA+1+{released(sku)}:IN", f"QTY+145:{quantity}:PCE", f"LOC+18+{released(place)}"]
    body.append(f"CNT+2:{len(items)}")
    whole = ["UNA:+.? ", "UNB+UNOW:4+A+B+260901:1430+9", "UNH+1+INVRPT:D:96A:UN", *body]
    return "".join(f"{s}'" for s in [*whole, f"UNT+{len(body) + 2}+1", "UNZ+1+9"])


def stock(text: str | bytes) -> list[tuple[str, str, Decimal]]:
    found = read(text.encode() if isinstance(text, str) else text, "stock_snapshots", "stock_snapshots/x")
    assert found.rejects == []
    assert {r["business_date"] for r in found.rows} == {"2026-09-01"}
    return valued([(r["sku"], r["location_code"], r["on_hand"]) for r in found.rows])


def valued(items: list[tuple[str, str, str]]) -> list[tuple[str, str, Decimal]]:
    return [(sku, place, Decimal(quantity)) for sku, place, quantity in items]


def without(items: list[tuple[str, str, str]], signs: str) -> list[tuple[str, str, str]]:
    """X12 cannot release its signs: they do not stand in values."""
    clean = str.maketrans(dict.fromkeys(signs, "_"))
    return [(a.translate(clean), b.translate(clean), c) for a, b, c in items]


@given(items=ITEMS, element=st.sampled_from("*|^\x1d"), end=st.sampled_from(["~", "\n", "\x1c", "~\r\n"]))
@QUICK
def test_an_846_reads_back_the_same(items: list[tuple[str, str, str]], element: str, end: str) -> None:
    items = without(items, element + ":" + end)
    assert stock(x12(items, element, ":", end)) == valued(items)


@given(items=ITEMS)
@QUICK
def test_an_invrpt_reads_back_the_same(items: list[tuple[str, str, str]]) -> None:
    assert stock(edifact(items)) == valued(items)


@given(items=ITEMS, least=st.integers(150, 400))
@QUICK
def test_where_parts_end_makes_no_difference(items: list[tuple[str, str, str]], least: int) -> None:
    text, before = edifact(items), segments.MAX_SEGMENT
    parts = [text.encode()[i : i + 7] for i in range(0, len(text.encode()), 7)]
    segments.MAX_SEGMENT = least
    try:
        from functions.ingest.readers.edifact import signs_of

        found = list(segments.segments(parts, "x", "edifact", signs_of))
    finally:
        segments.MAX_SEGMENT = before
    assert "".join(s.text + "'" for s in found) == text[9:]


def test_a_message_that_is_cut_anywhere_is_refused() -> None:
    items = [("A-1", "LYO", "5"), ("B-2", "PAR", "7")]
    for whole in (x12(items, "*", ":", "~"), edifact(items)):
        for end in range(130, len(whole) - 1):
            try:
                read(whole[:end].encode(), "stock_snapshots", "stock_snapshots/x")
            except PermanentError as error:
                assert error.code.startswith(("truncated_", "bad_")), (error, whole[:end])
            else:
                raise AssertionError(whole[:end])


def test_damaged_messages_end_in_rows_rejects_or_a_permanent_error() -> None:
    rng = random.Random(20260901)
    items = [("A-1", "LYO", "5"), ("B?2", "PAR", "7"), ("C+3", "NCE", "1.5")]
    whole = [x12(items, "*", ":", "~").encode(), edifact(items).encode()]
    for _ in range(400):
        data = bytearray(rng.choice(whole))
        for _ in range(rng.randint(1, 4)):
            place, length = rng.randrange(90, len(data)), rng.choice([1, 1, 3, 30])
            data[place : place + length] = rng.choice(
                [b"", b"~", b"'", b"*", b"+", b"?", b"\xff", rng.randbytes(length)]
            )
        try:
            read(bytes(data), "stock_snapshots", "stock_snapshots/x")
        except PermanentError as error:
            assert error.message.encode()


def ubl(items: list[tuple[str, str, str]]) -> bytes:
    root = Element("InventoryReport")
    SubElement(root, "IssueDate").text = "2026-09-01"
    for sku, place, quantity in items:
        line = SubElement(root, "InventoryReportLine")
        SubElement(line, "Quantity", unitCode="EA").text = quantity
        product = SubElement(SubElement(line, "Item"), "BuyersItemIdentification")
        SubElement(product, "ID").text = sku
        SubElement(SubElement(line, "InventoryLocation"), "ID").text = place
    written: bytes = tostring(root, "utf-8")
    return written


@given(items=ITEMS, part=st.integers(1, 60))
@QUICK
def test_a_ubl_report_reads_back_the_same(items: list[tuple[str, str, str]], part: int) -> None:
    before, xml_events.PART = xml_events.PART, part
    try:
        assert stock(ubl(items)) == valued(items)
    finally:
        xml_events.PART = before


def test_damaged_xml_ends_in_rows_rejects_or_a_permanent_error() -> None:
    rng = random.Random(20260902)
    whole = ubl([("A-1", "LYO", "5"), ("<B&2>", "PAR", "7")])
    for _ in range(300):
        data = bytearray(whole)
        place, length = rng.randrange(60, len(data)), rng.choice([1, 1, 3, 30])
        data[place : place + length] = rng.choice(
            [b"", b"<", b"&", b">", b"<!DOCTYPE a>", b"\xff", rng.randbytes(length)]
        )
        try:
            read(bytes(data), "stock_snapshots", "stock_snapshots/x")
        except PermanentError as error:
            assert error.message.encode()
