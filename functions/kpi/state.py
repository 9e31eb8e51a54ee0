"""What was computed so far, and how far the facts reach."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from functions.kpi.dates import Span
from functions.kpi.definition import Definition
from stockflow.services import Services

# An order's or a rate's date says nothing about how far stock and sales are known.
HORIZON_FEEDS = ("stock_snapshots", "sales", "stock_movements", "stock_counts")

_DONE = """
SELECT
  kpi,
  ARRAY_AGG(definition_version ORDER BY finished_at DESC LIMIT 1)[OFFSET(0)] AS version,
  ARRAY_AGG(state ORDER BY finished_at DESC LIMIT 1)[OFFSET(0)] AS state,
  MIN(from_date) AS from_date,
  MAX(to_date) AS to_date
FROM inventory_ops.kpi_runs
WHERE kpi IN (SELECT table_name FROM inventory_kpi.INFORMATION_SCHEMA.TABLES)
GROUP BY kpi
"""


@dataclass(frozen=True)
class State:
    """``done``: KPI -> (definition version, days) of those whose table holds what their last run computed."""

    span: Span | None
    done: dict[str, tuple[str, Span | None]] = field(default_factory=dict)

    def stands(self, definition: Definition) -> bool:
        """Whether the table holds this very definition: it is there, and its last run did not fail."""
        return definition.name in self.done and self.done[definition.name][0] == definition.version

    def unseen_by(self, definition: Definition) -> Span | None:
        """Return the days that were ever computed of a KPI."""
        return self.done[definition.name][1] if definition.name in self.done else None


def read_state(services: Services) -> State:
    """Return the state of the environment, by two queries."""
    rows = services.warehouse.query(_DONE)
    return State(_span(services), {r["kpi"]: (r["version"], _days(r)) for r in rows if r["state"] == "computed"})


def _days(row: dict[str, Any]) -> Span | None:
    first: date | None = row["from_date"]
    return Span(first, row["to_date"]) if first is not None else None


def _span(services: Services) -> Span | None:
    known = " UNION ALL ".join(
        f"SELECT MIN(business_date) AS first_day, MAX(business_date) AS last_day FROM inventory_curated.{feed}"
        for feed in HORIZON_FEEDS
    )
    row = services.warehouse.query(f"SELECT MIN(first_day) AS first_day, MAX(last_day) AS last_day FROM ({known})")[0]
    return Span(row["first_day"], row["last_day"]) if row["first_day"] else None
