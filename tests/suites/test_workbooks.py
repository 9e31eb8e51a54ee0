"""Workbooks of xlsx2csv, csvkit and python-calamine, and what those say is in them."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.suites.reading import read

# Files whose first row can be a header. The others show numbers, dates or links in ways of their own.
AS_CSV = (
    "empty_row.xlsx", "formatted_inline_string.xlsx", "input-weird.xlsx", "namespace.xlsx", "no_cell_ids.xlsx",
    "skip_empty_lines.xlsx", "twolettercolumns.xlsx", "utf8.xlsx", "xlsx2csv-test-file.xlsx",
)  # fmt: skip


def lines_of(path: Path) -> list[list[str]]:
    """Return the lines of a CSV file that have something in them."""
    with path.open(encoding="utf-8", newline="") as file:
        return [line for line in csv.reader(file) if any(line)]


def as_wide(line: list[str], width: int) -> list[str]:
    """Return a line without the blank cells behind its header."""
    assert not any(line[width:])
    return [*line, *[""] * width][:width]


@pytest.mark.parametrize("file", AS_CSV)
def test_a_sheet_is_what_xlsx2csv_makes_of_it(suite: Callable[[str], Path], file: str) -> None:
    """Given a workbook of xlsx2csv, when its first sheet is read, then its rows are those of the CSV beside it."""
    path = suite("xlsx2csv") / "test" / file
    header, *lines = lines_of(path.with_suffix(".csv"))
    names = [name for name in header if name]
    width = max(i for i, name in enumerate(header) if name) + 1
    expected = [[v for n, v in zip(header, as_wide(line, width), strict=False) if n] for line in lines]

    found = read(path.read_bytes(), names, file, sheet="Sheet1" if file == "xlsx2csv-test-file.xlsx" else None)

    assert ([list(row.values()) for row in found.rows], found.codes) == (expected, set())


KINDS = {"date": "date", "datetime": "date", "boolean": "boolean", "integer": "integer", "float": "number"}


def plain(value: str) -> str:
    """Return a value of csvkit's as Stockflow writes it: midnight is the day alone, a whole number has no fraction."""
    short = value.replace("T00:00:00", "").replace("T", " ") if value[:4].isdigit() else value
    return short.upper() if short in {"True", "False"} else short.removesuffix(".0")


@pytest.mark.parametrize("kind", ["xls", "xlsx"])
def test_a_sheet_is_what_csvkit_makes_of_it(suite: Callable[[str], Path], kind: str) -> None:
    """Given a workbook with typed cells, when it is read, then its rows are csvkit's, but for one with a cell too many.

    csvkit drops what stands right of the last header without a word.
    """
    folder = suite("csvkit") / "examples"
    header, *lines = lines_of(folder / f"test{kind}_converted.csv")
    names = [name for name in header if name in {"text", *KINDS}]
    whole = [dict(zip(header, map(plain, line), strict=False)) for line in lines if line[0] != "Chicago Sun-Times"]

    found = read((folder / f"sheets.{kind}").read_bytes(), names, "sheets", KINDS, sheet="data")

    assert found.rows == [{name: row[name] for name in names} for row in whole]
    assert [(r.line, r.code) for r in found.rejects] == [(3, "wrong_width")]


ANY_SHEETS = ("xlsx", "xls", "xlsb", "ods")


@pytest.mark.parametrize("kind", ANY_SHEETS)
def test_charts_and_hidden_sheets_are_not_read(suite: Callable[[str], Path], kind: str) -> None:
    """Given a workbook with a sheet, two hidden ones and a chart's, when it is read, then the sheet's rows are."""
    found = read((suite("python-calamine") / f"tests/data/any_sheets.{kind}").read_bytes(), ["1", "2"], "x")

    assert [list(row.values()) for row in found.rows[:2]] == [["3", "4"], ["5", "6"]]
    assert found.rows[2]["1"].startswith("This workbook contains 4 sheets") and found.codes == set()


@pytest.mark.parametrize("kind", ANY_SHEETS)
def test_a_password_is_named(suite: Callable[[str], Path], kind: str) -> None:
    """Given a workbook with a password, when it is read, then it is refused for that."""
    found = read((suite("python-calamine") / f"tests/data/password.{kind}").read_bytes(), ["1"], "x")

    assert found.codes == {"protected_workbook"}


@pytest.mark.parametrize("kind", ["xlsx", "xlsb", "ods"])
def test_an_empty_file_is_named(suite: Callable[[str], Path], kind: str) -> None:
    """Given a workbook of no bytes, when it is read, then it is refused for that."""
    found = read((suite("python-calamine") / f"tests/data/empty_file.{kind}").read_bytes(), ["1"], "x")

    assert found.codes == {"empty_file"}


@pytest.mark.parametrize("kind", ["xlsx", "xlsb"])
def test_a_table_may_begin_in_any_cell(suite: Callable[[str], Path], kind: str) -> None:
    """Given a sheet with nothing in its first row and column, when it is read, then its rows are, by their numbers."""
    data = (suite("python-calamine") / f"tests/data/base.{kind}").read_bytes()

    found = read(data, ["line1"], "x", sheet="Sheet3")

    assert [row["line1"] for row in found.rows] == ["line2", "line3"]
