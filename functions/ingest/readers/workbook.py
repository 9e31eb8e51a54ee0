"""Workbooks (XLSX, XLSM, XLSB, XLS, ODS): the visible sheet with the feed's header, cells as people see them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from functions.ingest.readers.headers import check_above
from functions.ingest.readers.layout import layout, recognised
from functions.ingest.readers.model import Chunk, Facts, Target, listed
from functions.ingest.readers.sheet import Row, Sheet
from functions.ingest.readers.sheet_batches import chunks
from functions.ingest.readers.sheet_rows import Body
from functions.ingest.readers.workbook_file import open_workbook
from functions.ingest.readers.workbook_limits import MAX_SHEETS, check_count
from stockflow.contracts import normalise_header
from stockflow.errors import PermanentError

SEARCHED = 50  # rows in which a header is looked for
NAMED = 20


def read_workbook(stream: BinaryIO, target: Target, facts: Facts) -> Iterator[Chunk]:
    """Yield the rows of a workbook; ``_line`` is the row of the sheet.

    Hidden rows are rows (a filter hides them, nobody took them back), and are counted; hidden sheets are not read.

    Raises:
        PermanentError: ``protected_workbook``, ``corrupt_workbook``, ``empty_workbook``,
            ``several_data_sheets``, ``too_large_for_function``, or the layout's.
    """
    book = open_workbook(stream, target)
    with book.errors():
        found = _found(book.sheets(), target)
        chosen = _chosen(found, target, facts)
        plan = layout(chosen.header, target)
        above = [r for r in chosen.head if r.number < chosen.number]
        facts.note(format="workbook", workbook=book.kind, sheet=chosen.sheet.name)
        facts.note(header=list(plan.header), header_line=chosen.number, **plan.notes)
        facts.note(preamble_lines=len(above), blank_lines=0, physical_lines=chosen.number, hidden_rows=0)
        yield from chunks(Body(chosen.sheet, plan, chosen.number, target, facts), plan)


@dataclass(frozen=True)
class Candidate:
    """A sheet with something in it, and its likely header."""

    sheet: Sheet
    head: tuple[Row, ...]
    number: int
    header: tuple[str, ...]
    known: int  # how many columns of the contract it names

    def columns(self, target: Target) -> set[str]:
        """Return the columns that the header names."""
        names = (normalise_header(c) for c in self.header)
        return {target.headers[n] for n in names if n in target.headers}


def _found(sheets: Iterator[Sheet], target: Target) -> list[Candidate]:
    """Return the sheets, visible or not, that have something in them."""
    found = []
    for count, sheet in enumerate(sheets, 1):
        check_count(target.name, "sheets", count, MAX_SHEETS)
        head = tuple(islice((r for r in sheet.rows() if any(v.strip() for v in r.cells.values())), SEARCHED))
        if head:
            number, header, known = _header(head, target)
            found.append(Candidate(sheet, head, number, header, known))
    return found


def _header(head: tuple[Row, ...], target: Target) -> tuple[int, tuple[str, ...], int]:
    """Return the row that is the header: the one that the sender's profile says, else that with most known headers."""
    line = target.contract.properties.get("headerLine")
    told = [r for r in head if r.number == line]
    rows = [_row_header(r, target) for r in told or head]
    best = max(rows, key=lambda h: (h[2], -h[0]))
    check_above((row[:2] for row in rows if row[0] < best[0]), best[:2], target)
    return best


def _row_header(row: Row, target: Target) -> tuple[int, tuple[str, ...], int]:
    """Return number, cells and count of known headers of a row, taken as a header."""
    filled = [c for c, v in row.cells.items() if v.strip()]
    cells = tuple(str(row.cells.get(i, "")) for i in range(min(max(filled), max(row.cells)) + 1))
    return row.number, cells, recognised(cells, target)


def _chosen(found: list[Candidate], target: Target, facts: Facts) -> Candidate:
    """Return the visible sheet with the most known headers; the first one, when no other has more.

    When several hold what the feed needs, nobody but the sender knows which one counts.
    """
    visible = [c for c in found if c.sheet.visible]
    hidden = [c.sheet.name for c in found if not c.sheet.visible]
    if hidden:
        facts.note(hidden_sheets=hidden[:NAMED])
    if not visible:
        also = f" (hidden sheets are not read: {listed(hidden[:NAMED])})" if hidden else ""
        raise PermanentError("empty_workbook", f"{target.name}: no visible sheet has anything in it{also}")
    if wanted := target.contract.properties.get("sheet"):
        return _named(str(wanted), visible, target)
    best = max(visible, key=lambda c: c.known)
    needed = best.columns(target).intersection(target.needed)
    same = [c for c in visible if c is best or _holds(c, needed, best, target)]
    if len(same) > 1:
        raise _several(same, target)
    if len(visible) > 1:
        facts.note(sheets_not_read=[c.sheet.name for c in visible if c is not best][:NAMED])
    return best


def _holds(sheet: Candidate, needed: set[str], best: Candidate, target: Target) -> bool:
    """Whether a sheet has rows with what the feed needs, or with all that the best one has."""
    columns = sheet.columns(target)
    return sheet.known > 1 and len(sheet.head) > 1 and (columns == best.columns(target) or needed <= columns)


def _named(wanted: str, visible: list[Candidate], target: Target) -> Candidate:
    """Return the sheet that the sender's profile names."""
    found = next((c for c in visible if c.sheet.name.strip().casefold() == wanted.strip().casefold()), None)
    if found is None:
        names = [c.sheet.name for c in visible][:NAMED]
        raise PermanentError(
            "sheet_not_found",
            f"{target.name}: the sender's profile names sheet {wanted!r}; visible sheets with something in them: "
            f"{listed(names)}",
            sheets=names,
        )
    return found


def _several(same: list[Candidate], target: Target) -> PermanentError:
    names = [c.sheet.name for c in same][:NAMED]
    return PermanentError(
        "several_data_sheets",
        f"{target.name}: sheets {listed(names)} all have the columns that the feed needs, and only one sheet is read. "
        "Send a file for each, put all rows on one sheet, or hide the sheets that do not count",
        sheets=names,
    )
