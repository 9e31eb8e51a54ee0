"""The ledger, read as OpenLineage events: what finished, what failed, what was computed in a while."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from functions.ingest.lineage.events import Event, Writer
from stockflow.ledger import EPOCH_DAY, record_of
from stockflow.services import Services

# By the time of finishing, and so through all landing days: a replay finishes today what landed a year ago.
_RECORDS = """
SELECT * FROM inventory_ops.load_stages
WHERE landed_on >= @since AND finished_at >= @begun AND finished_at < @ended
ORDER BY finished_at, record_id
"""
_VERDICTS = """
SELECT run_id, rule, expectation, column_name, severity, success, checked, failed
FROM inventory_ops.expectation_results
WHERE landed_on IN UNNEST(@days) AND run_id IN UNNEST(@run_ids)
QUALIFY ROW_NUMBER() OVER (PARTITION BY run_id, rule ORDER BY recorded_at DESC) = 1
ORDER BY run_id, rule
"""
_ATTEMPTS = """
SELECT
  attempt_id,
  ANY_VALUE(stage) AS stage,
  ANY_VALUE(feed) AS feed,
  ANY_VALUE(bucket) AS bucket,
  ANY_VALUE(object) AS object,
  ANY_VALUE(generation) AS generation,
  MAX(reason_code) AS reason_code,
  MAX(message) AS message,
  MIN(recorded_at) AS began_at,
  MAX(recorded_at) AS failed_at
FROM inventory_ops.stage_attempts
WHERE landed_on >= @since
GROUP BY attempt_id
HAVING LOGICAL_OR(event = 'failed') AND MAX(recorded_at) >= @begun AND MAX(recorded_at) < @ended
ORDER BY failed_at, attempt_id
"""
_RUNS = """
SELECT run_id, kpi, definition_version, from_date, to_date, `rows`, state, message, started_at, finished_at
FROM inventory_ops.kpi_runs
WHERE finished_at >= @begun AND finished_at < @ended AND state != 'retired'
ORDER BY finished_at, run_id
"""


@dataclass(frozen=True)
class Window:
    """A while: from ``begun`` on, until before ``ended``; of what landed from ``since`` on."""

    begun: datetime
    ended: datetime
    since: date = EPOCH_DAY

    @property
    def params(self) -> dict[str, Any]:
        """The query parameters."""
        return {"begun": self.begun, "ended": self.ended, "since": self.since}


def events(services: Services, writer: Writer, window: Window) -> Iterator[Event]:
    """Yield the events of a while: stages by load, then failed attempts, then computations of KPIs."""
    for rows in services.warehouse.pages(_RECORDS, window.params, 2_000):
        verdicts = _verdicts(services, rows)
        for row in rows:
            yield from writer.of_record(record_of(row), verdicts.get(row["run_id"], []))
    for row in services.warehouse.query(_ATTEMPTS, window.params):
        yield from writer.of_attempt(row)
    for row in services.warehouse.query(_RUNS, {"begun": window.begun, "ended": window.ended}):
        yield from writer.of_run(row)


def _verdicts(services: Services, rows: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return run -> what each expectation found in it, of the validations among some records."""
    judged = [row for row in rows if row["stage"] == "validate" and row["run_id"]]
    found: dict[str, list[dict[str, Any]]] = {}
    if judged:
        params = {"days": sorted({r["landed_on"] for r in judged}), "run_ids": sorted({r["run_id"] for r in judged})}
        for verdict in services.warehouse.query(_VERDICTS, params):
            found.setdefault(verdict["run_id"], []).append(verdict)
    return found
