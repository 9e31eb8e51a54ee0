"""Putting the result of a sandbox run in place of the live one: one transaction, or nothing."""

from collections.abc import Iterable, Iterator

from cli.output import CommandError
from cli.replay.changes import Change
from cli.replay.choice import Chosen
from cli.replay.sandbox import Scope, tables
from stockflow.errors import TransientError
from stockflow.schema import pipeline
from stockflow.services import Services

_MOVED = "the ledger moved on"
_SIZE = "SELECT COUNT(*) AS n FROM {table} WHERE landed_on >= DATE '2000-01-01'"
_KEYS = {"load_stages": "record_id", "stage_attempts": "attempt_id"}
_ROW = "CONCAT({t}._load_id, ':', CAST({t}._row AS STRING), ':', CAST({t}._updated_at AS STRING))"


def ledger_size(services: Services) -> int:
    """Return how many records the ledger has: if it has more later, somebody worked in the meantime."""
    return int(services.warehouse.query(_SIZE.format(table="inventory_ops.load_stages"))[0]["n"])


def promote(
    scope: Scope, chosen: Iterable[Chosen], changes: Iterable[Change], size: int, live: Services, sandbox: Services
) -> None:
    """Make the live tables hold what the sandbox holds.

    A KPI whose columns are other ones is replaced right before: DDL cannot be part of a transaction.

    Raises:
        CommandError: the ledger moved on since ``size`` was read, so the sandbox run says nothing any more; nothing
            was changed.
    """
    changes = list(changes)
    for change in changes:
        if change.replaced:
            _replace(change, live, sandbox)
    inside = [c for c in changes if not c.replaced]
    steps = [
        "BEGIN TRANSACTION",
        # ASSERT cannot be part of a transaction
        f"SELECT IF(({_SIZE.format(table=live.settings.table('ops', 'load_stages'))}) != {size}, ERROR('{_MOVED}'), 0)",
        *_raw(scope, chosen, live, sandbox),
        *_curated(scope, live, sandbox),
        *_kpis(inside, live, sandbox),
        *_ops(live, sandbox),
        "COMMIT TRANSACTION",
        "SELECT 1",
    ]
    try:
        live.warehouse.query(";\n".join(steps))
    except TransientError as error:
        if _MOVED in error.message:
            raise CommandError(
                "loads arrived since the sandbox run began: nothing was changed; "
                "run `stockflow replay --diff --promote` again"
            ) from error
        raise


def _replace(change: Change, live: Services, sandbox: Services) -> None:
    layer, name = change.table.split(".")
    target, source = live.settings.table(layer, name), sandbox.settings.table(layer, name)
    live.warehouse.delete_table(target)
    live.warehouse.query(f"CREATE TABLE {target} COPY {source}")


def _raw(scope: Scope, chosen: Iterable[Chosen], live: Services, sandbox: Services) -> Iterator[str]:
    """Append the rows of the runs that the ledger of the sandbox names: nothing of raw is ever replaced."""
    if scope.stage != "ingest":
        return
    days = sorted({c.before["landed_on"] for c in chosen})
    listed = ", ".join(f"DATE '{day}'" for day in days)
    on_days = f"_landed_on IN ({listed})"
    for feed in sorted({c.feed for c in chosen}):
        target, source = live.settings.table("raw", feed), sandbox.settings.table("raw", feed)
        there = f"SELECT _run_id FROM {target} WHERE {on_days}"
        yield f"INSERT INTO {target} SELECT * FROM {source} WHERE {on_days} AND _run_id NOT IN ({there})"


def _curated(scope: Scope, live: Services, sandbox: Services) -> Iterator[str]:
    """What the sandbox run wrote has another time of writing; the rest stays untouched."""
    for name in tables(live, "curated"):
        if not scope.writes("curated", name):
            continue
        target, source = live.settings.table("curated", name), sandbox.settings.table("curated", name)
        there, here = _ROW.format(t="there"), _ROW.format(t="here")
        yield f"DELETE FROM {target} here WHERE {here} NOT IN (SELECT {there} FROM {source} AS there)"
        yield (
            f"INSERT INTO {target} SELECT * FROM {source} AS there "
            f"WHERE {there} NOT IN (SELECT {here} FROM {target} AS here)"
        )


def _kpis(changes: Iterable[Change], live: Services, sandbox: Services) -> Iterator[str]:
    for change in changes:
        layer, name = change.table.split(".")
        if layer != "kpi" or not change.total:
            continue
        target, source = live.settings.table(layer, name), sandbox.settings.table(layer, name)
        dates = ", ".join(f"DATE '{day}'" for day in change.dates)
        yield f"DELETE FROM {target} WHERE business_date IN ({dates})"
        yield f"INSERT INTO {target} SELECT * FROM {source} WHERE business_date IN ({dates})"


def _ops(live: Services, sandbox: Services) -> Iterator[str]:
    for name in tables(live, "ops"):
        target, source = live.settings.table("ops", name), sandbox.settings.table("ops", name)
        key, day = _KEYS.get(name, "run_id"), _partition(name)
        there = f"SELECT {key} FROM {target} WHERE {day}"
        yield f"INSERT INTO {target} SELECT * FROM {source} WHERE {day} AND {key} NOT IN ({there})"


def _partition(name: str) -> str:
    """Every partition, said so that a table which requires a filter takes it."""
    column = pipeline()["ops_tables"][name]["partition"]
    return f"{column} >= DATE '2000-01-01'" if column == "landed_on" else f"{column} >= TIMESTAMP '2000-01-01'"
