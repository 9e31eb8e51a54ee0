"""The staged Parquet file: the raw table's columns, written as the batches come, a row group at a time."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from functions.ingest.readers.arrow import TEXT, TIME, counted, days, moments, text
from functions.ingest.readers.model import Chunk, Reject
from stockflow.contracts import Contract
from stockflow.schema import raw_schema

WRITING = {"compression": "snappy", "write_statistics": False, "store_schema": False}  # of Parquet
SAMPLE = 2_000  # rows by which the values of a column are told to repeat
AGAIN = 5  # times a value must come in them, on average, to be worth a dictionary
_TYPES = {"STRING": TEXT, "INT64": pa.int64(), "TIMESTAMP": TIME, "DATE": pa.date32()}


def arrow_schema(contract: Contract) -> pa.Schema:
    """Return the Arrow schema of ``inventory_raw.<feed>``."""
    columns = raw_schema(contract)
    # BigQuery refuses an optional column where its table requires one.
    return pa.schema([pa.field(c["name"], _TYPES[c["type"]], c["mode"] != "REQUIRED") for c in columns])


@dataclass
class Staging:
    """Conforms batches to the raw table and writes them."""

    schema: pa.Schema
    load_id: str
    run_id: str
    landed_on: date
    at: datetime
    rows: int = 0
    _sink: BinaryIO | None = field(default=None, repr=False)
    _writer: parquet.ParquetWriter | None = field(default=None, repr=False)

    @contextmanager
    def to(self, sink: BinaryIO) -> Iterator["Staging"]:
        """Write to ``sink`` until the block ends."""
        self._sink = sink
        try:
            yield self
        finally:
            (self._writer or self._opened([])).close()

    def add(self, batch: pa.RecordBatch) -> None:
        """Write one batch as a row group; by the first one it is known whose values repeat."""
        if batch.num_rows:
            whole = self.conform(batch)
            self._writer = self._writer or self._opened(repeating(whole))
            self._writer.write_batch(whole)
            self.rows += batch.num_rows

    def _opened(self, with_dictionary: list[str]) -> parquet.ParquetWriter:
        assert self._sink is not None
        return parquet.ParquetWriter(self._sink, self.schema, use_dictionary=with_dictionary, **WRITING)

    def conform(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the batch with all columns of the raw table, in its order."""
        arrays = [self._column(field, batch) for field in self.schema]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _column(self, column: pa.Field, batch: pa.RecordBatch) -> pa.Array:
        count = batch.num_rows
        if column.name in self._constants:
            return pa.repeat(self._constants[column.name], count)
        if column.name == "_row":
            return counted(self.rows + 1, count)
        if column.name == "_landed_on":
            return days(self.landed_on, count)
        if column.name == "_ingested_at":
            return moments(self.at, count)
        if column.name in batch.schema.names:
            return batch.column(column.name)
        return pa.nulls(count, column.type)

    @cached_property
    def _constants(self) -> dict[str, pa.Scalar]:
        return {"_load_id": text(self.load_id), "_run_id": text(self.run_id)}


def repeating(batch: pa.RecordBatch) -> list[str]:
    """Return the columns whose values repeat: a dictionary of the others costs a third of the writer's time."""
    first = batch.slice(0, SAMPLE)
    columns = zip(batch.schema.names, first.columns, strict=True)
    return [name for name, column in columns if pc.count_distinct(column).as_py() * AGAIN <= len(first)]


def stage(chunks: Iterable[Chunk], staging: Staging, sink: BinaryIO) -> Generator[Reject]:
    """Write the rows of all chunks to ``sink`` and yield their rejects on the way."""
    with staging.to(sink) as out:
        for chunk in chunks:
            if chunk.batch is not None:
                out.add(chunk.batch)
            yield from chunk.rejects
