"""BigQuery."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import requests
from google.api_core import exceptions as api
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials

from stockflow.errors import TransientError
from stockflow.gcp.lean import SIGNING, Late, Without
from stockflow.schema import Layout
from stockflow.settings import Settings

# Where these are installed (a laptop), the client imports them for data frames and tables that nobody asks it for: most
# of the time until a command's first query.
with Without("pandas", "numpy", "pyarrow", "tqdm", "google.cloud.bigquery_storage_v1"), Late(SIGNING):
    from google.cloud import bigquery
    from google.cloud.bigquery.retry import DEFAULT_RETRY

INSERT_BATCH = 500
INSERT_BYTES = 8_000_000  # a request takes 10 MB: https://cloud.google.com/bigquery/quotas#streaming_inserts
JOB_WAIT_SECONDS = 480
EMULATOR_WAIT_SECONDS = 60
# The client's own patience (ten minutes of rateLimitExceeded, forty of jobs that BigQuery failed) outlives a call: what
# takes longer fails in time, and Pub/Sub delivers again.
RETRY = DEFAULT_RETRY.with_timeout(90)
# A job that ended with one of these did nothing, and is run again under another id, so many times.
_AGAIN = ("backendError", "internalError", "rateLimitExceeded", "jobBackendError", "jobInternalError",
          "jobRateLimitExceeded")  # fmt: skip
_PAUSES = (1.0, 3.0, 9.0, 27.0)
# An outage that outlasts the client's patience is a RetryError, and a connection that breaks is none of Google's.
_FAULTS = (api.GoogleAPICallError, api.RetryError, requests.ConnectionError, requests.Timeout)


class Warehouse:
    """BigQuery: queries, load jobs with derived ids, streaming inserts."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client = _bigquery_client(settings)

    @property
    def client(self) -> bigquery.Client:
        """The client itself, for provisioning."""
        return self._client

    def query(
        self, sql: str, params: Mapping[str, Any] | None = None, job_id: str | None = None
    ) -> list[dict[str, Any]]:
        """Run SQL (written for ``inventory_<layer>`` datasets) and return the rows of its last SELECT.

        With ``job_id`` a second submission fetches the first job's result instead.

        Raises:
            TransientError: ``query_failed`` with BigQuery's own words.
        """
        with _job_errors("query_failed", job_id):
            return [dict(row.items()) for row in self._rows(sql, params, job_id)]

    def arrow(self, sql: str, params: Mapping[str, Any] | None = None) -> Any:
        """Run SQL and return its rows as a ``pyarrow.Table``."""
        import pyarrow as pa

        rows = self._rows(sql, params, None)
        names, found = [field.name for field in rows.schema], [row.values() for row in rows]
        return pa.table({name: [values[at] for values in found] for at, name in enumerate(names)})

    def pages(
        self, sql: str, params: Mapping[str, Any] | None = None, page_size: int = 50_000
    ) -> Iterator[list[dict[str, Any]]]:
        """Run SQL and yield its rows a page at a time, in bounded memory."""
        rows = self._rows(sql, params, None, page_size)
        for page in rows.pages:
            yield [dict(row.items()) for row in page]

    def _rows(
        self, sql: str, params: Mapping[str, Any] | None, job_id: str | None, page_size: int | None = None
    ) -> Any:
        for pause in _PAUSES:
            try:
                return self._job_rows(sql, params, job_id, page_size)
            except TransientError as error:
                if job_id or not error.facts["ended"] or error.facts["reason"] not in _AGAIN:
                    raise
                time.sleep(pause)
        return self._job_rows(sql, params, job_id, page_size)

    def _job_rows(self, sql: str, params: Mapping[str, Any] | None, job_id: str | None, page_size: int | None) -> Any:
        # An id of our own: left to itself, the client retries the insert for ten minutes, each time as another job,
        # so that what was accepted and not answered runs twice.
        job_id = self._named(job_id or f"query-{uuid4().hex}")
        config = bigquery.QueryJobConfig(query_parameters=[_parameter(k, v) for k, v in (params or {}).items()])
        text = self._settings.sql(sql)

        def start() -> Any:
            return self._client.query(text, job_config=config, job_id=job_id, retry=RETRY, job_retry=None)

        with _job_errors("query_failed", job_id) as seen:
            job = self._submit(job_id, start, seen)
            return job.result(page_size=page_size, retry=RETRY, timeout=self._patience(seen))

    def bytes_of(self, sql: str, params: Mapping[str, Any] | None = None) -> int:
        """Return how many bytes a query would read, without running it (an emulator says 0)."""
        config = bigquery.QueryJobConfig(
            query_parameters=[_parameter(k, v) for k, v in (params or {}).items()], dry_run=True, use_query_cache=False
        )
        with _job_errors("query_failed", None):
            return int(self._client.query(self._settings.sql(sql), job_config=config).total_bytes_processed or 0)

    def load_parquet(
        self, uris: Sequence[str], table: str, schema: Sequence[Mapping[str, str]], job_id: str | None = None
    ) -> int:
        """Append staged Parquet files to ``dataset.table`` in one job, and return the rows loaded.

        With ``job_id`` a second submission waits for the first job instead.

        Raises:
            TransientError: ``load_failed``; ``reason`` in its facts is BigQuery's, such as quotaExceeded.
        """
        config = bigquery.LoadJobConfig(
            source_format=bigquery.SourceFormat.PARQUET,
            schema=[_field(c) for c in schema],
            write_disposition=bigquery.WriteDisposition.WRITE_APPEND,
            create_disposition=bigquery.CreateDisposition.CREATE_NEVER,
        )
        target = f"{self._settings.project}.{table}"
        # An id of our own, so that a submission whose answer was lost is found again, not sent twice.
        job_id = self._named(job_id or f"load-{uuid4().hex}")

        def start() -> Any:
            return self._client.load_table_from_uri(list(uris), target, job_config=config, job_id=job_id, retry=RETRY)

        with _job_errors("load_failed", job_id) as seen:
            job = self._submit(job_id, start, seen)
            job.result(retry=RETRY, timeout=self._patience(seen))
        return int(job.output_rows or 0)

    def _submit(self, job_id: str, start: Any, seen: "_Seen") -> Any:
        try:
            seen.job = start()
        except (api.Conflict, api.Forbidden) as refusal:
            seen.job = self._accepted(job_id, refusal)
            seen.resumed = True
        return seen.job

    def _accepted(self, job_id: str, refusal: api.ClientError) -> Any:
        """Return the job that BigQuery took before it refused the submission that was sent again: no answer had come.

        A quota that is used up meanwhile is told before the id is looked at.
        """
        try:
            return self._client.get_job(job_id, retry=RETRY)
        except (api.NotFound, api.Forbidden):  # 403 may be said of an id that nobody knows, too
            raise refusal from None

    def _named(self, job_id: str) -> str:
        """Keep the jobs of several environments in one project apart."""
        return f"{self._settings.dataset_prefix}{job_id}"

    def _patience(self, seen: "_Seen") -> float:
        """How long to wait: a job that was running when an emulator was killed says RUNNING indefinitely."""
        return EMULATOR_WAIT_SECONDS if seen.resumed and self.emulated else JOB_WAIT_SECONDS

    @property
    def emulated(self) -> bool:
        """Whether this is an emulator."""
        return self._settings.bigquery_endpoint is not None

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]], row_ids: Sequence[str]) -> None:
        """Stream rows into ``dataset.table`` with derived row ids (best-effort de-duplication).

        Raises:
            TransientError: ``insert_failed`` naming the first refused row's error.
        """
        target = f"{self._settings.project}.{table}"
        for part, ids in _requests(rows, row_ids):
            try:
                errors = self._client.insert_rows_json(target, part, row_ids=ids, retry=RETRY)
            except _FAULTS as error:
                raise TransientError("insert_failed", _words(error), table=table) from error
            if errors:
                raise TransientError("insert_failed", f"{table}: {json.dumps(errors[0])}", table=table)

    def layout(self, table: str) -> Layout | None:
        """Return how ``dataset.table`` is divided; None when there is no such table."""
        try:
            found = self._client.get_table(f"{self._settings.project}.{table}", retry=RETRY)
        except api.NotFound:
            return None
        except _FAULTS as error:
            raise TransientError("not_described", _words(error), table=table) from error
        by = found.time_partitioning
        partition = (str(by.type_), str(by.field or "")) if by else ("", "")
        return Layout(partition, tuple(found.clustering_fields or ()))

    def delete_table(self, table: str) -> None:
        """Drop ``dataset.table``; one that is gone already is fine."""
        self._client.delete_table(f"{self._settings.project}.{table}", not_found_ok=True)


