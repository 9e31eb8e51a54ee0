"""The staged Parquet file: the raw table's columns, written as the batches come, a row group at a time."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import BinaryIO

import pyarrow as pa
from pyarrow import parquet

from functions.ingest.readers.arrow import TEXT, TIME, days, integers, moments, text
from functions.ingest.readers.model import Chunk, Reject
from stockflow.contracts import Contract
from stockflow.schema import raw_schema

WRITING = {"compression": "snappy", "write_statistics": False, "store_schema": False}  # of Parquet
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
    _writer: parquet.ParquetWriter | None = field(default=None, repr=False)

    @contextmanager
    def to(self, sink: BinaryIO) -> Iterator["Staging"]:
        """Write to ``sink`` until the block ends."""
        with parquet.ParquetWriter(sink, self.schema, **WRITING) as writer:
            self._writer = writer
            yield self

    def add(self, batch: pa.RecordBatch) -> None:
        """Write one batch as a row group."""
        assert self._writer is not None
        if batch.num_rows:
            self._writer.write_batch(self.conform(batch))
            self.rows += batch.num_rows

    def conform(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the batch with all columns of the raw table, in its order."""
        arrays = [self._column(field, batch) for field in self.schema]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _column(self, column: pa.Field, batch: pa.RecordBatch) -> pa.Array:
        count = batch.num_rows
        if column.name in self._constants:
            return pa.repeat(self._constants[column.name], count)
        if column.name == "_row":
            return integers(range(self.rows + 1, self.rows + count + 1))
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


def stage(chunks: Iterable[Chunk], staging: Staging, sink: BinaryIO) -> Generator[Reject]:
    """Write the rows of all chunks to ``sink`` and yield their rejects on the way."""
    with staging.to(sink) as out:
        for chunk in chunks:
            if chunk.batch is not None:
                out.add(chunk.batch)
            yield from chunk.rejects
