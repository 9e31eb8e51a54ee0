"""Typed values, one by one or a column of Arrow at a time, as the text that people would write for them."""

import json
import re
from datetime import datetime
from decimal import Decimal
from functools import singledispatch
from struct import Struct
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from functions.ingest.readers.arrow import TEXT, text, texts
from functions.ingest.readers.encoding import is_text

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
