"""The SELECTs that show what a definition says, without writing anything. Pure."""

from collections.abc import Iterable

from functions.kpi.definition import Definition
from functions.kpi.graph import dated
from functions.kpi.headline import BY_DAY, told

_CELLS = """
SELECT *
FROM (
{computed}
) AS computed
WHERE business_date = @day
ORDER BY ABS(COALESCE(value, 0)) DESC
LIMIT 20
"""
_SIDES = """
WITH sides AS (
  SELECT 'old' AS side, {keys}, numerator, denominator, value, reason_code
  FROM (
{old}
  ) AS was
  UNION ALL
  SELECT 'new' AS side, {keys}, numerator, denominator, value, reason_code
  FROM (
{new}
  ) AS is_now
)
"""
_CHANGED = """{sides},
cells AS (
  SELECT
    {keys},
    COUNTIF(side = 'old') AS old_cells,
    COUNTIF(side = 'new') AS new_cells,
    MAX(IF(side = 'old', value, NULL)) AS old_value,
    MAX(IF(side = 'new', value, NULL)) AS new_value,
    MAX(IF(side = 'old', reason_code, NULL)) AS old_reason,
    MAX(IF(side = 'new', reason_code, NULL)) AS new_reason
  FROM sides
  GROUP BY {keys}
),
judged AS (
  SELECT
    cells.*,
    CASE
      WHEN old_cells = 0 THEN 'added'
      WHEN new_cells = 0 THEN 'removed'
      WHEN (old_value IS NULL) != (new_value IS NULL) THEN 'changed'
      WHEN ABS(new_value - old_value) > 1e-9 * GREATEST(ABS(new_value), ABS(old_value), 1) THEN 'changed'
      WHEN COALESCE(old_reason, '') != COALESCE(new_reason, '') THEN 'changed'
      ELSE 'same'
    END AS change
  FROM cells
)
"""
_COUNTS = "{judged}SELECT change, COUNT(*) AS cells FROM judged GROUP BY change"
_LARGEST = """{judged}SELECT
  {keys}, change, old_value, new_value, old_reason, new_reason,
  ABS(COALESCE(new_value, 0) - COALESCE(old_value, 0)) AS difference
FROM judged
WHERE change != 'same'
ORDER BY difference DESC, {keys}
LIMIT {most}
"""


def over_days(definition: Definition, inputs: Iterable[str]) -> str:
    """Return the SELECT cut to ``@from_date`` to ``@to_date``; of the dated ``inputs`` it reads those days only."""
    body = dated(definition, inputs)
    return f"SELECT * FROM (\n{body}\n) WHERE business_date BETWEEN @from_date AND @to_date"


def by_day(definition: Definition, inputs: Iterable[str]) -> str:
    """Return the sums by day and reason that a headline is made of."""
    _, value = told(definition)
    return BY_DAY.format(table=f"(\n{over_days(definition, inputs)}\n)", value=value)


def cells(definition: Definition, inputs: Iterable[str]) -> str:
    """Return the largest cells of ``@day``."""
    return _CELLS.format(computed=over_days(definition, inputs))


def change_counts(old: str, new: str, keys: Iterable[str]) -> str:
    """Return how many cells of two SELECTs (see ``over_days``) are added, removed, changed and the same."""
    return _COUNTS.format(judged=_judged(old, new, keys))


def largest_changes(old: str, new: str, keys: Iterable[str], most: int) -> str:
    """Return the cells that differ, largest difference first."""
    listed = tuple(keys)
    return _LARGEST.format(judged=_judged(old, new, listed), keys=", ".join(listed), most=most)


def _judged(old: str, new: str, keys: Iterable[str]) -> str:
    listed = ", ".join(keys)
    return _CHANGED.format(sides=_SIDES.format(keys=listed, old=old, new=new).rstrip(), keys=listed)
