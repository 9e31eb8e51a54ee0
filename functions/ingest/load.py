"""From a staged file into ``inventory_raw``: exactly once, whatever was killed before.

Job ids are derived from the load, so a redelivery meets the same job and finishes from its real state.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from stockflow.contracts import Contract
from stockflow.errors import TransientError
from stockflow.identity import digest, job_id
from stockflow.ledger import StageRecord
from stockflow.schema import raw_schema
from stockflow.services import Services

ATTEMPTS = 20
JOB_HISTORY = timedelta(days=150)  # BigQuery forgets a job id after six months
OWN_TABLE_LIFE = timedelta(days=1)
QUOTA = {"quotaExceeded", "rateLimitExceeded"}

_COUNT = "SELECT COUNT(*) AS n FROM inventory_raw.{feed} WHERE _load_id = @load_id"
_WITHDRAW = "DELETE FROM inventory_raw.{feed} WHERE _load_id = @load_id"
_INSERT = """
INSERT INTO inventory_raw.{feed} ({columns})
SELECT {columns} FROM inventory_raw.{own}
WHERE NOT EXISTS (SELECT 1 FROM inventory_raw.{feed} WHERE _load_id = @load_id)
"""
_REPLACE = """
BEGIN TRANSACTION;
DELETE FROM inventory_raw.{feed} WHERE _load_id = @load_id;
INSERT INTO inventory_raw.{feed} ({columns}) SELECT {columns} FROM inventory_raw.{own};
COMMIT TRANSACTION;
"""


@dataclass(frozen=True)
class Staged:
    """A staged file: what it is of, where it is, how many rows it has."""

    load_id: str
    contract: Contract
    version: str
    uri: str
    rows: int
    landed_at: datetime

    @property
    def own_table(self) -> str:
        """A table of this load's own, in the raw dataset."""
        return f"load_{self.contract.feed}_{self.load_id}"


def bring(staged: Staged, before: StageRecord | None, services: Services) -> str:
    """Bring the staged rows into raw, and return by which road.

    ``before`` is what the ledger says of an earlier ingest of this load, if any.

    Raises:
        TransientError: when BigQuery could not do it now.
    """
    loaded = before if before is not None and before.state == "loaded" else None
    old = services.clock() - staged.landed_at > JOB_HISTORY
    if (loaded or old) and (there := _count(staged, services)):
        same = there == staged.rows and (loaded is None or loaded.stage_version == staged.version)
        return "already_there" if same else _replace(staged, loaded, services)
    if services.warehouse.job_state(job_id("own", staged.load_id, 0)):  # an earlier delivery went that way
        return _from_own_table(staged, services)
    return _direct(staged, loaded, services)


def withdraw(load_id: str, contract: Contract, services: Services) -> None:
    """Take a load's rows out of raw again."""
    services.warehouse.query(_WITHDRAW.format(feed=contract.feed), {"load_id": load_id})


def _count(staged: Staged, services: Services) -> int:
    sql = _COUNT.format(feed=staged.contract.feed)
    return int(services.warehouse.query(sql, {"load_id": staged.load_id})[0]["n"])


def _direct(staged: Staged, loaded: StageRecord | None, services: Services) -> str:
    """A load job straight into the feed's table: free, and atomic."""
    table = services.settings.table("raw", staged.contract.feed)
    try:
        _ladder("ingest", staged.load_id, _loader(staged, table, services), services)
    except TransientError as error:
        if error.facts.get("reason") in QUOTA:
            return _from_own_table(staged, services)
        if error.code == "other_source":  # an earlier version of the code or the contract loaded it
            return _replace(staged, loaded, services)
        raise
    return "load_job"


def _from_own_table(staged: Staged, services: Services) -> str:
    """The feed's table has had its load jobs of the day: load into a table of this load's own, then insert."""
    own = services.settings.table("raw", staged.own_table)
    _make_own(staged, services)
    _ladder("own", staged.load_id, _loader(staged, own, services), services)
    _ladder("insert", staged.load_id, _script(_INSERT, staged, services), services)
    services.warehouse.delete_table(own)
    return "own_table"


def _replace(staged: Staged, loaded: StageRecord | None, services: Services) -> str:
    """Put these rows in the place of the load's earlier ones, in one transaction."""
    own = services.settings.table("raw", staged.own_table)
    name = digest(staged.load_id, staged.version, loaded.record_id if loaded else "")
    services.warehouse.delete_table(own)
    _make_own(staged, services)
    _ladder("own", name, _loader(staged, own, services), services)
    _ladder("replace", name, _script(_REPLACE, staged, services), services)
    services.warehouse.delete_table(own)
    return "replaced"


def _make_own(staged: Staged, services: Services) -> None:
    """Its columns carry no policy tags (ingest could not read them back), so it must not stay when we are killed."""
    own = services.settings.table("raw", staged.own_table)
    services.warehouse.make_temporary(own, raw_schema(staged.contract), services.clock() + OWN_TABLE_LIFE)


def _loader(staged: Staged, table: str, services: Services) -> Callable[[str], object]:
    schema = raw_schema(staged.contract)
    return lambda job: services.warehouse.load_parquet(staged.uri, table, schema, job)


def _script(template: str, staged: Staged, services: Services) -> Callable[[str], object]:
    columns = ", ".join(c["name"] for c in raw_schema(staged.contract))
    sql = template.format(feed=staged.contract.feed, own=staged.own_table, columns=columns)
    return lambda job: services.warehouse.query(sql, {"load_id": staged.load_id}, job)


def _ladder(action: str, name: str, run: Callable[[str], object], services: Services) -> str:
    """Run a job under the first id that is not known to have failed; one new job a delivery.

    A job that is found again and is DONE with an error frees the next id. One that an emulator was killed under
    says RUNNING for ever, and does too.
    """
    for attempt in range(ATTEMPTS):
        job = job_id(action, name, attempt)
        try:
            run(job)
        except TransientError as error:
            if not _frees_the_next(error, services):
                raise
        else:
            return job
    raise TransientError("too_many_attempts", f"{ATTEMPTS} jobs {action}-{name} failed, one after another")


def _frees_the_next(error: TransientError, services: Services) -> bool:
    dead = error.code == "job_still_running" and services.warehouse.emulated
    return bool(error.facts.get("resumed") and (error.facts.get("ended") or dead))
