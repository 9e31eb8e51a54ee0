"""What stands below the header of a sheet: rows as wide as the header, merged cells spread, mistakes refused."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import lt
from typing import cast

from functions.ingest.readers.cell_fits import CellFits
from functions.ingest.readers.headers import Headers
from functions.ingest.readers.layout import Layout
from functions.ingest.readers.misfit import misfit, repeated_header
from functions.ingest.readers.model import Facts, Reject, Target, shown
from functions.ingest.readers.sheet import Block, Merge, Row, Sheet, column_letters

MAX_REJECTED_TEXT = 200
Line = tuple[int, Sequence[str]]  # the number and the cells of a row


@dataclass(frozen=True, slots=True)
class Run:
    """Rows one below the other, by column."""

    numbers: Sequence[int]
    columns: Sequence[Sequence[str]]

    def rows(self) -> Iterator[Line]:
        """Yield the rows."""
        return zip(self.numbers, zip(*self.columns, strict=True), strict=True)


class Body:
    """The rows below a header."""

    def __init__(self, sheet: Sheet, plan: Layout, header_row: int, target: Target, facts: Facts) -> None:
        self._sheet = sheet
        self._plan = plan
        self._header_row = self._last = header_row
        self._facts = facts
        self._every = list(range(plan.width))
        self._rejects: list[Reject] = []
        self._fits = CellFits(plan, target)
        self._headers = Headers(plan.columns, target)
        self._typed, self._names = self._headers.place, self._headers.names
        self._of_headers = self._names | {plan.header[self._typed]}
        self._merged = _Merged(sheet.merges(), plan, header_row)

    def take_rejects(self) -> tuple[Reject, ...]:
        """Return the rejects since the last call."""
        taken = tuple(self._rejects)
        self._rejects.clear()
        return taken

    def parts(self) -> Iterator[Line | Run]:
        """Yield the good rows, with a cell for each column; rows below the last one with something do not count."""
        for part in self._sheet.parts():
            if isinstance(part, Row):
                yield from self._row(part)
            else:
                yield from self._block(part)

    def _row(self, row: Row) -> Iterator[Line | Run]:
        if row.number <= self._header_row or not any(map(str.strip, row.cells.values())):
            return
        self._count(row)
        cells = self._cells(row)
        if isinstance(cells, Reject):
            self._rejects.append(cells)
        else:
            yield row.number, cells

    def _block(self, block: Block) -> Iterator[Line | Run]:
        """Judge rows by column; those with something that is not usual one by one."""
        if not self._is_usual(block.numbers):
            for row in block.rows():
                yield from self._row(row)
            return
        columns = [self._fits.column(i, block.column(i)) for i in self._every]
        start = 0
        for place in [*sorted(self._unusual(block, columns)), len(block.numbers)]:
            if place > start:
                rows = slice(start, place)
                yield self._run(Run(block.numbers[rows], [cast("Sequence[str]", c[rows]) for c in columns]))
            if place < len(block.numbers):
                yield from self._row(block.row(place))
            start = place + 1

    def _run(self, run: Run) -> Run:
        """Count good rows and what is blank between them."""
        if (blank := run.numbers[-1] - self._last - len(run.numbers)) > 0:
            self._facts.count("blank_lines", blank)
        self._last = self._facts.values["physical_lines"] = run.numbers[-1]
        return run

    def _is_usual(self, numbers: Sequence[int]) -> bool:
        """Whether rows stand in order, below all others, and above the cells that are merged over several rows."""
        in_order = numbers[0] > self._last and all(map(lt, numbers, islice(numbers, 1, None)))
        return in_order and self._merged.is_above(numbers[-1])

    def _unusual(self, block: Block, columns: list[Sequence[str | None]]) -> set[int]:
        """Return the rows (places) that may be blank, too wide, headers or refused."""
        found = set(_blank(block))
        for place, cells in block.columns.items():
            if place >= self._plan.width:
                found.update(i for i, cell in enumerate(cells) if cell.strip())
        typed = block.column(self._typed)
        if not self._of_headers.isdisjoint(typed):
            found.update(i for i, cell in enumerate(typed) if cell in self._of_headers)
        for place, fitting in enumerate(columns):
            if fitting is not block.columns.get(place) and None in fitting:
                found.update(i for i, cell in enumerate(fitting) if cell is None)
        return found

    def _count(self, row: Row) -> None:
        """Count what lies between the last row that counts and this one."""
        if row.number > self._last + 1:
            self._facts.count("blank_lines", row.number - self._last - 1)
        if row.hidden:
            self._facts.count("hidden_rows")
        if row.number > self._last:  # not out of order
            self._last = self._facts.values["physical_lines"] = row.number

    def _cells(self, row: Row) -> list[str] | Reject:
        """Return the cells of a row, or why it is refused."""
        merged = self._merged.at(row.number, row.cells) if self._merged else []
        cells = self._as_wide_as_the_header(row.cells)
        if cells is None:
            return self._too_wide(row)
        again = cells[self._typed] in self._names and self._headers.repeated(row.number, cells)
        if again or tuple(cells) == self._plan.header:
            return repeated_header(row.number, _text(row).encode())
        if reject := self._fitted(row, cells):
            return reject
        for merge in merged:
            if self._fits.is_number(merge.left):
                return _one_number_for_many(row, merge)
        return cells

    def _fitted(self, row: Row, cells: list[str]) -> Reject | None:
        """Make each cell what it is worth in its column; return why the row is refused when one has no such worth."""
        for i in self._fits.odd(cells):
            fitting = self._fits.cell(i, cells[i])
            if fitting is None:
                return self._fits.refused(row.number, i, cells[i], _text(row))
            cells[i] = fitting
        return None

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


class _Merged:
    """Cells merged over several rows below the header: what stands in the first is true of all."""

    def __init__(self, merges: list[Merge], plan: Layout, header_row: int) -> None:
        tall = [m for m in merges if m.bottom > m.top > header_row and m.left < plan.width]
        self._waiting = deque(sorted(tall, key=lambda m: m.top))
        self._open: dict[int, tuple[Merge, str]] = {}  # by column

    def __bool__(self) -> bool:
        return bool(self._waiting or self._open)

    def is_above(self, number: int) -> bool:
        """Whether all of them begin below that row."""
        return not self._open and not (self._waiting and self._waiting[0].top <= number)

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


def _blank(block: Block) -> Iterable[int]:
    """Return the rows (places) with nothing but blanks."""
    places: Sequence[int] = range(len(block.numbers))
    for cells in block.columns.values():
        places = [i for i in places if not cells[i].strip()]
        if not places:
            break
    return places
