"""The sums of many KPIs by day, and where each is highest, in one statement: each table is opened and read once.

The rows of all tables are added up together, a KPI being known by its place among those that were asked for.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from local.dashboard import breakdowns
from local.dashboard.breakdowns import Ranking, Split
from local.dashboard.catalogue import class_column
from local.dashboard.queries import Columns, Query, Row, category_source, dimension_of, filter_params, where
from local.dashboard.rollup import Cell, Course, Selection, points, weeks

_BETWEEN = "k.business_date BETWEEN @start AND @end"
_TWO_DAYS = "k.business_date IN (@start, @end)"
_NO_LABEL = "CAST(NULL AS STRING)"
# A row's columns in the order of the parts; the names of the first part count for all.
_NAMES = ("kpi", "day", "label", "told", "value", "above", "below", "amount", "coverage")
# Only rows that have a value take part in a sum or a ratio of sums.
_BY_LABEL = """SELECT
    kpi,
    day,
    label,
    IF(value IS NULL, told, NULL) AS reason,
    SUM(IF(value IS NULL, NULL, above)) AS numerator,
    SUM(IF(value IS NULL, NULL, below)) AS denominator,
    SUM(amount) AS total,
    COUNT(*) AS cells,
    SUM(coverage) AS coverage_sum,
    COUNT(coverage) AS coverage_rows
  FROM (
{parts}
  ) AS found
  GROUP BY kpi, day, label, reason"""
_BY_DAY = """SELECT
  kpi,
  day,
  CAST(NULL AS STRING) AS name,
  ARRAY_AGG(reason IGNORE NULLS ORDER BY cells DESC, reason LIMIT 1)[SAFE_OFFSET(0)] AS reason,
  SUM(numerator) AS numerator,
  SUM(denominator) AS denominator,
  SUM(total) AS total,
  SUM(cells) AS cells,
  SUM(coverage_sum) AS coverage_sum,
  SUM(coverage_rows) AS coverage_rows
FROM by_label
GROUP BY kpi, day"""
# Of a long time only the days of the headline are asked for: the last one, and the one a week before it.
_TOLD_DAYS = "\nQUALIFY DATE_DIFF(MAX(day) OVER (PARTITION BY kpi), day, DAY) IN (0, 7)"
# What a ratio is made of may be added up over days; an amount may be a stock, which may not: its days are averaged.
_BY_WEEK = """SELECT
  kpi,
  MIN(day),
  'week',
  ARRAY_AGG(reason IGNORE NULLS ORDER BY cells DESC, reason LIMIT 1)[SAFE_OFFSET(0)],
  SUM(numerator),
  SUM(denominator),
  SAFE_DIVIDE(SUM(total), COUNT(DISTINCT IF(total IS NULL, NULL, day))),
  SUM(cells),
  SUM(coverage_sum),
  SUM(coverage_rows)
