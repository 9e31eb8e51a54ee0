"""Parquet: typed values become the text that people would write for them."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from functools import singledispatch
from struct import Struct
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from functions.ingest.readers.arrow import TEXT, integers, text, texts
from functions.ingest.readers.batches import batch_of
from functions.ingest.readers.encoding import is_text
from functions.ingest.readers.layout import Layout, layout
from functions.ingest.readers.misfit import date_for_a_text, nested_value, not_utf8
from functions.ingest.readers.model import Chunk, Facts, Reject, Target
from functions.ingest.readers.native import Marks
from stockflow.errors import PermanentError

BATCH = 65_536
_AS_ARROW_WRITES = (
    pa.types.is_integer, pa.types.is_date, pa.types.is_decimal, pa.types.is_boolean, pa.types.is_null,
)  # fmt: skip
_BYTES = (
    pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary,
    pa.types.is_fixed_size_binary,
)  # fmt: skip
_SECONDS = len("2026-09-01 08:30:00")
_FOUR_BYTES = Struct("f")
_FRACTION = {"s": 0, "ms": 4, "us": 7, "ns": 10}
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
        marks = Marks(target)
        typed = {i for i, n in plan.columns.items() if n in marks.columns and _is_number(file.schema_arrow.types[i])}
        start = 1
        for part in file.iter_batches(batch_size=BATCH):
            lines = integers(range(start, start + len(part)))
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


def undecodable(column: pa.Array) -> list[int]:
    """Return the places of texts and bytes that are not valid UTF-8."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not any(is_one(kind) for is_one in _BYTES):
        return []
    raw = column.cast(kind).cast(pa.large_binary())
    try:
        raw.cast(pa.large_string())
    except pa.ArrowInvalid:
        return [i for i, value in enumerate(raw.to_pylist()) if value is not None and not is_text(value)]
    return []


def _rejects(part: pa.RecordBatch, plan: Layout, start: int, target: Target) -> tuple[Reject, ...]:
    """Return the rejects of rows with bytes that are no text, a value that is several, or a date for a text."""
    found: dict[int, Reject] = {}
    for i, name in plan.columns.items():
        found |= {p: not_utf8(start + p, _shown(part, p)) for p in undecodable(part.column(i))}
        kind = target.contract.column(name).logical_type
        for place, value in _unfit(part.column(i), kind):
            written = "\t".join(_shown(part, place))
            found[place] = unfit_value(start + place, name, value, written)
    return tuple(found[place] for place in sorted(found))


def _unfit(column: pa.Array, kind: str) -> Iterator[tuple[int, Any]]:
    """Yield place and value of what no text can stand for: nested values; dates where texts are meant."""
    if pa.types.is_nested(column.type):
        yield from ((place, v) for place, v in enumerate(column.to_pylist()) if v is not None)
    elif pa.types.is_temporal(column.type) and kind == "string":
        yield from ((place, v) for place, v in enumerate(as_text(column).to_pylist()) if v is not None)


def unfit_value(line: int, column: str, value: Any, text: str) -> Reject:
    """Return the reject of a row with a nested value or, as text, a date for a text."""
    if isinstance(value, str):
        return date_for_a_text(line, f"column {column!r}", value, text)
    return nested_value(line, column, value, text)


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


def as_text(column: pa.Array) -> pa.Array:
    """Return a column as text: whole numbers and decimals exactly, dates and times in ISO 8601."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    if any(is_one(kind) for is_one in _BYTES):
        raw = column.cast(pa.large_binary())
        try:
            return raw.cast(TEXT)
        except pa.ArrowInvalid:  # bytes that are no text; a Parquet file's rows with them are refused before
            return texts([value_text(v) for v in raw.to_pylist()])
    if any(is_one(kind) for is_one in _AS_ARROW_WRITES):
        return column.cast(TEXT)
    if pa.types.is_timestamp(kind):  # not by Python values: those of nanoseconds want pandas
        return _times(column)
    if pa.types.is_floating(kind):
        return _numbers(column)
    return texts([value_text(v) for v in column.to_pylist()])


def _numbers(column: pa.Array) -> pa.Array:
    """Return floats as text; Arrow's own is that of ``number_text`` but for exponents, minus zero and what is none."""
    found = column.cast(TEXT)
    odd = pc.match_substring_regex(found, "[a-z]|^-0$")
    if not pc.any(odd).as_py():
        return found
    return pc.replace_with_mask(found, odd, texts([_spelled(t) for t in found.filter(odd).to_pylist()]))


def _spelled(number: str) -> str:
    """Return a float of any precision, as Arrow writes it, without exponent."""
    return "0" if number == "-0" else format(Decimal(number), "f") if number[-1].isdigit() else number


def _times(column: pa.Array) -> pa.Array:
    """Return times as text; those of UTC without Arrow's slow way to a zone."""
    unit, zone = column.type.unit, column.type.tz
    if zone != "UTC":
        return _moments(column.cast(TEXT), _FRACTION[unit])
    plain = _moments(column.cast(pa.timestamp(unit)).cast(TEXT), _FRACTION[unit])
    return pc.binary_join_element_wise(plain, text("+00:00"), text(""))


def _moments(found: pa.Array, fraction: int) -> pa.Array:
    """Return Arrow's texts of times as ``moment_text`` does; ``fraction``: characters from the point on."""
    lengths = pc.min_max(pc.binary_length(found)).as_py()
    zone = (lengths["min"] or 0) - _SECONDS - fraction
    if lengths["min"] != lengths["max"] or zone not in {0, 5}:  # years of more than four digits
        return texts([t and moment_text(t) for t in found.to_pylist()])
    parts = [pc.utf8_slice_codeunits(found, 0, _SECONDS)]
    if fraction:
        digits = pc.utf8_slice_codeunits(found, _SECONDS, _SECONDS + fraction)
        parts.append(pc.utf8_rtrim(pc.utf8_rtrim(digits, "0"), "."))
    if zone:
        parts += [pc.utf8_slice_codeunits(found, -5, -2), text(":"), pc.utf8_slice_codeunits(found, -2)]
    return pc.binary_join_element_wise(*parts, text(""))


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
    text = repr(value).removesuffix(".0")
    return format(Decimal(text), "f") if "e" in text else text


def single_text(value: float) -> str:
    """Return a float of four bytes as the shortest number that it can be: 12.4, not 12.399999618530273."""
    texts = (f"{value:.{digits}g}" for digits in range(1, 10))
    text = next((t for t in texts if _FOUR_BYTES.unpack(_FOUR_BYTES.pack(float(t)))[0] == value), repr(value))
    return number_text(float(text))
