"""Parquet: typed values become the text that people would write for them."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from functools import singledispatch
from typing import Any, BinaryIO

import pyarrow as pa

from functions.ingest.readers.arrow import TEXT, integers, texts
from functions.ingest.readers.batches import batch_of
from functions.ingest.readers.layout import layout
from functions.ingest.readers.model import Chunk, Facts, Target
from stockflow.errors import PermanentError

BATCH = 65_536
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d{4})?")


def read_parquet(stream: BinaryIO, target: Target, facts: Facts) -> Iterator[Chunk]:
    """Yield the rows of a Parquet file; ``_line`` is the row's number, from 1.

    Raises:
        PermanentError: ``corrupt_parquet``, or the layout's.
    """
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(stream)
        header = file.schema_arrow.names
        plan = layout(header, target)
        facts.note(format="parquet", header=list(header), **plan.notes)
        start = 1
        for part in file.iter_batches(batch_size=BATCH):
            lines = integers(range(start, start + len(part)))
            yield Chunk(batch_of(plan, lines, [as_text(c) for c in part.columns]))
            start += len(part)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:  # names of columns may be no UTF-8
        raise PermanentError(
            "corrupt_parquet", f"{target.name} is not a readable Parquet file ({error}); send it again"
        ) from error


def as_text(column: pa.Array) -> pa.Array:
    """Return a column as text: whole numbers and decimals exactly, dates and times in ISO 8601."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    exact = pa.types.is_integer(kind) or pa.types.is_date(kind) or pa.types.is_decimal(kind)
    if exact or pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind):
        return column.cast(TEXT)
    if pa.types.is_timestamp(kind):  # not by Python values: those of nanoseconds want pandas
        return texts([t and moment_text(t) for t in column.cast(TEXT).to_pylist()])
    return texts([value_text(v) for v in column.to_pylist()])


def moment_text(text: str) -> str:
    """Return Arrow's text of a time without idle digits: ``2026-09-01 08:30:00.000000Z`` -> ``...:00+00:00``."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        return text
    fraction = (found[2] or "").rstrip("0").rstrip(".")
    zone = "+00:00" if found[3] == "Z" else re.sub(r"(\d\d)(\d\d)$", r"\1:\2", found[3] or "")
    return found[1] + fraction + zone


@singledispatch
def value_text(value: Any) -> str | None:
    """Return one typed value as text."""
    return None if value is None else str(value)


@value_text.register
def _(value: bool) -> str:
    return "true" if value else "false"


@value_text.register
def _(value: float) -> str:
    return number_text(value)


@value_text.register
def _(value: datetime) -> str:
    return value.isoformat(" ")


@value_text.register
def _(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")


@value_text.register(dict)
@value_text.register(list)
def _(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def number_text(value: float) -> str:
    """Return a float without exponent; a whole one without ``.0``."""
    if value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    text = repr(value)
    return format(Decimal(text), "f") if "e" in text else text
