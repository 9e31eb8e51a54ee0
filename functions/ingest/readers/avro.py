"""Avro: records with a schema; typed values become the text that people would write for them."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from math import isfinite
from typing import Any, BinaryIO, cast

from functions.ingest.readers.batches import batch_of_rows
from functions.ingest.readers.encoding import is_text
from functions.ingest.readers.layout import Layout, layout
from functions.ingest.readers.misfit import not_utf8, takes_booleans, unfit_value
from functions.ingest.readers.model import Chunk, Facts, Reject, Target
from functions.ingest.readers.native import Constant, Marks, native
from functions.ingest.readers.typed_texts import single_text, value_text
from stockflow.contracts import Column
from stockflow.errors import PermanentError

BATCH = 10_000
_CODECS = ("null", "deflate", "snappy", "zstandard", "bzip2", "xz")  # those of the format
_NESTED = (dict, list)
_DATES = (date, time, timedelta)


def read_avro(stream: BinaryIO, target: Target, facts: Facts) -> Iterator[Chunk]:
    """Yield the rows of an Avro file; ``_line`` is the record's number, from 1.

    Raises:
        PermanentError: ``corrupt_avro``, ``unsupported_avro`` (another codec, no records), or the layout's.
    """
    import fastavro

    try:
        records = fastavro.reader(cast("BinaryIO", _Bounded(stream)))
        header = _fields(records, target)
        plan = layout(header, target)
        facts.note(format="avro", header=header, codec=records.codec, **plan.notes)
        yield from _chunks(records, plan, target)
    except (PermanentError, MemoryError):
        raise
    except Exception as error:  # damage ends in a dozen kinds of errors, some of them fastavro's own
        raise PermanentError(
            "corrupt_avro",
            f"{target.name} is not a readable Avro file ({type(error).__name__}: {str(error)[:200]}); send it again",
        ) from error


def _chunks(records: Any, plan: Layout, target: Target) -> Iterator[Chunk]:
    marks = Marks(target)
    kinds = [field["type"] for field in records.writer_schema["fields"]]
    columns = {i: target.contract.column(name) for i, name in plan.columns.items()}
    cells = [_Cell(n, columns.get(i), _is_single(kinds[i]), marks) for i, n in enumerate(plan.header)]
    numbers: list[int] = []
    rows: list[list[str | None]] = []
    rejects: list[Reject] = []
    for number, record in enumerate(records, 1):
        if any(cell.is_undecodable(record) for cell in cells):
            rejects.append(not_utf8(number, map(_text, record.values())))
        elif unfit := next((cell for cell in cells if cell.is_unfit(record)), None):
            rejects.append(unfit.reject(number, record))
        else:
            numbers.append(number)
            rows.append([cell.text(record) for cell in cells])
        if len(rows) + len(rejects) == BATCH:
            yield Chunk(batch_of_rows(plan, numbers, rows) if rows else None, tuple(rejects))
            numbers, rows, rejects = [], [], []
    if rows or rejects:
        yield Chunk(batch_of_rows(plan, numbers, rows) if rows else None, tuple(rejects))


def _is_single(kind: Any) -> bool:
    """Whether the numbers of a field have four bytes."""
    kinds = kind if isinstance(kind, list) else [kind]
    return "float" in kinds and "double" not in kinds


@dataclass(frozen=True)
class _Cell:
    """A field of each record: its name, its column, if it has one, and whether it holds floats of four bytes."""

    name: str
    column: Column | None
    single: bool
    marks: Marks

    @cached_property
    def _unfit(self) -> tuple[type, ...]:
        """The kinds of values that are not what the column means."""
        if self.column is None:
            return ()
        kind = self.column.logical_type
        return (*_NESTED, *(() if takes_booleans(kind) else (bool,)), *(_DATES if kind == "string" else ()))

    def is_undecodable(self, record: dict[str, Any]) -> bool:
        """Whether a column would get bytes that are no text."""
        value = record[self.name]
        return type(value) is bytes and self.column is not None and not is_text(value)

    def is_unfit(self, record: dict[str, Any]) -> bool:
        """Whether a column would get a record, a map or an array, a boolean that is not meant; one of texts a date."""
        return isinstance(record[self.name], self._unfit)

    def reject(self, number: int, record: dict[str, Any]) -> Reject:
        """Return the reject of such a record."""
        written, value = "\t".join(_text(v) or "" for v in record.values()), record[self.name]
        assert self.column is not None  # without one, nothing is unfit
        return unfit_value(number, self.column, value if isinstance(value, (*_NESTED, bool)) else _text(value), written)

    def text(self, record: dict[str, Any]) -> str | None:
        """Return the value as people would write it."""
        value = record[self.name]
        if not isinstance(value, float | Decimal):
            return _text(value)
        name = self.column.name if self.column else None
        if isinstance(value, float) and not isfinite(value):
            return self.marks.value(name, Constant(value))
        written = single_text(value) if self.single and isinstance(value, float) else _text(value)
        return self.marks.value(name, native(written or ""))


class _Bounded:
    """A file of which nothing is asked that it does not hold: memory is made for as much as a damaged length says."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._size = stream.seek(0, io.SEEK_END)
        stream.seek(0)

    def read(self, count: int = -1) -> bytes:
        """Return that many bytes, or all that are left."""
        left = self._size - self._stream.tell()
        return self._stream.read(left if count < 0 else min(count, left))


def _fields(records: Any, target: Target) -> list[str]:
    """Return the names of the fields of the file's schema."""
    schema = records.writer_schema
    if records.codec not in _CODECS:
        found, expected = f"packed by {records.codec}", f"one of {', '.join(_CODECS)}"
    elif not isinstance(schema, dict) or schema.get("type") != "record":
        found, expected = "a list of single values", "records with named fields"
    else:
        return [str(field["name"]) for field in schema["fields"]]
    raise PermanentError("unsupported_avro", f"{target.name} is an Avro file, {found}; expected {expected}")


def _text(value: Any) -> str | None:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return str(value)
    return value.isoformat() if isinstance(value, date) else value_text(value)
