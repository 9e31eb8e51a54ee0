"""The rows of an XLSX sheet. Rows written as all programs write them are read by a pattern, others by expat.

A row is taken by the pattern only when its cells account for every character of it.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import BinaryIO

from functions.ingest.readers.cells import Render
from functions.ingest.readers.sheet import Part, Row
from functions.ingest.readers.workbook_limits import MAX_COLUMNS, MAX_ROWS
from functions.ingest.readers.xlsx_shapes import Shapes
from functions.ingest.readers.xlsx_sheet import RowHandler, index
from functions.ingest.readers.xlsx_text import Written, elements
from functions.ingest.readers.xml_events import XmlError, feed, parts_of

_ROW_END = "</row>"
_WRITTEN = Written(
    re.compile(rb"<worksheet[ >].*?<sheetData>", re.DOTALL), _ROW_END, "</sheetData>", "<worksheet><sheetData>"
)
_ROW = re.compile(r"\s*<row((?: [\w:]+=\"[^\"<>]*\")*)>")
_NUMBER = re.compile(r' r="(\d{1,7})"')
_HIDDEN = re.compile(r' hidden="(?:1|true)"')
_CELL = re.compile(
    r'(<c r="([A-Z]{1,3})\d+"(?: s="(\d+)")?(?: t="([a-zA-Z]+)")?'
    r"(?:/>|>(<f(?: [^<>]*)?(?:/>|>[^<]*</f>))?"
    r'(?:<v>([^<]*)</v>|<v ?/>)?(?:<is><t(?: xml:space="preserve")?>([^<]*)</t></is>)?</c>))'
)


def parts_of_sheet(stream: BinaryIO, strings: list[str], renders: list[Render]) -> Iterator[Part]:
    """Yield the rows of a sheet, those that are written alike together.

    Raises:
        XmlError: when it is damaged.
    """
    handler = RowHandler(strings, renders)
    try:
        yield from _rows(parts_of(stream), handler)
    except (ValueError, IndexError) as error:
        raise XmlError(f"a cell near row {handler.number} refers to what is not there: {error}") from error


def _rows(parts: Iterator[bytes], handler: RowHandler) -> Iterator[Part]:
    shapes = Shapes(handler)
    for text in elements(parts, _WRITTEN):
        yield from _plain(text, handler, shapes) if isinstance(text, str) else _by_expat(text, handler)


def _plain(text: str, handler: RowHandler, shapes: Shapes) -> Iterator[Part]:
    """Yield the rows of a text that ends with one."""
    shape = shapes.shape
    for other, rows in groupby(shape.found(text), lambda row: bool(row[-1])):
        found = [*rows]
        if not other:
            yield from shape.blocks(found)
        elif shapes.shape is shape:
            yield from _others([row[-1] for row in found], handler, shapes)
        else:
            yield from _plain("".join(row[-1] for row in found), handler, shapes)


def _others(rows: list[str], handler: RowHandler, shapes: Shapes) -> Iterator[Part]:
    """Yield rows that the known shape does not take; once one of them is learned, the others may be of its shape."""
    for place, text in enumerate(rows, 1):
        shape, row = shapes.shape, _row(text, handler, shapes)
        if row is None:
            yield from _by_expat([f"<x>{text}</x>".encode()], handler)
        else:
            yield row
        if shapes.shape is not shape:
            yield from _plain("".join(rows[place:]), handler, shapes)
            return


def _row(piece: str, handler: RowHandler, shapes: Shapes) -> Row | None:
    """Return the row, or None when it is not written in the usual way."""
    if "&" in piece or "\r" in piece:
        return None
    begin = _ROW.match(piece)
    number = _NUMBER.search(begin[1]) if begin else None
    if begin is None or number is None or not 0 < int(number[1]) <= MAX_ROWS:
        return None
    handler.number = int(number[1])
    cells = _cells_by_cells(piece[begin.end() : -len(_ROW_END)], handler, shapes)
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