@dataclass
class _Seen:
    """What is known of a job when something goes wrong."""

    job: Any = None
    resumed: bool = False

    @property
    def ended(self) -> bool:
        return self.job is not None and self.job.state == "DONE" and bool(self.job.error_result)


@contextmanager
def _job_errors(code: str, job_id: str | None) -> Iterator[_Seen]:
    """Turn a failing job into a TransientError that says whether it is over and who started it."""
    seen = _Seen()
    try:
        yield seen
    except _FAULTS as error:
        facts = {"reason": _reason(error), "resumed": seen.resumed, "ended": seen.ended, "job_id": job_id}
        raise TransientError(code, _words(error), **facts) from error
    except TimeoutError as error:
        facts = {"reason": "running", "resumed": seen.resumed, "ended": False, "job_id": job_id}
        raise TransientError("job_still_running", f"job {job_id} is not done yet", **facts) from error


def _bigquery_client(settings: Settings) -> bigquery.Client:
    if settings.bigquery_endpoint is None:
        return bigquery.Client(project=settings.project, location=settings.location)
    options = ClientOptions(api_endpoint=settings.bigquery_endpoint)
    return bigquery.Client(
        project=settings.project, credentials=AnonymousCredentials(), client_options=options, _http=requests.Session()
    )


def _field(column: Mapping[str, str]) -> bigquery.SchemaField:
    return bigquery.SchemaField(column["name"], column["type"], mode=column.get("mode", "NULLABLE"))


