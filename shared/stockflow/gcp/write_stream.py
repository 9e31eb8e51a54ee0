"""The Storage Write API: rows appended to a pending stream show all at once, when it is committed."""

from collections.abc import Iterable, Iterator
from typing import Any

import grpc
import pyarrow as pa
from google.api_core import exceptions as api
from google.cloud.bigquery_storage_v1 import BigQueryWriteClient, types
from google.cloud.bigquery_storage_v1.services.big_query_write.transports import BigQueryWriteGrpcTransport

from stockflow.errors import TransientError
from stockflow.settings import Settings

# A request takes 10 MB (https://cloud.google.com/bigquery/quotas#write-api-limits), an emulator 4 MB.
REQUEST_BYTES = 3_000_000


def append(settings: Settings, table: str, batches: Iterable[pa.RecordBatch]) -> int:
    """Append the batches to ``dataset.table`` by one pending stream, all or none, and return the rows.

    Raises:
        TransientError: ``append_failed`` with BigQuery's own words; nothing of it shows.
    """
    client = _client(settings)
    dataset, _, name = table.partition(".")
    parent = client.table_path(settings.project, dataset, name)
    try:
        stream = client.create_write_stream(
            parent=parent, write_stream=types.WriteStream(type_=types.WriteStream.Type.PENDING)
        )
        for response in client.append_rows(_requests(stream.name, batches), metadata=_routing(stream.name)):
            if response.error.code:
                raise TransientError("append_failed", f"{table}: {response.error.message}", table=table)
        rows = int(client.finalize_write_stream(name=stream.name).row_count)
        done = client.batch_commit_write_streams(
            types.BatchCommitWriteStreamsRequest(parent=parent, write_streams=[stream.name])
        )
    except (api.GoogleAPICallError, api.RetryError) as error:
        raise TransientError("append_failed", f"{table}: {error.message}", table=table) from error
    if done.stream_errors:
        raise TransientError("append_failed", f"{table}: {done.stream_errors[0].error_message}", table=table)
    return rows


def _client(settings: Settings) -> BigQueryWriteClient:
    if settings.bigquery_grpc is None:
        return BigQueryWriteClient()
    channel = grpc.insecure_channel(settings.bigquery_grpc.removeprefix("http://"))
    return BigQueryWriteClient(transport=BigQueryWriteGrpcTransport(channel=channel))


def _routing(stream: str) -> list[tuple[str, str]]:
    """The header by which a stream's requests find its server (the library sets it for unary calls only)."""
    return [("x-goog-request-params", f"write_stream={stream}")]


def _requests(stream: str, batches: Iterable[pa.RecordBatch]) -> Iterator[Any]:
    offset = 0
    for batch in batches:
        for part in _parts(batch):
            rows = types.AppendRowsRequest.ArrowData(
                rows=types.ArrowRecordBatch(serialized_record_batch=part.serialize().to_pybytes())
            )
            if not offset:
                rows.writer_schema = types.ArrowSchema(serialized_schema=part.schema.serialize().to_pybytes())
            yield types.AppendRowsRequest(write_stream=stream, offset=offset, arrow_rows=rows)
            offset += part.num_rows


def _parts(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Cut a batch so that each part fits into one request."""
    if batch.nbytes <= REQUEST_BYTES or batch.num_rows == 1:
        if batch.num_rows:
            yield batch
        return
    half = batch.num_rows // 2
    yield from _parts(batch.slice(0, half))
    yield from _parts(batch.slice(half))
