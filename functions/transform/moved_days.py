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
    by_day, keyed = dimensions.has_days(contract.feed), _keyed(contract)
    return {
        "touched_days": _of_facts(contract) if contract.business_date else _of_dimension(contract, by_day),
        "unseen_whole": (_NO_KEYS if keyed else "") + (_UNSEEN_WHOLE if by_day else ""),
        "unseen_columns": _UNSEEN_COLUMNS if keyed else "JSON_VALUE_ARRAY(detail, '$.columns')",
        "unseen_by_day": (_UNSEEN_KEYS if keyed else "") + (_UNSEEN if by_day else ""),
        "too_many_keys": _TOO_MANY if keyed else "",
        "all_marks": "REGEXP_CONTAINS(day, r'^[*#]')" if keyed else "STARTS_WITH(day, '*')",
        "column_name": _COLUMN_NAME if keyed else "NULLIF(SUBSTR(day, 2), '')",
        "keys_of_load": _KEYS if keyed else "",
        "columns_said": indent(_KEYS_SAID if keyed else _COLUMNS_SAID, 4),
        "no_first_day": " AND NOT STARTS_WITH(day, '@')" if by_day else "",
        "by_day": _BY_DAY if by_day else "",
        "by_day_said": indent(_SAID, 4) + "\n" if by_day else "",
        "by_day_join": "\nLEFT JOIN by_day ON by_day.load_id = batch.load_id" if by_day else "",
    }


def _keyed(contract: Contract) -> bool:
    """Whether a row of it stands for one key, as products and locations do."""
    return contract.business_date is None and len(contract.key) == 1


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
    came = f"CONCAT('#', {contract.key[0]})" if _keyed(contract) else "'*'"
    return f"""
    SELECT _load_id, _was_load_id, IF(_load_id IS NULL OR _was_load_id IS NULL, {came}, day) AS day
    FROM changes
    CROSS JOIN UNNEST([
{each}
    ]) AS day
    WHERE _content_changed AND (day IS NOT NULL OR _load_id IS NULL OR _was_load_id IS NULL){_CHANGED if by_day else ""}
  """


_CHANGED = """
    UNION ALL
    SELECT CAST(NULL AS STRING), CAST(NULL AS STRING), mark
    FROM changed_by_day
    CROSS JOIN UNNEST([CONCAT('*', column_name), CONCAT('@', column_name, ' ', CAST(first_day AS STRING))]) AS mark"""
_MOST_KEYS = 200  # a record is read by each drain, so it stays small
_TOO_MANY = f" OR COUNT(DISTINCT IF(STARTS_WITH(day, '#'), day, NULL)) > {_MOST_KEYS}"
_COLUMN_NAME = "IF(STARTS_WITH(day, '#'), NULL, NULLIF(SUBSTR(day, 2), ''))"
_KEYS = f""",
    IF(
      LOGICAL_OR(day = '*'){_TOO_MANY},
      NULL, STRING_AGG(DISTINCT IF(STARTS_WITH(day, '#'), TO_JSON_STRING(SUBSTR(day, 2)), NULL), ',')
    ) AS `keys`"""
_COLUMNS_SAID = """IF(days.all_dates, COALESCE(CONCAT(',"columns":[', days.columns, ']'), ''), ''),"""
_KEYS_SAID = """COALESCE(
  CONCAT(',"keys":[', days.`keys`, '],"besides":[', COALESCE(days.columns, ''), ']'),
  CONCAT(',"columns":[', days.columns, ']'),
  ''
),"""
_NO_KEYS = " AND JSON_QUERY(detail, '$.keys') IS NULL"
_UNSEEN_COLUMNS = "COALESCE(JSON_VALUE_ARRAY(detail, '$.columns'), JSON_VALUE_ARRAY(detail, '$.besides'))"
_UNSEEN_KEYS = """
  UNION ALL
  SELECT load_id, CONCAT('#', key)
  FROM unseen_runs
  CROSS JOIN UNNEST(JSON_VALUE_ARRAY(detail, '$.keys')) AS key"""
_UNSEEN_WHOLE = " OR JSON_QUERY(detail, '$.by_day') IS NULL"
_UNSEEN = """
  UNION ALL
  SELECT load_id, CONCAT('@', first_day)
  FROM unseen_runs
  CROSS JOIN UNNEST(JSON_VALUE_ARRAY(detail, '$.by_day')) AS first_day"""
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
  COALESCE(days.columns, days.`keys`) IS NULL, '', CONCAT(',"by_day":[', COALESCE(by_day.first_days, ''), ']')
),"""
