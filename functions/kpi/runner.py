"""Computes one KPI: its dates in one transaction, or the whole table when its definition is another one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import uuid4

from functions.kpi.definition import Definition
from functions.kpi.graph import dated
from stockflow.errors import TransientError
from stockflow.services import Services

# What BigQuery says of SQL that can never run; anything else is worth another try.
_DEFINITION_FAULTS = {"invalidQuery", "invalid", "notFound", "badRequest", "BadRequest", "NotFound", "responseTooLarge"}


@dataclass(frozen=True)
class Run:
    """How one computation ended: computed, failed or skipped. Dates are the first and last one computed."""

    kpi: str
    state: str
    from_date: date | None = None
    to_date: date | None = None
    message: str = ""


_RECORD = """
INSERT INTO inventory_ops.kpi_runs
  (run_id, kpi, definition_version, from_date, to_date, `rows`, state, message, started_at, finished_at)
SELECT @run_id, @kpi, @version, @from_date, @to_date, (SELECT COUNT(*) FROM {table} WHERE {where}), 'computed', '',
  @started, CURRENT_TIMESTAMP();
"""
_DATES = """
BEGIN TRANSACTION;
DELETE FROM {table} WHERE {where};
INSERT INTO {table} SELECT * FROM (
{query}
) WHERE {where};
{record}
COMMIT TRANSACTION;
"""
_WHERE = "business_date BETWEEN @from_date AND @to_date AND business_date IN UNNEST(@dates)"
_REBUILD = """
CREATE OR REPLACE TABLE {table} PARTITION BY business_date {cluster}AS
{query};
{record}
"""


def compute(definition: Definition, dates: Sequence[date], inputs: set[str], services: Services) -> Run:
    """Compute some dates of a KPI whose table is there; ``inputs`` are its dated tables."""
    query = dated(definition.name, definition.sql, inputs, definition.lookback_days)
    record = _RECORD.format(table=definition.table, where=_WHERE)
    script = _DATES.format(table=definition.table, where=_WHERE, query=query, record=record)
    return _run(definition, script, dates, services)


def rebuild(definition: Definition, dates: Sequence[date], services: Services) -> Run:
    """Make a KPI's table anew, over all dates: it is the first time, or the definition changed."""
    cluster = f"CLUSTER BY {', '.join(definition.grain[:4])} " if definition.grain else ""
    record = _RECORD.format(table=definition.table, where="TRUE")
    script = _REBUILD.format(table=definition.table, cluster=cluster, query=definition.sql, record=record)
    return _run(definition, script, dates, services)


def _run(definition: Definition, script: str, dates: Sequence[date], services: Services) -> Run:
    first, last = min(dates), max(dates)
    params = {
        "run_id": uuid4().hex, "kpi": definition.name, "version": definition.version, "from_date": first,
        "to_date": last, "dates": list(dates), "started": services.clock(),
    }  # fmt: skip
    try:
        services.warehouse.query(script, params)
    except TransientError as error:
        if error.facts.get("reason") not in _DEFINITION_FAULTS:
            raise
        return Run(definition.name, "failed", first, last, error.message)
    return Run(definition.name, "computed", first, last)
