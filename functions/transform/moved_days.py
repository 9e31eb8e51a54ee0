"""What a load moved, as its record tells the KPIs: business dates of facts, columns of dimensions.

Of a dimension without dates ``#key`` is said when a key comes or goes, ``*column`` for each column that says
something else now, and ``@column 2026-09-08`` where what it says of days changed: the first of these days. ``*`` is all
days: where too many keys come or go to name them, and of records written before there were first days (``by_day``).

Where keys come or go, the record has no ``columns`` but ``keys``, and the columns that changed ``besides``: a function
of the version before, which knows no keys, takes that for all days.
"""

from functions.transform import dimensions
from functions.transform.files import indent
from stockflow.contracts import Contract


def pieces(contract: Contract) -> dict[str, str]:
    """Return what the drain's script of a feed says of days and columns."""
    by_day = dimensions.has_days(contract.feed)
    return {
        "touched_days": _of_facts(contract) if contract.business_date else _of_dimension(contract, by_day),
        "most_keys": str(_MOST_KEYS),
        "unseen_whole": _UNSEEN_WHOLE if by_day else "",
        "unseen_marks": _unseen("#", "keys") + (_unseen("@", "by_day") if by_day else ""),
        "no_first_day": " AND NOT STARTS_WITH(day, '@')" if by_day else "",
        "by_day": _BY_DAY if by_day else "",
        "by_day_said": indent(_SAID, 4) + "\n" if by_day else "",
        "by_day_join": "\nLEFT JOIN by_day ON by_day.load_id = batch.load_id" if by_day else "",
    }


def _of_facts(contract: Contract) -> str:
    """Per changed row the day it has now, and the one that it had."""
    day = contract.business_date
    return " UNION ALL ".join(
        f"SELECT _load_id, _was_load_id, CAST({name} AS STRING) AS day FROM changes WHERE _content_changed"
        for name in (day, f"_was_{day}")
    )


def _of_dimension(contract: Contract, by_day: bool) -> str:
    names = [c.name for c in contract.columns if c.name not in contract.key and c.name != contract.business_time]
    each = ",\n".join(f"      IF({n} IS DISTINCT FROM _was_{n}, '*{n}', NULL)" for n in names)
    came = f"CONCAT('#', {contract.key[0]})" if len(contract.key) == 1 else "'*'"
    return f"""
    SELECT _load_id, _was_load_id, IF(_load_id IS NULL OR _was_load_id IS NULL, {came}, day) AS day
    FROM changes
    CROSS JOIN UNNEST([
{each}
    ]) AS day
    WHERE _content_changed AND (day IS NOT NULL OR _load_id IS NULL OR _was_load_id IS NULL){_CHANGED if by_day else ""}
  """


def _unseen(mark: str, said: str) -> str:
    """What earlier runs, which the KPIs have not seen, said under that name, with its mark."""
    return f"""
  UNION ALL
  SELECT load_id, CONCAT('{mark}', said)
  FROM unseen_runs
  CROSS JOIN UNNEST(JSON_VALUE_ARRAY(detail, '$.{said}')) AS said"""


_CHANGED = """
    UNION ALL
    SELECT CAST(NULL AS STRING), CAST(NULL AS STRING), mark
    FROM changed_by_day
    CROSS JOIN UNNEST([CONCAT('*', column_name), CONCAT('@', column_name, ' ', CAST(first_day AS STRING))]) AS mark"""
_MOST_KEYS = 200  # a record is read by each drain, so it stays small
_UNSEEN_WHOLE = " OR JSON_QUERY(detail, '$.by_day') IS NULL"
_BY_DAY = r"""by_day AS (
  -- the first day on which a column says something else of a day
  SELECT load_id, STRING_AGG(CONCAT('"', column_name, ' ', first_day, '"'), ',') AS first_days
  FROM (
    SELECT load_id, REGEXP_EXTRACT(day, r'^@(\w+)') AS column_name, MIN(REGEXP_EXTRACT(day, r' (.+)$')) AS first_day
    FROM touched_days
    WHERE STARTS_WITH(day, '@')
    GROUP BY load_id, column_name
  )
  GROUP BY load_id
),
"""
_SAID = """IF(
  days.all_dates AND NOT days.is_whole, CONCAT(',"by_day":[', COALESCE(by_day.first_days, ''), ']'), ''
),"""
