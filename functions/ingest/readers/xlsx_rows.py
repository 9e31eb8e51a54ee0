"""The rows of an XLSX sheet. Rows written as all programs write them are read by a pattern, others by expat.

A row is taken by the pattern only when its cells account for every character of it.
"""

import codecs
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO

from functions.ingest.readers.cells import Render
from functions.ingest.readers.sheet import Row
from functions.ingest.readers.workbook_limits import MAX_COLUMNS, MAX_ROWS
from functions.ingest.readers.xlsx_shapes import Shapes
from functions.ingest.readers.xlsx_sheet import RowHandler, index
from functions.ingest.readers.xml_events import XmlError, feed, parts_of

_DATA = "<sheetData>"
_END = "</sheetData>"
_ROW = re.compile(r"\s*<row((?: [\w:]+=\"[^\"<>]*\")*)>")
_NUMBER = re.compile(r' r="(\d{1,7})"')
_HIDDEN = re.compile(r' hidden="(?:1|true)"')
_CELL = re.compile(
    r'(<c r="([A-Z]{1,3})\d+"(?: s="(\d+)")?(?: t="([a-zA-Z]+)")?'
    r"(?:/>|>(<f(?: [^<>]*)?(?:/>|>[^<]*</f>))?"
    r'(?:<v>([^<]*)</v>|<v ?/>)?(?:<is><t(?: xml:space="preserve")?>([^<]*)</t></is>)?</c>))'
)


def rows_of(stream: BinaryIO, strings: list[str], renders: list[Render]) -> Iterator[Row]:
    """Yield the rows of a sheet.

    Raises:
        XmlError: when it is damaged.
    """
    handler = RowHandler(strings, renders)
    try:
        yield from _rows(parts_of(stream), handler)
    except (ValueError, IndexError) as error:
        raise XmlError(f"a cell near row {handler.number} refers to what is not there: {error}") from error


def _rows(parts: Iterator[bytes], handler: RowHandler) -> Iterator[Row]:
    head = next(parts, b"")
    start = head.find(_DATA.encode())
    if start < 0 or b"<!" in head[:start] or b"<worksheet" not in head[:start] or not _is_utf8(head):
        yield from _by_expat(chain([head], parts), handler)
        return
    shapes = Shapes(handler)
    decoder = codecs.getincrementaldecoder("utf-8")()
    rest = ""
    texts = (decoder.decode(p) for p in chain([head[start + len(_DATA) :]], parts))
    for text in texts:
        rest += text
        end = rest.find(_END)
        if "<!" in rest or "<?" in rest:
            others = (t.encode() for t in chain([f"<worksheet>{_DATA}", rest], texts))
            yield from _by_expat(others, handler)
            return
        whole, _, rest = (rest if end < 0 else rest[:end]).rpartition("</row>")
        yield from _plain(whole, handler, shapes)
        if end >= 0:
            for _ in parts:  # to the end, where the archive's checksum is checked
                pass
            return
    raise XmlError("the sheet has no end: it was cut")


def _is_utf8(head: bytes) -> bool:
    declared = re.search(rb'^<\?xml[^>]*encoding=["\']([\w-]+)', head[:200])
    return declared is None or declared[1].lower() in {b"utf-8", b"us-ascii"}


def _plain(text: str, handler: RowHandler, shapes: Shapes) -> Iterator[Row]:
    for piece in text.split("</row>") if text else ():
        row = _row(piece, handler, shapes)
        if row is None:
            yield from _by_expat([f"<x>{piece}</row></x>".encode()], handler)
        else:
            yield row


def _row(piece: str, handler: RowHandler, shapes: Shapes) -> Row | None:
    """Return the row, or None when it is not written in the usual way."""
    if "&" in piece or "\r" in piece:
        return None
    begin = _ROW.match(piece)
    number = _NUMBER.search(begin[1]) if begin else None
    if begin is None or number is None or not 0 < int(number[1]) <= MAX_ROWS:
        return None
    handler.number = int(number[1])
    text = piece[begin.end() :]
    cells = shapes.cells(text)
    if cells is None:
        cells = _cells_by_cells(text, handler, shapes)
    return None if cells is None else Row(handler.number, cells, bool(_HIDDEN.search(begin[1])))


def _cells_by_cells(text: str, handler: RowHandler, shapes: Shapes) -> dict[int, str] | None:
    """Return the cells of a row, each found by itself."""
    found = _CELL.findall(text)
    if sum([len(cell[0]) for cell in found]) != len(text):
        return None
    cells = _cells(found, handler)
    if cells is not None:
        shapes.learn(found)
    return cells


def _cells(found: list[tuple[str, ...]], handler: RowHandler) -> dict[int, str] | None:
    cells: dict[int, str] = {}
    columns, strings, renders, last = handler.columns, handler.strings, handler.renders, -1
    for _, letters, style, kind, formula, value, inline in found:
        column = columns[letters]
        if column <= last or column >= MAX_COLUMNS:
            return None
        last = column
        if kind == "s" and value:
            text = strings[index(value)]
        elif value and kind in {"", "n"}:
            text = renders[int(style or 0)][value]
        else:
            text = handler.value(value or inline, kind, style, bool(formula))
        if text:
            cells[column] = text
    return cells


def _by_expat(parts: Iterable[bytes], handler: RowHandler) -> Iterator[Row]:
    for _ in feed(parts, handler):
        yield from handler.found
        handler.found.clear()
