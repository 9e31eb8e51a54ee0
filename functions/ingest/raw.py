"""From staged files into ``inventory_raw``, which is only ever appended to.

The rows of an attempt carry its run id. Nobody sees them until a record in the ledger names that run, so an attempt
that was killed, a job that ran twice, two copies at once leave rows that count for nothing; the sweep removes them
when they are old.
"""

from dataclasses import dataclass

from stockflow.contracts import Contract
from stockflow.errors import TransientError
from stockflow.schema import raw_schema
from stockflow.services import Services
from stockflow.singleflight import SingleFlight

# A feed's table takes 1,500 load jobs a day: https://cloud.google.com/bigquery/quotas#load_jobs
QUOTA = {"quotaExceeded", "rateLimitExceeded"}
JOBS = 5  # load jobs of one run that may fail
_jobs: SingleFlight[str, None] = SingleFlight()


@dataclass(frozen=True)
class Staged:
    """A staged file of one run: where it is, and how many rows it has."""

    contract: Contract
    run_id: str
    bucket: str
    name: str
    rows: int

    @property
    def uri(self) -> str:
        """Where a load job reads it."""
        return f"gs://{self.bucket}/{self.name}"


@dataclass(frozen=True)
class StagedRun:
    """The staged files of one run that was read in parts, in the order of its rows."""

    contract: Contract
    run_id: str
    uris: tuple[str, ...]
    rows: int

    @property
    def uri(self) -> list[str]:
        """Where a load job reads them."""
        return list(self.uris)


def load_to_raw(staged: Staged, services: Services) -> str:
    """Append the staged rows to the feed's raw table, all or none, and return by which method.

    Calls that meet in one process share a load job. A table that has had its load jobs of the day takes a
    pending stream of the Storage Write API instead.

    Raises:
        TransientError: when BigQuery could not do it now.
    """
    table = services.settings.table("raw", staged.contract.feed)
    if not staged.rows:
        return "nothing_to_load"
    try:
        _share_job(table, staged, services)
    except TransientError as error:
        if error.facts.get("reason") not in QUOTA:
            raise
        _stream(table, staged, services)
        return "write_stream"
    return "load_job"


def load_run(staged: StagedRun, services: Services) -> str:
    """Append the files of a run in one load job, all or none, and return by which method.

    The job's id is derived from the run: asked for again, by whomever, it is that job, and nothing is loaded twice.

    Raises:
        TransientError: when BigQuery could not do it now.
    """
    if not staged.rows:
        return "nothing_to_load"
    table, schema = services.settings.table("raw", staged.contract.feed), raw_schema(staged.contract)
    for number in range(1, JOBS + 1):
        try:
            services.warehouse.load_parquet(staged.uris, table, schema, f"load-{staged.run_id}-{number}")
            break
        except TransientError as error:
            if number == JOBS or not error.facts.get("ended"):
                raise
    return "load_job"


def _share_job(table: str, staged: Staged, services: Services) -> None:
    settings = services.settings

    def load(uris: frozenset[str]) -> None:
        _load(table, sorted(uris), staged.contract, services)

    _jobs.join(table, staged.uri, load, settings.load_pause_seconds, settings.threads)


def _load(table: str, uris: list[str], contract: Contract, services: Services) -> None:
    services.warehouse.load_parquet(uris, table, raw_schema(contract))


def _stream(table: str, staged: Staged, services: Services) -> None:
    from pyarrow import parquet

    from stockflow.gcp import write_stream

    with services.object_store.open_random(staged.bucket, staged.name) as source:
        batches = parquet.ParquetFile(source).iter_batches()
        rows = write_stream.append(services.settings, table, batches)
    if rows != staged.rows:
        raise TransientError("append_incomplete", f"{rows} of {staged.rows} rows of {staged.uri} were appended")
