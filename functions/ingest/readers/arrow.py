"""Arrow arrays from Python values.

``pa.array`` and ``pa.scalar`` look for pandas, and import it wherever it is installed (a second and 60 MB, on a
laptop where ``validate`` needs it). These do not.
"""

from array import array
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv
from pyarrow.lib import StringBuilder

TEXT = pa.string()
TIME = pa.timestamp("us", "UTC")
FEW, MUCH = 50, 1 << 30  # values, bytes
_MARK, _NOWHERE = "\ufeff", "\x1f"  # at the start of a file Arrow passes over the mark
_ONE_A_LINE = csv.ParseOptions(delimiter=_NOWHERE, quote_char=False, ignore_empty_lines=False)
_AS_THEY_ARE = csv.ConvertOptions(column_types={"0": TEXT}, strings_can_be_null=False, check_utf8=False)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def texts(values: Sequence[str | None]) -> pa.Array:
    """Return values as an array of text; None is NULL."""
    return (_lines(values) if len(values) > FEW else None) or _built(values)


def _lines(values: Sequence[str | None]) -> pa.Array | None:
    """Return texts as the lines of a file, which takes a fifth of the time; None when they cannot stand in one."""
    try:
        joined = "\n".join(values)  # type: ignore[arg-type]
    except TypeError:  # a NULL
        return None
    if joined.count("\n") >= len(values) or "\r" in joined or _MARK in joined[:1] or _NOWHERE in joined:
        return None
    data = joined.encode()
    if len(data) > MUCH:
        return None
    options = csv.ReadOptions(use_threads=False, block_size=len(data) + 2, column_names=["0"])
    return csv.read_csv(pa.BufferReader(data + b"\n"), options, _ONE_A_LINE, _AS_THEY_ARE).column(0).chunk(0)


def _built(values: Sequence[str | None]) -> pa.Array:
    builder = StringBuilder()
    builder.append_values(list(values))
    return builder.finish()


def text(value: str) -> pa.Scalar:
    """Return one text."""
    return texts([value])[0]


def integers(values: Iterable[int]) -> pa.Array:
    """Return whole numbers as an array."""
    return _of(pa.int64(), array("q", values))


def counted(first: int, count: int) -> pa.Array:
    """Return so many whole numbers, one after another, from the first one on."""
    done = range(0, count or 1, len(_FROM_0))
    return pa.concat_arrays([pc.add(_FROM_0.slice(0, count - d), integers([first + d])[0]) for d in done])


def moments(value: datetime, count: int) -> pa.Array:
    """Return one time, ``count`` times."""
    since = value - _EPOCH
    micros = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return _of(TIME, array("q", [micros]) * count)


def days(value: date, count: int) -> pa.Array:
    """Return one day, ``count`` times."""
    return _of(pa.date32(), array("i", [(value - _EPOCH.date()).days]) * count)


def _of(kind: Any, values: "array[int]") -> pa.Array:
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values)])


_FROM_0 = integers(range(32_768))
