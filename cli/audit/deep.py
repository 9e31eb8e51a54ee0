"""The thorough half of the audit: files counted again by another reader, and contents compared row by row."""

import gzip
import io
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

import pyarrow as pa
from pyarrow import compute, parquet

from cli.audit.counts import TEXT_FORMATS, Break, Records
from cli.audit.ended import Ended
from stockflow.events import ObjectRef
from stockflow.ledger import StageRecord
from stockflow.schema import pipeline
from stockflow.services import Services

PAGE_ROWS = 50_000
_ROWS = """
SELECT * FROM inventory_raw.{feed}
WHERE _landed_on = @day AND _load_id = @load AND _run_id = @run AND _row BETWEEN @first AND @last
ORDER BY _row
"""


def files(objects: list[ObjectRef], ledger: Records, services: Services) -> Iterator[Break]:
    """The lines of each file that is still there are the same when Python's own text reader counts them."""
    for ref in objects:
        record = ledger.get(ref.load_id, {}).get("ingest")
        if record is None or record.state != "loaded":
            continue
        kind, expected = record.detail.get("format"), record.detail.get("physical_lines")
        if kind in TEXT_FORMATS and expected is not None:
            found = count_lines(services.object_store.open(ref), record.detail)
            if found != expected:
                yield Break(ref.load_id, f"{expected} lines in {ref.name}, as ingest counted", str(found))


def count_lines(stream: BinaryIO, detail: dict[str, Any]) -> int:
    """Return the lines of a text file: LF, CR LF or CR ends one; the last one may end with the file."""
    if detail.get("gzip"):
        stream = cast("BinaryIO", gzip.GzipFile(fileobj=stream))
    encoding = str(detail.get("encoding") or "utf-8")
    text = io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline=None)
    return sum(1 for _ in text)


def contents(ledger: Records, services: Services) -> Iterator[Break]:
    """Each cell of a staged file stands in raw, in the committed run, at the same row."""
    ended = Ended(pipeline()["retention"], services)
    for load, stages in ledger.items():
        record = stages.get("ingest")
        if record is None or ended.in_raw(stages):
            continue
        if record.state == "loaded" and record.rows and record.detail.get("staged"):
            difference = _difference(record, services)
            if difference:
                yield Break(load, "raw as it was staged", difference)


def _difference(record: StageRecord, services: Services) -> str:
    staged = record.detail["staged"]
    first = 1
    for uri in staged if isinstance(staged, list) else [staged]:  # a large file is staged in parts
        bucket, _, name = str(uri).removeprefix("gs://").partition("/")
        if services.object_store.stat(bucket, name) is None:
            return ""  # staged files expire; nothing to compare with
        if difference := _compared(record, bucket, name, first, services):
            return difference
        with services.object_store.open_random(bucket, name) as source:
            first += parquet.ParquetFile(source).metadata.num_rows
    return ""


def _compared(record: StageRecord, bucket: str, name: str, first: int, services: Services) -> str:
    """Return how the rows of a staged file, from number ``first`` on, differ from those in raw."""
    with services.object_store.open_random(bucket, name) as source:
        for staged in parquet.ParquetFile(source).iter_batches(PAGE_ROWS):
            params = {
                "day": record.landed_on, "load": record.load_id, "run": record.raw_run_id,
                "first": first, "last": first + staged.num_rows - 1,
            }  # fmt: skip
            raw = services.warehouse.arrow(_ROWS.format(feed=record.feed), params)
            if difference := compare(pa.Table.from_batches([staged]), raw):
                return f"rows {first} to {params['last']}: {difference}"
            first += staged.num_rows
    return ""


def compare(staged: pa.Table, raw: pa.Table) -> str:
    """Return how two tables differ, or nothing."""
    if staged.num_rows != raw.num_rows:
        return f"{staged.num_rows} staged, {raw.num_rows} in raw"
    for name in staged.column_names:
        left, right = (t.column(name).cast(pa.string()) for t in (staged, raw))
        same = compute.all(compute.equal(compute.fill_null(left, "\0"), compute.fill_null(right, "\0"))).as_py()
        if not same and name != "_ingested_at":
            return f"column {name} differs"
    return ""
