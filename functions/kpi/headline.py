"""What each KPI says in one number, and as of which day."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from functions.kpi.catalog import read_headers
from functions.kpi.definition import Definition
from stockflow.services import Services

Row = Mapping[str, Any]
# Reasons that say that the facts of a day are not there (yet), not that there is nothing to divide.
UNKNOWN = {"stale", "missing_days"}
_CLASS = re.compile(r"\b(?:abc_class|class)\b")


@dataclass(frozen=True)
class Headline:
    """A KPI over everything on its newest day; ``previous`` is a week before."""

    value: float | None
    previous: float | None
    day: date | None
    reason: str | None
    sentence: str

    @property
    def trend(self) -> float | None:
        """Relative change since a week before, or None."""
        if self.value is None or not self.previous:
            return None
        return self.value / self.previous - 1


def headline(definition: Definition, rows: Iterable[Row]) -> Headline:
    """Return the headline from sums by day and reason.

    A row holds ``business_date``, ``numerator``, ``denominator``, ``value`` (sums over the cells that have a value)
    and, where known, ``reason_code`` and ``cells``, the number of cells.
    """
    by_day: dict[date, list[Row]] = defaultdict(list)
    for row in rows:
        by_day[row["business_date"]].append(row)
    if not by_day:
        return Headline(None, None, None, "not computed yet", definition.meaning)
    day = as_of(by_day)
    older = [d for d in by_day if (day - d).days >= 7]
    value = rolled_up(definition, by_day[day])
    previous = rolled_up(definition, by_day[max(older)]) if older else None
    reason = None if value is not None else main_reason(by_day[day])
    return Headline(value, previous, day, reason, definition.meaning)


def as_of(by_day: Mapping[date, Sequence[Row]]) -> date:
    """Return the newest day on which most cells are known; the newest one of all when there is none.

    So one location that is ahead of the others does not make the headline the one of that location.
    """
    known = [day for day, rows in by_day.items() if 2 * _cells(rows, UNKNOWN) <= _cells(rows)]
    return max(known or by_day)


def _cells(rows: Sequence[Row], reasons: set[str] | None = None) -> int:
    return sum(r.get("cells") or 0 for r in rows if reasons is None or r.get("reason_code") in reasons)


def main_reason(rows: Sequence[Row]) -> str:
    """Return the reason that most cells give (ties by name), as the KPI's table has it."""
    counts: Counter[str] = Counter()
    for row in rows:
        if row.get("reason_code"):
            counts[row["reason_code"]] += row.get("cells") or 1
    return min(counts, key=lambda reason: (-counts[reason], reason), default="no_data")


def rolled_up(definition: Definition, rows: Sequence[Row]) -> float | None:
    """Return a sum, or the ratio of sums: never a mean of ratios."""
    if definition.rollup == "sum":
        return _total(rows, "value")
    numerator, denominator = _total(rows, "numerator"), _total(rows, "denominator")
    return numerator / denominator if numerator is not None and denominator else None


def _total(rows: Sequence[Row], column: str) -> float | None:
    known = [float(row[column]) for row in rows if row[column] is not None]
    return sum(known) if known else None


# Only cells that have a value take part: what is unknown, or cannot be divided, is not counted on either side.
BY_DAY = """
SELECT
  business_date,
  reason_code,
  COUNT(*) AS cells,
  SUM(IF(value IS NULL, NULL, numerator)) AS numerator,
  SUM(IF(value IS NULL, NULL, denominator)) AS denominator,
  {value} AS value
FROM {table} AS computed
GROUP BY business_date, reason_code
ORDER BY business_date
"""


_TABLES = "SELECT table_name FROM inventory_kpi.INFORMATION_SCHEMA.TABLES"
_OF_KPI = "SELECT '{kpi}' AS kpi, days.* FROM ({by_day}) AS days"


def headlines(services: Services) -> list[tuple[Definition, Headline]]:
    """Return each KPI with its headline, in the order of their titles; all KPIs are asked of in one query.

    Raises:
        PermanentError: ``bad_definition``, of the first header that cannot be read.
    """
    catalog = read_headers(services.settings.definitions_uri, services)
    for fault in catalog.faults.values():
        raise fault
    asked = [told(d) for d in catalog.definitions.values() if d.kind == "kpi"]
    rows = _rows(asked, services)
    found = [(shown, headline(shown, rows[shown.name])) for shown, _ in asked]
    return sorted(found, key=lambda pair: pair[0].title)


def _rows(asked: Sequence[tuple[Definition, str]], services: Services) -> Mapping[str, list[Row]]:
    """Return KPI -> its rows by day; a table is not there before the first load."""
    there = {row["table_name"] for row in services.warehouse.query(_TABLES)}
    parts = [
        _OF_KPI.format(kpi=d.name, by_day=BY_DAY.format(table=d.table, value=value))
        for d, value in asked
        if d.name in there
    ]
    found = defaultdict[str, list[Row]](list)
    for row in services.warehouse.query("\nUNION ALL\n".join(parts)) if parts else []:
        found[row["kpi"]].append(row)
    return found


def told(definition: Definition) -> tuple[Definition, str]:
    """Return the definition as it is told in one number, and the SQL of that number.

    Classes have no total of their own: what is counted is how many cells with a value are in the first one.
    """
    classes = _classes(definition)
    if not classes:
        return definition, "SUM(value)"
    counted = f"IF(COUNT(value) = 0, NULL, COUNTIF({classes[0]} = 'A' AND value IS NOT NULL))"
    return replace(definition, unit="SKUs in class A", rollup="sum"), counted


def _classes(definition: Definition) -> list[str]:
    if not _CLASS.search(definition.sql):  # most definitions: no parser is needed to see it
        return []
    from functions.kpi.graph import columns

    return [c for c in columns(definition) if _CLASS.fullmatch(c)]
