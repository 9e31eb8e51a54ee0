"""Where a KPI stands by location, category, supplier or SKU on one day: several of them are one question."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from cli.texts import said
from local.dashboard import queries
from local.dashboard.catalogue import Kpi
from local.dashboard.queries import Query, Row
from local.dashboard.rollup import Bar, Selection


@dataclass(frozen=True)
class Split:
    """A KPI by one dimension on one day."""

    kpi: Kpi
    columns: tuple[str, ...]
    dimension: str
    day: date

    @property
    def known(self) -> bool:
        """Whether the KPI is known by it."""
        return queries.dimension_of(self.dimension, self.columns)[0] is not None


@dataclass(frozen=True)
class Ranking:
    """The largest names of a dimension, and how many there are."""

    bars: tuple[Bar, ...] = ()
    names: int = 0


def first_known(kpi: Kpi, columns: tuple[str, ...], dimensions: Collection[str], day: date) -> Split | None:
    """Return the split by the first of these dimensions that the KPI is known by."""
    found = (Split(kpi, columns, dimension, day) for dimension in dimensions)
    return next((split for split in found if split.known), None)


def question(splits: Sequence[Split], selection: Selection, most: int) -> Query:
    """Return the query for the ``most`` largest names of each split, which all have to be known."""
    parts = [_part(number, split, most) for number, split in enumerate(splits)]
    days = tuple((f"day_{number}", split.day) for number, split in enumerate(splits))
    filters = queries.filter_params(selection, {split.kpi.name: split.columns for split in splits})
    return Query("\nUNION ALL\n".join(parts), (*days, *filters))


def _part(number: int, split: Split, most: int) -> str:
    name, join = queries.dimension_of(split.dimension, split.columns)[0], queries.category_source(split.columns)[1]
    # Not "name" inside: the product master, which may be joined, has a column of that name.
    return f"""(SELECT
  {number} AS split,
  label AS name,
  value,
  reason,
  COUNT(*) OVER () AS names
FROM (
  SELECT
    {name} AS label,
    {queries.rolled_up(split.kpi, split.columns)} AS value,
    MIN(IF(k.value IS NULL, k.reason_code, NULL)) AS reason
  FROM inventory_kpi.{split.kpi.name} AS k{join}
  WHERE {queries.where(f"k.business_date = @day_{number}", split.columns)}
  GROUP BY label
) AS named
ORDER BY value IS NULL, value DESC, label
LIMIT {most})"""


def rankings(rows: Sequence[Row], splits: Sequence[Split]) -> list[Ranking]:
    """Return the answer for each split."""
    found: list[list[Row]] = [[] for _ in splits]
    for row in rows:
        found[row["split"]].append(row)
    return [_ranking(of_split) for of_split in found]


def _ranking(rows: Sequence[Row]) -> Ranking:
    ordered = sorted(rows, key=lambda row: (row["value"] is None, -(row["value"] or 0.0), row["name"] or ""))
    bars = tuple(Bar(row["name"] or said("none"), _number(row["value"]), row["reason"]) for row in ordered)
    return Ranking(bars, int(rows[0]["names"]) if rows else 0)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
