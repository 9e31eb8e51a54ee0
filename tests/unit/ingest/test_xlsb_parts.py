"""Where the sheets of an XLSB workbook are, when their tabs were moved or charts stand between them."""

import io
import struct
import zipfile

from functions.ingest.readers.xlsb_marks import xlsb_parts

SHEET, END = 156, 144


def record(kind: int, body: bytes = b"") -> bytes:
    """Return a record: its kind and length in seven bits a byte."""
    return bytes([kind & 0x7F | 0x80, kind >> 7, len(body)]) + body


def sheet(relation: str, name: str) -> bytes:
    """Return the record of a sheet: its state, its number, its relation, its name."""
    texts = (struct.pack("<I", len(t)) + t.encode("utf-16-le") for t in (relation, name))
    return record(SHEET, bytes(8) + b"".join(texts))


def test_the_parts_are_in_the_order_of_the_tabs() -> None:
    """Given tabs in another order than their parts, a chart among them, when the parts are listed, then so are they."""
    targets = {"rId1": "worksheets/sheet1.bin", "rId2": "/xl/worksheets/sheet2.bin", "rId3": "chartsheets/sheet1.bin"}
    tags = "".join(f'<Relationship Target="{target}" Id="{name}"/>' for name, target in targets.items())
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        tabs = sheet("rId2", "Sales") + sheet("rId3", "Chart") + sheet("rId1", "Notes")
        archive.writestr("xl/workbook.bin", record(131) + tabs + record(END) + b"\xff")
        archive.writestr("xl/_rels/workbook.bin.rels", f"<Relationships>{tags}</Relationships>")
        for part in ("xl/worksheets/sheet1.bin", "xl/Worksheets/Sheet2.bin", "xl/chartsheets/sheet1.bin"):
            archive.writestr(part, b"")

    found = xlsb_parts(zipfile.ZipFile(whole))

    assert found == ["xl/Worksheets/Sheet2.bin", "xl/chartsheets/sheet1.bin", "xl/worksheets/sheet1.bin"]
