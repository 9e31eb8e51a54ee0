"""The rows of a load as ingest left them, in bounded pieces, as often as they are asked for."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import parquet

from stockflow.contracts import Contract
from stockflow.errors import TransientError
from stockflow.ledger import StageRecord
from stockflow.services import Services

ROW, LINE, EXTRA = "_row", "_line", "_extra"
PIECE_ROWS = 250_000
PIECE_BYTES = 48_000_000
PAGE_ROWS = 10_000


class Rows(Protocol):
    """A load's rows: text of each stated column, beside ``_row``, ``_line`` and ``_extra``."""

    @property
    def count(self) -> int:
        """How many there are."""

    def pieces(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows in order, with these columns, at most 250,000 rows at a time."""


@dataclass(frozen=True)
class Staged:
    """Rows of the staged Parquet files, in their order, a row group at a time. ``places``: bucket and name of each."""

    services: Services
    places: tuple[tuple[str, str], ...]
    count: int

    def pieces(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows in pieces."""
        yield from pieces(group.select(columns) for place in self.places for group in self._groups(place, columns))

    def _groups(self, place: tuple[str, str], columns: Sequence[str]) -> Iterator[pa.Table]:
        with self.services.object_store.open_random(*place) as source:
            file = parquet.ParquetFile(source)
            for number in range(file.num_row_groups):
                yield file.read_row_group(number, columns=list(columns))


@dataclass(frozen=True)
class Raw:
    """Rows of the committed run in the raw table: for a load whose staged file has expired."""

    contract: Contract
    ingested: StageRecord
    services: Services
    count: int

    def pieces(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows in pieces."""
        names = ", ".join(f"`{c}`" for c in columns)
        sql = f"""
        SELECT {names} FROM inventory_raw.{self.contract.feed}
        WHERE _landed_on = @day AND _load_id = @load AND _run_id = @run
        ORDER BY _row
        """
        params = {"day": self.ingested.landed_on, "load": self.ingested.load_id, "run": self.ingested.raw_run_id}
        schema = pa.schema([(c, pa.int64() if c in (ROW, LINE) else pa.string()) for c in columns])
        found = self.services.warehouse.pages(sql, params, PAGE_ROWS)
        yield from pieces(pa.Table.from_pylist(page, schema=schema) for page in found)


def rows_of(contract: Contract, ingested: StageRecord, services: Services) -> Rows:
    """Return the rows that an ingest record commits: those of the staged files, else the raw table's."""
    count, staged = ingested.rows or 0, ingested.detail.get("staged") or ()
    uris = [staged] if isinstance(staged, str) else staged  # a large file is staged in parts
    places = tuple((place.netloc, place.path.lstrip("/")) for place in map(urlsplit, uris))
    if places and all(services.object_store.stat(bucket, name) is not None for bucket, name in places):
        return Staged(services, places, count)
    return Raw(contract, ingested, services, count)


def complete(rows: Rows, found: int) -> None:
    """See that all rows came.

    Raises:
        TransientError: ``rows_incomplete`` when their number is not what ingest recorded.
    """
    if found != rows.count:
        text = f"{found:,} rows of the load were found, ingest recorded {rows.count:,}"
        raise TransientError("rows_incomplete", text)


def pieces(tables: Iterable[pa.Table]) -> Iterator[pa.RecordBatch]:
    """Cut large tables and join small ones, so that each piece has a bounded number of rows and bytes."""
    waiting: list[pa.Table] = []
    rows = size = 0
    for table in (part for whole in tables for part in _cut(whole)):
        if waiting and (rows + table.num_rows > PIECE_ROWS or size + table.nbytes > PIECE_BYTES):
            yield _joined(waiting)
            waiting, rows, size = [], 0, 0
        waiting.append(table)
        rows, size = rows + table.num_rows, size + table.nbytes
    if rows:
        yield _joined(waiting)


def _cut(table: pa.Table) -> Iterator[pa.Table]:
    share = max(1, -(-table.num_rows // PIECE_ROWS), -(-table.nbytes // PIECE_BYTES))
    step = max(1, -(-table.num_rows // share))
    for start in range(0, table.num_rows, step):
        yield table.slice(start, step)


def _joined(tables: list[pa.Table]) -> pa.RecordBatch:
    whole: Any = pa.concat_tables(tables).combine_chunks()
    return whole.to_batches(max_chunksize=None)[0]
