"""What calamine does not tell of an ODS sheet: errors, whole numbers shown with leading zeros, merged cells."""

import zipfile
from typing import BinaryIO, cast

from functions.ingest.readers.cell_marks import Marks
from functions.ingest.readers.cells import Problem, Render
from functions.ingest.readers.sheet import Merge
from functions.ingest.readers.workbook_limits import MAX_MERGES, check_count
from functions.ingest.readers.xml_events import Handler, feed, parts_of

_MOST = 1_000  # repetitions that are followed; more of one cell with an error or a code is not a table


class _Cells(Handler):
    """Collects the marks of each sheet."""

    def __init__(self) -> None:
        self.found: list[Marks] = []
        self._row = self._column = self._rows = self._columns = 0
        self._error = self._number = self._take = False
        self._text = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """A sheet, a row or a cell begins."""
        if name == "table":
            self.found.append(Marks())
            self._row = 0
        elif name == "table-row":
            self._column, self._rows = 0, int(attributes.get("table:number-rows-repeated", 1))
        elif name in {"table-cell", "covered-table-cell"}:
            self._columns = int(attributes.get("table:number-columns-repeated", 1))
            self._error = attributes.get("calcext:value-type") == "error"
            self._number = attributes.get("office:value-type") == "float"
            self._text = ""
            self._merge(attributes)
        elif name == "p":
            self._take = self._error or self._number

    def _merge(self, attributes: dict[str, str]) -> None:
        """Note a cell that covers others."""
        tall = int(attributes.get("table:number-rows-spanned", 1))
        wide = int(attributes.get("table:number-columns-spanned", 1))
        if self.found and (tall > 1 or wide > 1):
            merges = self.found[-1].merges
            check_count("the sheet", "merged ranges", len(merges) + 1, MAX_MERGES)
            merges.append(Merge(self._row + 1, self._row + tall, self._column, self._column + wide - 1))

    def text(self, data: str) -> None:
        """Keep what a cell shows."""
        if self._take:
            self._text += data

    def end(self, name: str) -> None:
        """A cell or a row is whole."""
        if name == "p":
            self._take = False
        elif name == "table-row":
            self._row += self._rows
        elif name in {"table-cell", "covered-table-cell"}:
            if self.found and (self._error or self._is_code()):
                self._mark()
            self._column += self._columns

    def _is_code(self) -> bool:
        return self._number and self._text.isdigit() and len(self._text) > 1 and self._text[0] == "0"

    def _mark(self) -> None:
        shown = self._text
        for row in range(self._row, self._row + min(self._rows, _MOST)):
            for column in range(self._column, self._column + min(self._columns, _MOST)):
                if self._error:
                    self.found[-1].errors[row, column] = Problem(shown or "an error")
                else:
                    self.found[-1].renders[row, column] = _always(shown)


def _always(shown: str) -> Render:
    return lambda _: shown


def ods_marks(archive: zipfile.ZipFile) -> list[Marks]:
    """Return the marks of the sheets, in the order of their tabs."""
    cells = _Cells()
    with archive.open("content.xml") as content:
        for _ in feed(parts_of(cast("BinaryIO", content)), cells):
            pass
    return cells.found
