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
from pyarrow.lib import StringBuilder

TEXT = pa.string()
TIME = pa.timestamp("us", "UTC")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def texts(values: Sequence[str | None]) -> pa.Array:
    """Return values as an array of text; None is NULL."""
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
