"""Avro: records with a schema; typed values become the text that people would write for them."""

import io
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any, BinaryIO, cast

from functions.ingest.readers.batches import batch_of_rows
from functions.ingest.readers.columnar import value_text
from functions.ingest.readers.layout import layout
from functions.ingest.readers.model import Chunk, Facts, Target
from functions.ingest.readers.native import Marks, native
from stockflow.errors import PermanentError

BATCH = 10_000
_CODECS = ("null", "deflate", "bzip2", "xz")  # those that Python itself unpacks


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
        marks, columns = Marks(target), [(name, plan.columns.get(i)) for i, name in enumerate(header)]
        numbers: list[int] = []
        rows: list[list[Any]] = []
        for number, record in enumerate(records, 1):
            numbers.append(number)
            rows.append([_marked(marks, column, record[name]) for name, column in columns])  # type: ignore[call-overload, index]
            if len(rows) == BATCH:
                yield Chunk(batch_of_rows(plan, numbers, rows))
                numbers, rows = [], []
        if rows:
            yield Chunk(batch_of_rows(plan, numbers, rows))
    except (PermanentError, MemoryError):
        raise
    except Exception as error:  # damage ends in a dozen kinds of errors, some of them fastavro's own
        raise PermanentError(
            "corrupt_avro",
            f"{target.name} is not a readable Avro file ({type(error).__name__}: {str(error)[:200]}); send it again",
        ) from error


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


def _marked(marks: Marks, column: str | None, value: Any) -> str | None:
    text = _text(value)
    return marks.value(column, native(text)) if isinstance(value, float | Decimal) and text else text


def _text(value: Any) -> str | None:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return str(value)
    return value.isoformat() if isinstance(value, date) else value_text(value)
