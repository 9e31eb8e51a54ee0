"""Figures of a KPI's table, rolled up as it is defined: of some days, of a part of the business, by one column."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from cli.output import CommandError
from functions.kpi.definition import Definition
from functions.kpi.graph import columns
from functions.kpi.headline import main_reason, rolled_up, told
from stockflow.errors import TransientError
from stockflow.services import Services

# Only cells that have a value take part, as in headlines.
_FIGURES = """
SELECT
  business_date,
  {name}reason_code,
  COUNT(*) AS cells,
  SUM(IF(value IS NULL, NULL, numerator)) AS numerator,
  SUM(IF(value IS NULL, NULL, denominator)) AS denominator,
  {value} AS value
FROM {table} AS computed
WHERE {days}{filters}
GROUP BY business_date, {group}reason_code
"""
_RUN = """
SELECT definition_version, last_day, finished_at AS computed_at
FROM inventory_ops.kpi_runs
WHERE kpi = @kpi AND state = 'computed'
ORDER BY finished_at DESC
LIMIT 1
"""


@dataclass(frozen=True)
class Part:
    """A part of the business: column -> the values that take part; an empty one is all of it."""

    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, definition: Definition, given: Mapping[str, str | Sequence[str]] | None) -> "Part":
        """Return the part that was asked for.

        Raises:
            CommandError: a column that the KPI is not known by.
        """
        wanted = {c: (v,) if isinstance(v, str) else tuple(v) for c, v in (given or {}).items()}
        for column in wanted:
            known_by(definition, column)
        return cls({column: values for column, values in wanted.items() if values})

    @property
    def parameters(self) -> dict[str, tuple[str, ...]]:
        """The query parameters of its filters."""
        return {f"in_{column}": values for column, values in self.columns.items()}


@dataclass(frozen=True)
class Figure:
    """A KPI on a day, of a part of the business. Without a value, ``reason`` is why."""

    day: date
    name: str | None
    value: float | None
    reason: str | None
    cells: int
    without_value: int
    numerator: float | None
    denominator: float | None


@dataclass(frozen=True)
class Run:
    """What computed a KPI's rows: the version of its definition, when, and up to which day."""

    definition_version: str | None
    last_day: date
    computed_at: datetime


def splits(definition: Definition) -> list[str]:
    """Return the columns by which a KPI can be filtered and broken down: its grain, and the category where it is."""
    return [*definition.grain, *(c for c in ("category",) if c in columns(definition) and c not in definition.grain)]


def known_by(definition: Definition, column: str) -> str:
    """Return a column that a KPI is known by.

    Raises:
        CommandError: it is not, with those that it is.
    """
    if column not in splits(definition):
        known = ", ".join(splits(definition)) or "the day alone"
        raise CommandError(
            f"{definition.name} has no {column!r}: expected one of {known}; `stockflow kpi show {definition.name}`"
        )
    return column


def last_run(services: Services, definition: Definition) -> Run:
    """Return what computed the rows that a KPI's table holds.

    Raises:
        CommandError: nothing did yet.
    """
    found = services.warehouse.query(_RUN, {"kpi": definition.name})
    if not found or found[0]["last_day"] is None:
        raise CommandError(
            f"{definition.name} is not computed yet: the next load computes it, "
            f"`stockflow kpi refresh {definition.name}` does so now"
        )
    return Run(**found[0])


def figures_sql(definition: Definition, by: str | None, part: Collection[str], between: bool) -> str:
    """Return the query for ``figures``: of ``@days``, or of all from ``@first`` to ``@last``."""
    return _FIGURES.format(
        name=f"{by} AS name, " if by else "",
        group="name, " if by else "",
        value=told(definition)[1],
        table=definition.table,
        days="business_date BETWEEN @first AND @last" if between else "business_date IN UNNEST(@days)",
        filters="".join(f" AND {column} IN UNNEST(@in_{column})" for column in part),
    )


def figures(
    services: Services, definition: Definition, days: Sequence[date], part: Part, by: str | None = None
) -> list[Figure]:
    """Return the KPI of each of these days, and of each value of ``by``; what has no row is not there."""
    return _asked(services, definition, {"days": tuple(days)}, part, by)


def series(services: Services, definition: Definition, first: date, last: date, part: Part) -> list[Figure]:
    """Return the KPI of each day from ``first`` to ``last`` that has rows."""
    return _asked(services, definition, {"first": first, "last": last}, part, None)


def _asked(
    services: Services, definition: Definition, days: Mapping[str, Any], part: Part, by: str | None
) -> list[Figure]:
    sql = figures_sql(definition, by, part.columns, "first" in days)
    return rolled(definition, rows_if_any(services, sql, {**days, **part.parameters}))


def rows_if_any(services: Services, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Return the rows of a query about a KPI's table; none where the table is not there: before the first load."""
    try:
        return services.warehouse.query(sql, parameters)
    except TransientError as error:
        if error.facts.get("reason") not in {"notFound", "NotFound"}:
            raise
        return []


def rolled(definition: Definition, rows: Sequence[Mapping[str, Any]]) -> list[Figure]:
    """Return one figure for each day and name from sums by day, name and reason."""
    groups: dict[tuple[date, str | None], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[(row["business_date"], row.get("name"))].append(row)
    shown = told(definition)[0]
    return [_figure(shown, day, name, groups[(day, name)]) for day, name in sorted(groups, key=_by_day_and_name)]


def _by_day_and_name(key: tuple[date, str | None]) -> tuple[date, bool, str]:
    return key[0], key[1] is None, key[1] or ""


def _figure(definition: Definition, day: date, name: str | None, rows: Sequence[Mapping[str, Any]]) -> Figure:
    value = rolled_up(definition, rows)
    return Figure(
        day, name, value,
        None if value is not None else main_reason(rows),
        sum(r["cells"] for r in rows),
        sum(r["cells"] for r in rows if r["reason_code"]),
        _sum(rows, "numerator"), _sum(rows, "denominator"),
    )  # fmt: skip


def _sum(rows: Sequence[Mapping[str, Any]], column: str) -> float | None:
    known = [float(row[column]) for row in rows if row[column] is not None]
    return sum(known) if known else None
