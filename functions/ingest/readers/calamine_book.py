"""XLSB, XLS and ODS through calamine, which reads a sheet whole: only ever in a process of its own."""

import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO

from functions.ingest.readers.cell_marks import Marks, xls_marks
from functions.ingest.readers.cells import Dated, Truth, moment_text, plain, span_text
from functions.ingest.readers.ods_marks import ods_marks
from functions.ingest.readers.ole import Compound
from functions.ingest.readers.sheet import Merge, Row, Sheet
from functions.ingest.readers.workbook_limits import MAX_COLUMNS
from functions.ingest.readers.xlsb_marks import xlsb_marks, xlsb_parts

_TEXTS: dict[type, Callable[[Any], str]] = {
    str: lambda v: v,
    float: lambda v: plain(repr(v)),
    int: str,
    bool: lambda v: Truth(str(v).upper()),
    datetime: lambda v: Dated(moment_text(v)),
    date: lambda v: Dated(v.isoformat()),
    timedelta: lambda v: Dated(span_text(v)),
    time: lambda v: Dated(span_text(_since_midnight(v))),
}


def _since_midnight(v: time) -> timedelta:
    return timedelta(hours=v.hour, minutes=v.minute, seconds=v.second, microseconds=v.microsecond)


class CalamineBook:
    """An open workbook."""

    def __init__(self, stream: BinaryIO, kind: str) -> None:
        import python_calamine as calamine

        self._marks = _marks(stream, kind)
        self._visible, self._worksheet = calamine.SheetVisibleEnum.Visible, calamine.SheetTypeEnum.WorkSheet
        stream.seek(0)
        try:
            self._book = calamine.CalamineWorkbook.from_filelike(stream)
        except calamine.CalamineError as error:
            raise ValueError(str(error)) from error

    def sheets(self) -> Iterator[Sheet]:
        """Yield the worksheets in the order of their tabs; a chart's sheet holds a copy of what it shows."""
        for number, sheet in enumerate(self._book.sheets_metadata):
            if sheet.typ != self._worksheet:
                continue
            marks = self._marks(number)
            yield CalamineSheet(self._book, sheet.name, sheet.visible == self._visible, marks)


class CalamineSheet(Sheet):
    """One sheet."""

    def __init__(self, book: Any, name: str, visible: bool, marks: Marks) -> None:
        super().__init__(name, visible)
        self._marks = marks
        self._book = book
        self._sheet: Any = None

    def rows(self) -> Iterator[Row]:
        """Yield the rows that have cells."""
        sheet = self._read()
        first = sheet.start[1] if sheet.start else 0  # calamine leaves out the blank columns in front, not the rows
        for number, values in enumerate(sheet.iter_rows(), 1):
            cells = {i: _TEXTS[type(v)](v) for i, v in enumerate(values, first) if v != ""}
            if self._marks.errors or self._marks.renders:
                self._mark(number - 1, cells, range(first, first + len(values)))
            if cells:
                yield Row(number, cells)

    def _mark(self, row: int, cells: dict[int, str], columns: range) -> None:
        for column in columns:
            if found := self._marks.errors.get((row, column)):
                cells[column] = found
            elif column in cells and (render := self._marks.renders.get((row, column))):
                cells[column] = render(cells[column])

    def merges(self) -> list[Merge]:
        """Return the merged ranges."""
        found = self._read().merged_cell_ranges or []
        return [Merge(top + 1, bottom + 1, left, right) for (top, left), (bottom, right) in found] + self._marks.merges

    def _read(self) -> Any:
        import python_calamine as calamine

        if self._sheet is None:
            try:
                self._sheet = self._book.get_sheet_by_name(self.name)
            except calamine.CalamineError as error:
                raise ValueError(str(error)) from error
            if self._sheet.total_width > MAX_COLUMNS:
                raise ValueError(f"a cell stands outside of what a sheet has (column {self._sheet.total_width:,})")
        return self._sheet


def _marks(stream: BinaryIO, kind: str) -> Callable[[int], Marks]:
    """Return what gives the marks of a sheet by its number."""
    stream.seek(0)
    if kind == "xls":
        found = xls_marks(Compound(stream.read()).stream("Workbook", "Book"))
    elif kind == "ods":
        found = ods_marks(zipfile.ZipFile(stream))
    else:
        archive = zipfile.ZipFile(stream)
        parts = xlsb_parts(archive)
        return lambda number: xlsb_marks(archive.read(parts[number]))
    return lambda number: found[number] if number < len(found) else Marks()
