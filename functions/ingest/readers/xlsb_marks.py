"""What calamine does not tell of the cells of XLSB: errors. Parts and records of [MS-XLSB] 2.1 and 2.4."""

import re
import struct
import zipfile
from collections.abc import Iterator
from itertools import takewhile

from functions.ingest.readers.cell_marks import Marks, error
from functions.ingest.readers.xlsx import resolved

_ROW, _CELL_ERROR, _FORMULA_ERROR, _SHEET, _END_OF_SHEETS = 0, 3, 11, 156, 144
_BOOK, _RELATIONS = "xl/workbook.bin", "xl/_rels/workbook.bin.rels"
_RELATION = re.compile(r"<(?:\w+:)?Relationship\s[^>]*>")
_ATTRIBUTE = re.compile(r"""(\w+)\s*=\s*["']([^"']*)["']""")


def xlsb_marks(data: bytes) -> Marks:
    """Return the errors of a sheet of an XLSB workbook."""
    marks, row = Marks(), 0
    for kind, body in _xlsb_records(data):
        if kind == _ROW:
            row = struct.unpack_from("<I", body)[0]
        elif kind in {_CELL_ERROR, _FORMULA_ERROR}:
            marks.errors[row, struct.unpack_from("<I", body)[0]] = error(body[8])
    return marks


def xlsb_parts(archive: zipfile.ZipFile) -> list[str]:
    """Return the parts of the sheets of an XLSB workbook in the order of their tabs, those of charts among them.

    Raises:
        KeyError: when one is not there.
    """
    names = {name.lower(): name for name in archive.namelist()}
    tags = _RELATION.findall(archive.read(names[_RELATIONS]).decode())
    related = {a["Id"]: resolved("xl", a["Target"]) for a in map(_attributes, tags)}
    book = takewhile(lambda record: record[0] != _END_OF_SHEETS, _xlsb_records(archive.read(names[_BOOK])))
    return [names[related[_text(body, 8)].lower()] for kind, body in book if kind == _SHEET]


def _attributes(tag: str) -> dict[str, str]:
    return dict(_ATTRIBUTE.findall(tag))


def _text(body: bytes, place: int) -> str:
    (length,) = struct.unpack_from("<I", body, place)
    return body[place + 4 : place + 4 + 2 * length].decode("utf-16-le")


def _xlsb_records(data: bytes) -> Iterator[tuple[int, bytes]]:
    place = 0
    while place < len(data):
        kind, place = _number(data, place, 2)
        length, place = _number(data, place, 4)
        yield kind, data[place : place + length]
        place += length


def _number(data: bytes, place: int, most: int) -> tuple[int, int]:
    """Return a number of seven bits a byte (the kind of a record keeps them as they are), and where it ends."""
    value = 0
    for i in range(most):
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            break
    return value, place
