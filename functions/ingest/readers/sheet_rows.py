"""What stands below the header of a sheet: rows as wide as the header, merged cells spread, mistakes refused."""

from collections import deque
from collections.abc import Iterator
from operator import itemgetter

from functions.ingest.readers.cells import Coded, Dated, Problem, Rounded, Truth, Unreadable
from functions.ingest.readers.headers import Headers
from functions.ingest.readers.layout import Layout
from functions.ingest.readers.misfit import boolean_value, date_for_a_text, misfit, repeated_header, takes_booleans
from functions.ingest.readers.model import Facts, Reject, Target, shown
from functions.ingest.readers.native import NUMBERS, Marks
from functions.ingest.readers.sheet import Merge, Row, Sheet, column_letters

MAX_REJECTED_TEXT = 200
_SAVED_AGAIN = "a value: open the workbook in a spreadsheet, look at the cell, and save it"
_TEXT, _DATES = {str}, {str, Dated}


class Body:
    """The rows below a header."""

    def __init__(self, sheet: Sheet, plan: Layout, header_row: int, target: Target, facts: Facts) -> None:
        self._sheet = sheet
        self._plan = plan
        self._header_row = header_row
        self._facts = facts
        self._every = list(range(plan.width))
        self._rejects: list[Reject] = []
        self._kinds = {i: target.contract.column(name).logical_type for i, name in plan.columns.items()}
        self._marks = Marks(target)
        self._headers = Headers(plan.columns, target)
        self._typed, self._names = self._headers.place, self._headers.names
        of_texts = [i for i, kind in self._kinds.items() if kind == "string"]
        self._texts = itemgetter(*of_texts, *of_texts[:1]) if of_texts else lambda _: ()  # which gives a tuple always
        self._numeric = frozenset(i for i, kind in self._kinds.items() if kind in NUMBERS)
        self._merged = _Merged(sheet.merges(), plan, header_row)

    def take_rejects(self) -> tuple[Reject, ...]:
        """Return the rejects since the last call."""
        taken = tuple(self._rejects)
        self._rejects.clear()
        return taken

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the number and the cells of each good row; rows below the last one with something do not count."""
        last = self._header_row
        for row in self._sheet.rows():
            if row.number <= self._header_row or not any(map(str.strip, row.cells.values())):
                continue
            last = self._count(row, last)
            cells = self._cells(row)
            if isinstance(cells, Reject):
                self._rejects.append(cells)
            else:
                yield row.number, cells

    def _count(self, row: Row, last: int) -> int:
        """Count what lies between the last row that counts and this one; return the later one of both."""
        if row.number > last + 1:
            self._facts.count("blank_lines", row.number - last - 1)
        if row.hidden:
            self._facts.count("hidden_rows")
        if row.number <= last:  # rows out of order
            return last
        self._facts.values["physical_lines"] = row.number
        return row.number

    def _cells(self, row: Row) -> list[str] | Reject:
        """Return the cells of a row, or why it is refused."""
        merged = self._merged.at(row.number, row.cells) if self._merged else []
        cells = self._as_wide_as_the_header(row.cells)
        if cells is None:
            return self._too_wide(row)
        again = cells[self._typed] in self._names and self._headers.repeated(row.number, cells)
        if again or tuple(cells) == self._plan.header:
            return repeated_header(row.number, _text(row).encode())
        if self._is_odd(cells) and (reject := self._resolve(row, cells)):
            return reject
        for merge in merged:
            if self._kinds.get(merge.left) in NUMBERS:
                return _one_number_for_many(row, merge)
        return cells

    def _is_odd(self, cells: list[str]) -> bool:
        """Whether something else than texts stands in cells; dates only count where texts are meant."""
        kinds = {*map(type, cells)}
        if kinds == _DATES:
            return self._marks.comma or Dated in {*map(type, self._texts(cells))}
        return kinds != _TEXT or self._marks.comma

    def _as_wide_as_the_header(self, found: dict[int, str]) -> list[str] | None:
        if list(found) == self._every:
            return list(found.values())
        if any(c >= self._plan.width and v.strip() for c, v in found.items()):
            return None
        return [found.get(i, "") for i in self._every]

    def _too_wide(self, row: Row) -> Reject:
        width = self._plan.width
        found = max(c for c, v in row.cells.items() if v.strip()) + 1
        reject = misfit(row.number, _text(row).encode(), found, width)
        if reject.code == "totals_row":
            return reject
        message = f"something stands right of the last header (column {width})"
        return Reject(row.number, "wrong_width", message, str(found), str(width), reject.original_text)

    def _resolve(self, row: Row, cells: list[str]) -> Reject | None:
        """Put codes into text columns, numbers into those of numbers; refuse a problem that validation would not see.

        An error in a column of numbers or dates stays as it is (``#N/A``): validation refuses it by the column's
        own rule, as in a CSV file. In a column of text it would pass for a value.
        """
        for i, value in enumerate(cells):
            if type(value) is str and not (self._marks.comma and i in self._numeric):
                continue
            if isinstance(value, Coded):
                cells[i] = value.shown if self._kinds.get(i, "string") == "string" else str(value)
            elif isinstance(value, Unreadable) and i in self._kinds:
                return self._unreadable(row, i, value)
            elif isinstance(value, Problem):
                if value.unknown or self._kinds.get(i) == "string":
                    return self._problem(row, i, value)
                cells[i] = str(value)
            elif isinstance(value, Dated) and self._kinds.get(i) == "string":
                return self._dated(row, i, value)
            elif isinstance(value, Rounded) and self._kinds.get(i) == "string":
                return self._rounded(row, i, value)
            elif isinstance(value, Truth) and not takes_booleans(self._kinds.get(i, "boolean")):
                return boolean_value(row.number, self._cell(row, i), self._kinds[i], str(value), _text(row))
            else:
                cells[i] = self._marks.value(self._plan.columns.get(i), value) or ""
        return None

    def _cell(self, row: Row, column: int) -> str:
        name = self._plan.columns.get(column) or self._plan.header[column]
        return f"cell {column_letters(column)}{row.number} ({name})"

    def _rounded(self, row: Row, column: int, value: str) -> Reject:
        message = f"{self._cell(row, column)} is a number of which only 15 digits are kept"
        expected = "the code as text: format the column as text, and write it again"
        return Reject(row.number, "rounded_number", message, str(value), expected, _text(row))

    def _unreadable(self, row: Row, column: int, value: Unreadable) -> Reject:
        message = f"{self._cell(row, column)} holds {shown(value)!r}, {value.why}"
        return Reject(row.number, "unreadable_cell", message, shown(value), _SAVED_AGAIN, _text(row))

    def _dated(self, row: Row, column: int, value: str) -> Reject:
        return date_for_a_text(row.number, self._cell(row, column), str(value), _text(row))

    def _problem(self, row: Row, column: int, value: Problem) -> Reject:
        return Reject(
            row.number,
            "formula_without_value" if value.unknown else "error_cell",
            f"{self._cell(row, column)} holds {value}",
            str(value),
            "a value: open the workbook in a spreadsheet, let it calculate, and save it",
            _text(row),
        )


class _Merged:
    """Cells merged over several rows below the header: what stands in the first is true of all."""

    def __init__(self, merges: list[Merge], plan: Layout, header_row: int) -> None:
        tall = [m for m in merges if m.bottom > m.top > header_row and m.left < plan.width]
        self._waiting = deque(sorted(tall, key=lambda m: m.top))
        self._open: dict[int, tuple[Merge, str]] = {}  # by column

    def __bool__(self) -> bool:
        return bool(self._waiting or self._open)

    def at(self, number: int, cells: dict[int, str]) -> list[Merge]:
        """Fill in the merged cells of a row, and return those with something in them."""
        while self._waiting and self._waiting[0].top <= number:
            merge = self._waiting.popleft()
            value = cells.get(merge.left, "") if merge.top == number else ""
            self._open[merge.left] = merge, value
        for column, (merge, value) in list(self._open.items()):
            if merge.bottom < number:
                del self._open[column]
            elif value and not cells.get(column):
                cells[column] = value
        return [merge for merge, value in self._open.values() if value]


def _one_number_for_many(row: Row, merge: Merge) -> Reject:
    column = column_letters(merge.left)
    place = f"{column}{merge.top}:{column}{merge.bottom}"
    message = f"{place} is one merged cell: a number for {merge.bottom - merge.top + 1} rows at once"
    value = row.cells.get(merge.left, "")
    return Reject(row.number, "merged_number", message, str(value), "a number of its own in each row", _text(row))


def _text(row: Row) -> str:
    """Return the cells of a row for people; those far to the right follow without the blanks in between."""
    last = max(row.cells)
    if last > MAX_REJECTED_TEXT:
        return shown("\t".join(row.cells.values()))
    return shown("\t".join(row.cells.get(i, "") for i in range(last + 1)).rstrip("\t"))
