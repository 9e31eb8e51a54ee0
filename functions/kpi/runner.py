"""Computes one KPI: its dates in one transaction, or the whole table when its definition is another one."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import uuid4

from functions.kpi.dates import Span
from functions.kpi.definition import Definition
from functions.kpi.graph import columns, dated
from stockflow.conflicts import is_conflict, run_again
from stockflow.errors import TransientError
from stockflow.services import Services

# What BigQuery says of SQL that can never run; anything else is worth another try.
_DEFINITION_FAULTS = {"invalidQuery", "invalid", "notFound", "badRequest", "BadRequest", "NotFound", "responseTooLarge"}
_OTHER_SPEC = ("partitioning spec", "clustering spec")


@dataclass(frozen=True)
class Run:
    """How one computation ended: computed, failed or skipped. Dates are the first and last one computed."""

    kpi: str
    state: str
    from_date: date | None = None
    to_date: date | None = None
    message: str = ""


REBUILT = "rebuilt"  # the message of a run that made the whole table anew
_RECORD = """
INSERT INTO inventory_ops.kpi_runs
  (run_id, kpi, definition_version, from_date, to_date, first_day, last_day, `rows`, state, message, started_at,
  finished_at)
SELECT @run_id, @kpi, @version, @from_date, @to_date, @first_day, @last_day,
  (SELECT COUNT(*) FROM {table} WHERE {where}), 'computed', '{how}',
  @started, CURRENT_TIMESTAMP();
"""
_DATES = """
BEGIN TRANSACTION;
DELETE FROM {table} WHERE ({where}) OR business_date < @first_day OR business_date > @last_day;
INSERT INTO {table} ({columns})
SELECT {columns} FROM (
{query}
) WHERE {where};
{record}
COMMIT TRANSACTION;
"""
_WHERE = "business_date BETWEEN @from_date AND @to_date AND business_date IN UNNEST(@dates)"
# The partitions are those that Terraform gives the empty tables: BigQuery replaces no table by one of another kind.
_REBUILD = """
CREATE OR REPLACE TABLE {table} PARTITION BY DATE_TRUNC(business_date, MONTH) {cluster}AS
SELECT * FROM (
{query}
) WHERE business_date BETWEEN @first_day AND @last_day;
{record}
"""


@dataclass(frozen=True)
class Job:
    """One KPI and the days to compute; days outside ``span`` are deleted: no fact reaches there (any more)."""

    definition: Definition
    dates: frozenset[date]
    span: Span


def compute(job: Job, inputs: Iterable[str], services: Services) -> Run:
    """Compute some dates of a KPI whose table is there; ``inputs`` are its dated tables."""
    d = job.definition
    script = _DATES.format(
        table=d.table,
        where=_WHERE,
        columns=", ".join(f"`{c}`" for c in columns(d)) if "*" not in columns(d) else "*",
        query=dated(d.name, d.sql, inputs, d.lookback_days),
        record=_RECORD.format(table=d.table, where=_WHERE, how=""),
    )
    return _run(job, script.replace(" (*)\n", "\n"), services)


def rebuild(job: Job, services: Services) -> Run:
    """Make a KPI's table anew, over all dates: it is the first time, the definition changed, or the last run failed."""
    d = job.definition
    cluster = f"CLUSTER BY {', '.join(d.grain[:4])} " if d.grain else ""
    record = _RECORD.format(table=d.table, where="TRUE", how=REBUILT)
    script = _REBUILD.format(table=d.table, cluster=cluster, query=d.sql, record=record)
    run = _run(job, script, services)
    if run.state == "failed" and any(words in run.message for words in _OTHER_SPEC):
        services.warehouse.delete_table(f"{services.settings.dataset('kpi')}.{d.name}")
        run = _run(job, script, services)
    return run


def _run(job: Job, script: str, services: Services) -> Run:
    first, last = min(job.dates), max(job.dates)
    params = {
        "run_id": uuid4().hex, "kpi": job.definition.name, "version": job.definition.version, "from_date": first,
        "to_date": last, "dates": sorted(job.dates), "first_day": job.span.first, "last_day": job.span.last,
        "started": services.clock(),
    }  # fmt: skip
    try:
        run_again(lambda: services.warehouse.query(script, params))
    except TransientError as error:
        if is_conflict(error) or error.facts.get("reason") not in _DEFINITION_FAULTS:
            raise
        return Run(job.definition.name, "failed", first, last, error.message.partition("\n")[0])
    return Run(job.definition.name, "computed", first, last)
