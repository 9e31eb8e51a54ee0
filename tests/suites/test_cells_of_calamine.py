"""Workbooks of Excel and other programs, cell by cell as calamine reads them: another implementation."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import python_calamine as calamine

from functions.ingest.readers.calamine_book import CalamineSheet
from functions.ingest.readers.cell_marks import Marks
from functions.ingest.readers.cells import Problem
from functions.ingest.readers.model import Target
from functions.ingest.readers.sheet import Sheet
from functions.ingest.readers.workbook_file import open_workbook
from stockflow.errors import PermanentError
from tests.suites.reading import contract_of

PACKAGES = {"excelrd": 6, "xlcalculator": 60, "pyexcel-xlsx": 9, "xlsx2csv": 20}
OTHERS = {"formatted_inline_string.xlsx"}  # calamine drops a blank between two runs of text; xlsx2csv reads it


def cells_of(sheet: Sheet) -> dict[tuple[int, int], str]:
    """Return the cells of a sheet by row and column."""
    return {(row.number, column): value for row in sheet.rows() for column, value in row.cells.items()}


def sheets_of(path: Path) -> Iterator[tuple[str, dict[tuple[int, int], str], dict[tuple[int, int], str]]]:
    """Yield the worksheets of a workbook: their names, and their cells as both read them."""
    with path.open("rb") as stream:
        book = open_workbook(stream, Target(contract_of(["x"], {}, {}), path.name))
        theirs = calamine.CalamineWorkbook.from_path(path)
        for sheet in book.sheets():
            yield sheet.name, cells_of(sheet), cells_of(CalamineSheet(theirs, sheet.name, True, Marks()))


def differs(ours: str | None, theirs: str | None) -> bool:
    """Whether two cells differ by more than calamine leaves out: errors, zeros of a format, blanks, microseconds."""
    if isinstance(ours, Problem):
        return theirs is not None
    one, other = (ours or "").strip(), (theirs or "").strip()
    zeros = one.isdigit() and one.lstrip("0") == other
    instant = "." in other and other.endswith("000") and one.startswith(other[:-3])
    return one != other and not zeros and not instant


@pytest.mark.parametrize("package", PACKAGES)
def test_each_cell_is_what_calamine_reads(suite: Callable[[str], Path], package: str) -> None:
    """Given the XLSX workbooks of a package, when both read them, then all cells agree."""
    read, wrong = 0, []
    for path in sorted(p for p in suite(package).rglob("*") if p.suffix in {".xlsx", ".xlsm"} and p.name not in OTHERS):
        with suppress(PermanentError):
            for name, ours, theirs in sheets_of(path):
                places = {p for p in {*ours, *theirs} if differs(ours.get(p), theirs.get(p))}
                wrong += [f"{path.name} {name}: {p} {ours.get(p)!r} {theirs.get(p)!r}" for p in sorted(places)]
            read += 1

    assert read >= PACKAGES[package] and wrong == []
