"""What was computed so far, and how far the facts reach."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from functions.kpi.dates import Span
from functions.kpi.definition import Definition
from stockflow.services import Services

_DONE = """
SELECT
  kpi,
  ARRAY_AGG(definition_version ORDER BY finished_at DESC LIMIT 1)[OFFSET(0)] AS version,
  ARRAY_AGG(state ORDER BY finished_at DESC LIMIT 1)[OFFSET(0)] AS state,
  ARRAY_AGG(COALESCE(first_day, from_date) ORDER BY finished_at DESC LIMIT 1)[OFFSET(0)] AS first_day,
  ARRAY_AGG(COALESCE(last_day, to_date) ORDER BY finished_at DESC LIMIT 1)[OFFSET(0)] AS last_day,
  MAX(finished_at) AS computed_at,
  ARRAY_AGG(TIMESTAMP_DIFF(finished_at, started_at, MILLISECOND) ORDER BY finished_at DESC LIMIT 1)[OFFSET(0)] AS took,
  MAX(IF(message = 'rebuilt', finished_at, NULL)) AS rebuilt_at
FROM inventory_ops.kpi_runs
WHERE kpi IN (SELECT table_name FROM inventory_kpi.INFORMATION_SCHEMA.TABLES)
GROUP BY kpi
"""
_KNOWN = "SELECT horizon, first_day, last_day FROM inventory_curated.known_days WHERE first_day IS NOT NULL"


@dataclass(frozen=True)
class State:
    """``done``: KPI -> (definition version, days that its table covers), of those whose last run did not fail.

    ``computed_at``: KPI -> when its last run ended; ``rebuilt_at``: when its table was made anew for the last time.
    ``seconds``: KPI -> how long its last run took: its share of the script's time.
    ``spans``: horizon -> its days (see view ``known_days``); empty when there is no fact at all.
    """

    spans: Mapping[str, Span]
    done: dict[str, tuple[str, Span | None]] = field(default_factory=dict)
    computed_at: Mapping[str, datetime] = field(default_factory=dict)
    rebuilt_at: Mapping[str, datetime] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)

    def span(self, definition: Definition) -> Span:
        """Return the days that a KPI can have."""
        return self.spans[definition.horizon]

    def stands(self, definition: Definition) -> bool:
        """Whether the table holds this very definition: it is there, and its last run did not fail."""
        return definition.name in self.done and self.done[definition.name][0] == definition.version

    def overtaken(self, definition: Definition, inputs: Iterable[str]) -> bool:
        """Whether a KPI that it reads was made anew since: a drain ended in between."""
        computed = self.computed_at.get(definition.name)
        rebuilt = [self.rebuilt_at[i] for table in inputs if (i := table.rpartition(".")[2]) in self.rebuilt_at]
        return computed is not None and any(at > computed for at in rebuilt)

    def covered(self, definition: Definition) -> Span | None:
        """Return the days that a KPI's table covers; None when it was never computed."""
        return self.done[definition.name][1] if definition.name in self.done else None


def read_state(services: Services) -> State:
    """Return the state of the environment, by two queries at once."""
    with ThreadPoolExecutor(1) as beside:
        spans = beside.submit(read_spans, services)
        rows = services.warehouse.query(_DONE)
    done = {r["kpi"]: (r["version"], _days(r)) for r in rows if r["state"] == "computed"}
    computed = {r["kpi"]: r["computed_at"] for r in rows}
    rebuilt = {r["kpi"]: r["rebuilt_at"] for r in rows if r["rebuilt_at"]}
    seconds = {r["kpi"]: (r["took"] or 0) / 1_000 for r in rows}
    return State(spans.result(), done, computed, rebuilt, seconds)


def read_spans(services: Services) -> dict[str, Span]:
    """Return horizon -> the days that its facts reach."""
    return {r["horizon"]: Span(r["first_day"], r["last_day"]) for r in services.warehouse.query(_KNOWN)}


def _days(row: dict[str, Any]) -> Span | None:
    first: date | None = row["first_day"]
    return Span(first, row["last_day"]) if first is not None else None
