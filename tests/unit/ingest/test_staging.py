"""The staged Parquet file: a dictionary where values repeat, whole numbers in a row, and a file even without rows."""

import io
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from pyarrow import parquet

from functions.ingest.readers.arrow import counted
from functions.ingest.staging import Staging, arrow_schema
from tests.unit.ingest.reading import contracts

NOW = datetime(2026, 9, 1, tzinfo=UTC)


def staged(*batches: pa.RecordBatch) -> parquet.ParquetFile:
    sink = io.BytesIO()
    staging = Staging(arrow_schema(contracts()["sales"]), "load", "run", NOW.date(), NOW)
    with staging.to(sink) as out:
        for batch in batches:
            out.add(batch)
        size = sink.tell()
    assert sink.tell() > size, "the end of the file is written when the block ends"
    return parquet.ParquetFile(io.BytesIO(sink.getvalue()))


def rows(count: int, first: int = 2) -> pa.RecordBatch:
    texts = {"sku": [f"S{i}" for i in range(count)], "location_code": ["LYO"] * count}
    return pa.RecordBatch.from_pydict({"_line": counted(first, count)} | {k: pa.array(v) for k, v in texts.items()})


def test_only_columns_whose_values_repeat_have_a_dictionary() -> None:
    file = staged(rows(100), rows(50, 102))
    group = file.metadata.row_group(1)
    columns = [group.column(i) for i in range(group.num_columns)]
    with_dictionary = {c.path_in_schema for c in columns if "RLE_DICTIONARY" in c.encodings}
    assert {"location_code", "_load_id", "_ingested_at"} <= with_dictionary
    assert with_dictionary.isdisjoint({"sku", "_line", "_row"})
    assert file.read(["_row"]).column(0).to_pylist() == list(range(1, 151))


def test_a_file_without_rows_has_its_columns() -> None:
    assert staged().metadata.num_rows == 0
    assert "sku" in staged().schema_arrow.names


@pytest.mark.parametrize(("first", "count"), [(1, 0), (5, 1), (7, 32_768), (7, 32_769), (2**40, 100_000)])
def test_whole_numbers_are_counted_without_a_gap(first: int, count: int) -> None:
    assert counted(first, count).to_pylist() == list(range(first, first + count))
