"""Typed columns as text: whole columns at once give what one value at a time gives."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.ingest.readers.typed_texts import as_text, moment_text, single_text, value_text

FLOATS = (0.0, -0.0, 1.5, 10.0, 0.1, 1e-4, 1e-7, 123456.789, 1e15, 2.0**53, 1e16, 1e300, float("inf"), float("nan"))
ZONES = (None, "UTC", "Europe/Paris", "+02:00", "America/St_Johns")
MOMENTS = (0, 1, 1_500_000, 999_999, -1, 1_790_000_000_123_456, -2_208_988_800_000_000, 253_402_300_799_999_999)


def same(column: pa.Array, expected: Sequence[str | None]) -> None:
    assert as_text(column).to_pylist() == list(expected)


@given(st.lists(st.one_of(st.none(), st.sampled_from(FLOATS), st.floats(), st.decimals(-(10**6), 10**6, places=2))))
def test_a_column_of_floats_reads_as_each_of_them(values: list[float | None]) -> None:
    floats = [None if v is None else float(v) for v in values]
    same(pa.array(floats, pa.float64()), [value_text(v) for v in floats])


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False) | st.sampled_from([0.1, 12.4, 1e-7, 1e22])))
def test_a_float_of_four_bytes_is_the_shortest_number_that_it_can_be(values: list[float]) -> None:
    """A cost of 12.4 is not 12.399999618530273; DuckDB and Arrow show it so, too."""
    column = pa.array(values, pa.float32())
    found = as_text(column)
    assert found.cast(pa.float32()).equals(pa.array([v + 0.0 for v in column.to_pylist()], pa.float32()))
    assert [float(t) for t in found.to_pylist()] == [float(single_text(v)) for v in column.to_pylist()]
    same(pa.array([0.5, 0.1, 12.4, 1e-7, None], pa.float32()), ["0.5", "0.1", "12.4", "0.0000001", None])


def test_truth_is_written_in_words() -> None:
    same(pa.array([True, False, None]), ["true", "false", None])


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("unit", "scale"), [("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)])
def test_a_column_of_times_reads_as_each_of_them(unit: str, scale: int, zone: str | None) -> None:
    for chosen in (MOMENTS, MOMENTS[:3], (None, *MOMENTS[:1]), (None,), ()):
        counts = [None if m is None else m * scale // 10**6 for m in chosen]
        kept = [c for c in counts if c is None or abs(c) < 2**63]
        column = pa.array(kept, pa.timestamp(unit, zone))
        same(column, [t and moment_text(t) for t in column.cast(pa.string()).to_pylist()])


def test_times_read_as_people_write_them() -> None:
    noon = datetime(2026, 9, 1, 12, 30, tzinfo=UTC)
    same(pa.array([noon], pa.timestamp("us", "UTC")), ["2026-09-01 12:30:00+00:00"])
    same(pa.array([noon], pa.timestamp("us", "Europe/Paris")), ["2026-09-01 14:30:00+02:00"])
    same(pa.array([noon.replace(microsecond=250_000)], pa.timestamp("ns")), ["2026-09-01 12:30:00.25"])


@pytest.mark.parametrize("far", [253_402_300_800, 400_000_000_000_000 // 10**3])
def test_years_of_five_digits_stay_as_arrow_writes_them(far: int) -> None:
    column = pa.array([far, 0], pa.timestamp("s"))
    same(column, [moment_text(t) for t in column.cast(pa.string()).to_pylist()])
