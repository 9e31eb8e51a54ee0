"""Computes KPIs: some dates of each, in one statement, or the whole table when its definition is another one."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import uuid4

from functions.kpi.dates import Span
from functions.kpi.definition import Definition
from functions.kpi.graph import columns, dated
from stockflow.conflicts import is_conflict, run_again
from stockflow.errors import TransientError
from stockflow.schema import Layout
from stockflow.services import Services

# What BigQuery says of SQL that can never run; anything else is worth another try.
_DEFINITION_FAULTS = {"invalidQuery", "invalid", "notFound", "badRequest", "BadRequest", "NotFound", "responseTooLarge"}


@dataclass(frozen=True)
class Run:
    """How one computation ended: computed, failed or skipped; retired: there is none any more.

    Dates are the first and last one computed.
    """

    kpi: str
    state: str
    from_date: date | None = None
    to_date: date | None = None
    message: str = ""


RETIRED = "retired"  # the state of a table whose definition is gone
REBUILT = "rebuilt"  # the message of a run that made the whole table anew
_RECORDS = """
INSERT INTO inventory_ops.kpi_runs
  (run_id, kpi, definition_version, from_date, to_date, first_day, last_day, `rows`, state, message, started_at,
  finished_at)
{selects};
"""
_RECORD = """
SELECT @run_id, @kpi, @version, @from_date, @to_date, @first_day, @last_day,
  (SELECT COUNT(*) FROM {table} WHERE {where}), 'computed', '{how}',
  {started}, CURRENT_TIMESTAMP()
"""
_TOOK = "TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL @took MILLISECOND)"
# One statement takes the old rows out and puts the new ones in, so that no reader sees neither. No row is matched
# (ON FALSE), which reads no more than DELETE and INSERT do: https://yogirk.dev/posts/merge-on-false-is-not-the-antipattern
_DATES = """
MERGE {table} AS held
USING (
SELECT * FROM (
{query}
) WHERE {where}
) AS computed
ON FALSE
WHEN NOT MATCHED BY TARGET THEN {insert}
WHEN NOT MATCHED BY SOURCE AND (
  {held} OR held.business_date < @first_day OR held.business_date > @last_day
) THEN DELETE;
"""
_WHERE = "business_date BETWEEN @from_date AND @to_date AND business_date IN UNNEST(@dates)"
_HELD = "(held.business_date BETWEEN @from_date AND @to_date AND held.business_date IN UNNEST(@dates))"
# The partitions are those that Terraform gives the empty tables.
_REBUILD = """
CREATE OR REPLACE TABLE {table} PARTITION BY DATE_TRUNC(business_date, MONTH) {cluster}AS
SELECT * FROM (
{query}
) WHERE business_date BETWEEN @first_day AND @last_day;
"""


_PARAMETER = re.compile(r"@(\w+)")


@dataclass(frozen=True)
class Job:
    """One KPI and the days to compute; days outside ``span`` are deleted: no fact reaches there (any more).

    ``inputs`` are the dated tables that it reads.
    """

    definition: Definition
    dates: frozenset[date]
    span: Span
    inputs: frozenset[str] = frozenset()

    @property
    def first(self) -> date:
        """The first day to compute."""
        return min(self.dates)

    @property
    def last(self) -> date:
        """The last day to compute."""
        return max(self.dates)


@dataclass(frozen=True)
class Computed:
    """A job whose rows are in its table, and how long it took."""

    job: Job
    seconds: float


def compute(jobs: Sequence[Job], services: Services) -> list[Run]:
    """Compute some dates of KPIs whose tables are there, one statement after another in one script.

    When the script cannot run, each KPI runs by itself, so that only the faulty one fails. See ``record_runs``.
    """
    script = "\n".join(_of_its_own(_change(job), job) for job in jobs)
    fault = _run(script, _joined((job, _dates(job)) for job in jobs), services)
    if fault and len(jobs) > 1:
        return [run for job in jobs for run in compute([job], services)]
    return [_ended(job, fault) for job in jobs]


def record_runs(done: Sequence[Computed], services: Services) -> None:
    """Record the runs of jobs in one statement. Rows that are there without a record are only computed again."""
    if not done:
        return
    selects = (_RECORD.format(table=c.job.definition.table, where=_WHERE, how="", started=_TOOK) for c in done)
    named = (_of_its_own(select, c.job) for select, c in zip(selects, done, strict=True))
    script = _RECORDS.format(selects="UNION ALL".join(named).strip())
    params = _joined((c.job, _params(c.job) | {"took": round(c.seconds * 1_000)}) for c in done)
    run_again(lambda: services.warehouse.query(script, params))


def rebuild(job: Job, services: Services) -> Run:
    """Make a KPI's table anew, over all dates: it is the first time, the definition changed, or the last run failed."""
    d = job.definition
    wanted = Layout(("MONTH", "business_date"), tuple(d.grain[:4]))
    name = f"{services.settings.dataset('kpi')}.{d.name}"
    if services.warehouse.layout(name) not in (None, wanted):
        services.warehouse.delete_table(name)  # BigQuery replaces no table by one that is laid out another way
    cluster = f"CLUSTER BY {', '.join(wanted.cluster)} " if wanted.cluster else ""
    select = _RECORD.format(table=d.table, where="TRUE", how=REBUILT, started="@started").strip()
    script = _REBUILD.format(table=d.table, cluster=cluster, query=d.sql) + _RECORDS.format(selects=select)
    return _ended(job, _run(script, _params(job) | {"started": services.clock()}, services))


def _change(job: Job) -> str:
    d = job.definition
    names = ", ".join(f"`{c}`" for c in columns(d))
    return _DATES.format(
        table=d.table,
        where=_WHERE,
        held=_HELD,
        insert="INSERT ROW" if "*" in columns(d) else f"INSERT ({names}) VALUES ({names})",
        query=dated(d, job.inputs),
    )


def _of_its_own(script: str, job: Job) -> str:
    """Give the script's parameters names of this KPI, the same ones in each drain; a definition has none."""
    return _PARAMETER.sub(rf"@\g<1>__{job.definition.name}", script)


def _joined(params: Iterable[tuple[Job, dict[str, Any]]]) -> dict[str, Any]:
    """Return the parameters of scripts of several KPIs as those of one."""
    return {f"{name}__{job.definition.name}": value for job, values in params for name, value in values.items()}


def _dates(job: Job) -> dict[str, Any]:
    return {
        "from_date": job.first, "to_date": job.last, "dates": sorted(job.dates), "first_day": job.span.first,
        "last_day": job.span.last,
    }  # fmt: skip


def _params(job: Job) -> dict[str, Any]:
    d = job.definition
    return {"run_id": uuid4().hex, "kpi": d.name, "version": d.version, **_dates(job)}


def _run(script: str, params: dict[str, Any], services: Services) -> str:
    """Run a script and return what is wrong with its SQL, "" when it ran.

    Raises:
        TransientError: what another try may not meet.
    """
    try:
        run_again(lambda: services.warehouse.query(script, params))
    except TransientError as error:
        if is_conflict(error) or error.facts.get("reason") not in _DEFINITION_FAULTS:
            raise
        return error.message.partition("\n")[0] or "bad SQL"
    return ""


def _ended(job: Job, fault: str) -> Run:
    return Run(job.definition.name, "failed" if fault else "computed", job.first, job.last, fault)
