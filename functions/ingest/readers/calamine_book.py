"""XLSB, XLS and ODS through calamine, which reads a sheet whole: only ever in a process of its own."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO

from functions.ingest.readers.cells import moment_text, plain, span_text
from functions.ingest.readers.sheet import Merge, Row, Sheet

_TEXTS: dict[type, Callable[[Any], str]] = {
    str: lambda v: v,
    float: lambda v: plain(repr(v)),
    int: str,
    bool: lambda v: str(v).upper(),
    datetime: moment_text,
    date: date.isoformat,
    timedelta: span_text,
    time: lambda v: span_text(timedelta(hours=v.hour, minutes=v.minute, seconds=v.second, microseconds=v.microsecond)),
}


class CalamineBook:
    """An open workbook."""

    def __init__(self, stream: BinaryIO) -> None:
        import python_calamine as calamine

        self._visible = calamine.SheetVisibleEnum.Visible
        stream.seek(0)
        try:
            self._book = calamine.CalamineWorkbook.from_filelike(stream)
        except calamine.CalamineError as error:
            raise ValueError(str(error)) from error

    def sheets(self) -> Iterator[Sheet]:
        """Yield the sheets in the order of their tabs."""
        for sheet in self._book.sheets_metadata:
            yield CalamineSheet(self._book, sheet.name, sheet.visible == self._visible)


class CalamineSheet(Sheet):
    """One sheet."""

    def __init__(self, book: Any, name: str, visible: bool) -> None:
        super().__init__(name, visible)
        self._book = book
        self._sheet: Any = None

    def rows(self) -> Iterator[Row]:
        """Yield the rows that have cells."""
        sheet = self._read()
        for number, values in enumerate(sheet.iter_rows(), 1):
            cells = _cells(values)
            if cells:
                yield Row(number, cells)

    def merges(self) -> list[Merge]:
        """Return the merged ranges, which ODS does not tell."""
        found = self._read().merged_cell_ranges or []
        return [Merge(top + 1, bottom + 1, left, right) for (top, left), (bottom, right) in found]

    def _read(self) -> Any:
        import python_calamine as calamine

        if self._sheet is None:
            try:
                self._sheet = self._book.get_sheet_by_name(self.name)
            except calamine.CalamineError as error:
                raise ValueError(str(error)) from error
        return self._sheet


def _cells(values: Sequence[Any]) -> dict[int, str]:
    return {i: _TEXTS[type(v)](v) for i, v in enumerate(values) if v != ""}
