"""Parquet: typed values become the text that people would write for them."""

from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from functions.ingest.readers.arrow import counted, integers
from functions.ingest.readers.batches import batch_of
from functions.ingest.readers.layout import Layout, layout
from functions.ingest.readers.misfit import not_utf8, takes_booleans, unfit_value
from functions.ingest.readers.model import Chunk, Facts, Reject, Target
from functions.ingest.readers.native import Marks
from functions.ingest.readers.typed_texts import as_text, undecodable
from stockflow.errors import PermanentError

BATCH = 65_536


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
        marks = Marks(target)
        typed = {i for i, n in plan.columns.items() if n in marks.columns and _is_number(file.schema_arrow.types[i])}
        start = 1
        for part in file.iter_batches(batch_size=BATCH):
            lines = counted(start, len(part))
            rejects = _rejects(part, plan, start, target)
            start += len(part)
            if rejects:
                bad = {r.line for r in rejects}
                good = integers(i for i, line in enumerate(lines.to_pylist()) if line not in bad)
                part, lines = part.take(good), lines.take(good)  # noqa: PLW2901
            texts = [as_text(c if i in typed else _without_nan(c)) for i, c in enumerate(part.columns)]
            texts = [marks.array(c) if i in typed else c for i, c in enumerate(texts)]
            yield Chunk(batch_of(plan, lines, texts) if len(lines) else None, rejects)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:  # names of columns may be no UTF-8
        raise PermanentError(
            "corrupt_parquet", f"{target.name} is not a readable Parquet file ({error}); send it again"
        ) from error


def _rejects(part: pa.RecordBatch, plan: Layout, start: int, target: Target) -> tuple[Reject, ...]:
    """Return the rejects of rows with bytes that are no text, or a value that is several or of the wrong kind."""
    found: dict[int, Reject] = {}
    for i, name in plan.columns.items():
        found |= {p: not_utf8(start + p, _shown(part, p)) for p in undecodable(part.column(i))}
        column = target.contract.column(name)
        for place, value in _unfit(part.column(i), column.logical_type):
            written = "\t".join(_shown(part, place))
            found[place] = unfit_value(start + place, column, value, written)
    return tuple(found[place] for place in sorted(found))


def _unfit(column: pa.Array, kind: str) -> Iterator[tuple[int, Any]]:
    """Yield place and value of what no text can stand for: nested values; booleans; dates where texts are meant."""
    booleans = pa.types.is_boolean(column.type) and not takes_booleans(kind)
    if pa.types.is_nested(column.type) or booleans:
        yield from ((place, v) for place, v in enumerate(column.to_pylist()) if v is not None)
    elif pa.types.is_temporal(column.type) and kind == "string":
        yield from ((place, v) for place, v in enumerate(as_text(column).to_pylist()) if v is not None)


def _shown(part: pa.RecordBatch, place: int) -> list[str]:
    return [as_text(c).to_pylist()[0] or "" for c in part.slice(place, 1).columns]


def _without_nan(column: pa.Array) -> pa.Array:
    """Return a column in which "not a number", which programs write for a missing value, is missing."""
    if not pa.types.is_floating(column.type):
        return column
    return pc.if_else(pc.is_nan(column), pa.nulls(1, column.type)[0], column)


def _is_number(kind: pa.DataType) -> bool:
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_floating(plain) or pa.types.is_decimal(plain))