FROM by_label
GROUP BY kpi, DATE_TRUNC(day, ISOWEEK)"""
_HIGHEST = """SELECT kpi, NULL, label, why, NULL, NULL, value, names, NULL, NULL
FROM (
  SELECT
    kpi,
    label,
    why,
    value,
    COUNT(*) OVER (PARTITION BY kpi) AS names,
    ROW_NUMBER() OVER (PARTITION BY kpi ORDER BY value IS NULL, value DESC, label) AS place
  FROM (
    SELECT
      kpi,
      label,
      MIN(reason) AS why,
      IF(kpi IN ({ratios}), SAFE_DIVIDE(SUM(numerator), SUM(denominator)), SUM(total)) AS value
    FROM by_label
    WHERE label IS NOT NULL
    GROUP BY kpi, label
  ) AS of_label
) AS ranked
WHERE place <= {most}"""


@dataclass(frozen=True)
class Sums:
    """What a question found: the cells of each KPI by day and by week, and the largest names of each split."""

    cells: dict[str, list[Cell]]
    rankings: dict[str, Ranking]
    weeks: dict[str, list[Cell]]

    def course(self, kpi: str, how: str) -> Course:
        """Return a KPI over time; its points are weeks if weeks were asked for."""
        days = points(self.cells[kpi], how)
        return Course(weeks(self.weeks[kpi], how, days[-1].day) if self.weeks[kpi] else days, days)


def over_time(kpis: Columns, selection: Selection) -> Query:
    """Return the query for the sums of each KPI by day, with the reason that most of the rows without a value give.

    Of a long time it has the sums by week, and of the days of the headline.
    """
    params = (("start", selection.start), ("end", selection.end), *filter_params(selection, kpis))
    return Query(_sums(kpis, {}, selection), params)


def moved(kpis: Columns, days: tuple[date, date]) -> Query:
    """Return the query for the sums of each KPI on two days."""
    return Query(_by_day(kpis, {}, _TWO_DAYS, filtered=False), (("start", days[0]), ("end", days[1])))


def ranked(kpis: Columns, splits: Mapping[str, Split], selection: Selection, most: int) -> Query:
    """Return the query of ``over_time`` that also has the ``most`` largest names of each split."""
    asked = over_time(kpis, selection)
    places = {kpi: place for place, kpi in enumerate(kpis)}
    ratios = [-1, *(places[name] for name, split in splits.items() if split.kpi.rollup == "ratio")]
    highest = _HIGHEST.format(ratios=", ".join(map(str, ratios)), most=most)
    days = tuple((f"day_{places[name]}", split.day) for name, split in splits.items())
    return Query(f"{_sums(kpis, splits, selection)}\nUNION ALL\n{highest}", (*asked.params, *days))


def found(rows: Sequence[Row], kpis: Collection[str], splits: Mapping[str, Split] | None = None) -> Sums:
    """Return what the rows of a query say."""
    names, of_splits = list(kpis), list(splits or ())
    cells: dict[str, list[Cell]] = {kpi: [] for kpi in names}
    of_weeks: dict[str, list[Cell]] = {kpi: [] for kpi in names}
    highest: list[Row] = []
    for row in rows:
        kpi = names[row["kpi"]]
        if row["day"] is None:
            highest.append(_of_split(row, of_splits.index(kpi)))
        else:
            (of_weeks if row["name"] else cells)[kpi].append(_cell(row))
    rankings = breakdowns.rankings(highest, list((splits or {}).values()))
    return Sums(cells, dict(zip(of_splits, rankings, strict=True)), of_weeks)


def _sums(kpis: Columns, splits: Mapping[str, Split], selection: Selection) -> str:
    by_day = _by_day(kpis, splits, _BETWEEN)
    return f"{by_day}{_TOLD_DAYS}\nUNION ALL\n{_BY_WEEK}" if selection.weekly else by_day


def _by_day(kpis: Columns, splits: Mapping[str, Split], days: str, filtered: bool = True) -> str:
    parts = []
    for place, (kpi, columns) in enumerate(kpis.items()):
        label = _label(place, splits.get(kpi))
        join = category_source(columns)[1] if filtered else ""
        condition = where(days, columns) if filtered else days
        parts.append(_part((kpi, place), columns, label, f"{join}\n    WHERE {condition}"))
    rows = "\n    UNION ALL\n".join(parts)
    return f"WITH by_label AS (\n  {_BY_LABEL.format(parts=rows)}\n)\n{_BY_DAY}"


def _label(place: int, split: Split | None) -> str:
    """Return what the rows of the day on which a KPI is split are called; those of other days have no name."""
    if split is None:
        return _NO_LABEL
    name = dimension_of(split.dimension, split.columns)[0]
    return f"IF(k.business_date = @day_{place}, COALESCE({name}, ''), NULL)"


def _part(kpi: tuple[str, int], columns: Sequence[str], label: str, rest: str) -> str:
    name, place = kpi
    kind = class_column(columns)
    amount = f"IF(k.{kind} = 'A', 1.0, 0.0)" if kind else "k.value"
    shown: tuple[str, ...] = (
        str(place), "k.business_date", label, "k.reason_code", "k.value", "k.numerator", "k.denominator", amount,
        "k.coverage_pct",
    )  # fmt: skip
    if not place:
        shown = tuple(f"{column} AS {called}" for column, called in zip(shown, _NAMES, strict=True))
    return f"    SELECT {', '.join(shown)}\n    FROM inventory_kpi.{name} AS k{rest}"


def _of_split(row: Row, split: int) -> Row:
    return {"split": split, "name": row["name"], "value": row["total"], "reason": row["reason"], "names": row["cells"]}


def _cell(row: Row) -> Cell:
    return Cell(
        day=row["day"],
        reason=row["reason"],
        numerator=_number(row["numerator"]),
        denominator=_number(row["denominator"]),
        total=_number(row["total"]),
        rows=int(row["cells"]),
        coverage_sum=_number(row["coverage_sum"]),
        coverage_rows=int(row["coverage_rows"]),
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