_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "BOOL"),
    (int, "INT64"),
    (float, "FLOAT64"),
    (Decimal, "NUMERIC"),
    (datetime, "TIMESTAMP"),
    (date, "DATE"),
    (str, "STRING"),
)


def _type(value: Any) -> str:
    return next((name for kind, name in _TYPES if isinstance(value, kind)), "STRING")


def _parameter(name: str, value: Any) -> Any:
    if isinstance(value, (list, tuple, set, frozenset)):
        items = sorted(value)
        return bigquery.ArrayQueryParameter(name, _type(items[0]) if items else "STRING", items)
    return bigquery.ScalarQueryParameter(name, _type(value), value)


def _json(row: Mapping[str, Any]) -> dict[str, Any]:
    return {k: _json_value(v) for k, v in row.items() if v is not None}


def _json_value(value: Any) -> Any:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _requests(
    rows: Iterable[Mapping[str, Any]], row_ids: Iterable[str]
) -> Iterator[tuple[list[dict[str, Any]], list[str]]]:
    """Cut rows into requests of at most 500 rows and 8 MB; a larger row goes alone."""
    part: list[dict[str, Any]] = []
    ids: list[str] = []
    size = 0
    for row, row_id in zip(rows, row_ids, strict=True):
        ready = _json(row)
        weight = len(json.dumps(ready)) + len(row_id)
        if part and (len(part) == INSERT_BATCH or size + weight > INSERT_BYTES):
            yield part, ids
            part, ids, size = [], [], 0
        part.append(ready)
        ids.append(row_id)
        size += weight
    if part:
        yield part, ids


def _reason(error: Exception) -> str:
    errors = getattr(error, "errors", None)
    return str(errors[0].get("reason", "")) if errors else type(error).__name__


def _words(error: Exception) -> str:
    return str(getattr(error, "message", None) or error)
