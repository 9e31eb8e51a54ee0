"""Workbooks (XLSX, XLS, XLSB, ODS): the first visible sheet with something in it, cells as people see them."""

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from functools import singledispatch
from itertools import islice
from typing import Any, BinaryIO

from functions.ingest.readers.batches import batch_of_rows
from functions.ingest.readers.columnar import value_text
from functions.ingest.readers.layout import Layout, layout, recognised
from functions.ingest.readers.misfit import repeated_header
from functions.ingest.readers.model import Chunk, Facts, Reject, Target
from stockflow.errors import PermanentError

BATCH = 20_000
SEARCHED = 50  # rows in which a header is looked for
MAX_UNPACKED = 1_000_000_000
_SECOND = timedelta(seconds=1)


def read_workbook(stream: BinaryIO, target: Target, facts: Facts) -> Iterator[Chunk]:
    """Yield the rows of a workbook; ``_line`` is the row of the sheet.

    Raises:
        PermanentError: ``protected_workbook``, ``corrupt_workbook``, ``empty_workbook``, or the layout's.
    """
    sheet, others = _sheet(stream, target)
    rows = enumerate((_texts(r) for r in sheet.iter_rows()), 1)
    head = list(islice(rows, SEARCHED))
    number, header = _header(head, target)
    plan = layout(_trimmed(header), target)
    above = [r for r in head if r[0] < number]
    facts.note(format="workbook", sheet=sheet.name, header=list(plan.header), header_line=number, **plan.notes)
    facts.note(preamble_lines=len(above), blank_lines=0, physical_lines=len(above) + 1)
    if others:
        facts.note(sheets_not_read=others)
    below = (r for part in ([r for r in head if r[0] > number], rows) for r in part)
    yield from _chunks(below, plan, facts)


def _sheet(stream: BinaryIO, target: Target) -> tuple[Any, list[str]]:
    """Return the sheet to read, and the names of other visible ones that hold something too."""
    import python_calamine as calamine

    _check_size(stream, target)
    try:
        book = calamine.CalamineWorkbook.from_filelike(stream)
        visible = [s.name for s in book.sheets_metadata if s.visible == calamine.SheetVisibleEnum.Visible]
        sheets = [s for name in visible if (s := book.get_sheet_by_name(name)).height]
    except calamine.PasswordError as error:
        raise PermanentError(
            "protected_workbook", f"{target.name} is protected by a password; save it without one"
        ) from error
    except (calamine.CalamineError, OSError) as error:
        raise PermanentError(
            "corrupt_workbook", f"{target.name} is no readable workbook ({error}); save it again as XLSX"
        ) from error
    if not sheets:
        raise PermanentError("empty_workbook", f"{target.name}: no visible sheet has anything in it")
    return sheets[0], [s.name for s in sheets[1:]]


def _check_size(stream: BinaryIO, target: Target) -> None:
    """A workbook is read whole: refuse one that would unpack to more than memory holds."""
    import zipfile

    if not zipfile.is_zipfile(stream):
        stream.seek(0)
        return
    with zipfile.ZipFile(stream) as archive:
        size = sum(i.file_size for i in archive.infolist())
    stream.seek(0)
    if size > MAX_UNPACKED:
        raise PermanentError(
            "workbook_too_large", f"{target.name} unpacks to {size:,} bytes; export it as CSV", size=size
        )


def _header(head: Sequence[tuple[int, list[str]]], target: Target) -> tuple[int, list[str]]:
    """Return the row with the most known headers; without any, the first that is not blank."""
    return max(head, key=lambda row: (recognised(row[1], target), any(row[1]), -row[0]))


def _trimmed(cells: list[str]) -> list[str]:
    while cells and not cells[-1].strip():
        cells = cells[:-1]
    return cells


def _chunks(rows: Iterator[tuple[int, list[str]]], plan: Layout, facts: Facts) -> Iterator[Chunk]:
    while part := list(islice(rows, BATCH)):
        facts.count("physical_lines", len(part))
        filled = [(n, cells) for n, cells in part if any(c.strip() for c in cells)]
        facts.count("blank_lines", len(part) - len(filled))
        rejects = [r for n, cells in filled if (r := _refused(n, cells, plan))]
        refused = {r.line for r in rejects}
        good = [(n, cells[: plan.width]) for n, cells in filled if n not in refused]
        batch = batch_of_rows(plan, [n for n, _ in good], [c for _, c in good]) if good else None
        yield Chunk(batch, tuple(rejects))


def _refused(number: int, cells: list[str], plan: Layout) -> Reject | None:
    text = "\t".join(_trimmed(cells))
    if any(c.strip() for c in cells[plan.width :]):
        message = f"something stands right of the last header (column {plan.width})"
        found = str(len(_trimmed(cells)))
        return Reject(number, "wrong_width", message, found, str(plan.width), text)
    if tuple(cells[: plan.width]) == plan.header:
        return repeated_header(number, text.encode())
    return None


def _texts(row: Sequence[Any]) -> list[str]:
    return [cell_text(v) for v in row]


@singledispatch
def cell_text(value: Any) -> str:
    """Return a cell as text: whole numbers without ``.0``, serial dates as ISO dates."""
    return value_text(value) or ""


@cell_text.register
def _(value: bool) -> str:
    return str(value).upper()


@cell_text.register
def _(value: datetime) -> str:
    return _moment(value)


@cell_text.register
def _(value: timedelta) -> str:
    short = timedelta(0) <= value < timedelta(days=1)
    return str(_rounded(datetime(2000, 1, 1) + value).time()) if short else str(value)


def _moment(value: datetime) -> str:
    value = _rounded(value)
    return value.date().isoformat() if value.time() == time() else value.isoformat(" ")


def _rounded(value: datetime) -> datetime:
    """A serial number is a float: what is within a hundredth of a whole second means that second."""
    near = (value + _SECOND / 2).replace(microsecond=0)
    return near if abs(near - value) < _SECOND / 100 else value
