"""The days on which a KPI has a value, for whoever has to name some of them."""

from typing import Any

from cli.kpi.figures import rows_if_any
from cli.output import CommandError
from functions.kpi.definition import Definition
from stockflow.services import Services

_NEWEST = 7
_DAYS = """
SELECT
  business_date,
  COUNT(*) OVER () AS days,
  MIN(business_date) OVER () AS first_day
FROM {table} AS computed
WHERE value IS NOT NULL
GROUP BY business_date
ORDER BY business_date DESC
LIMIT {newest}
"""


def days_sql(definition: Definition) -> str:
    """Return the query for the newest days with a value, how many there are, and the first one."""
    return _DAYS.format(table=definition.table, newest=_NEWEST)


def unknown_days(definition: Definition, services: Services, problem: str) -> CommandError:
    """Return an error that says which days a KPI has, and a command with two of them."""
    rows = rows_if_any(services, days_sql(definition))
    if len(rows) < 2:
        found = f"it has a value on {rows[0]['business_date']} only" if rows else "it has no value on any day yet"
        return CommandError(f"{problem}: {found}; `stockflow kpi refresh {definition.name}` computes what is missing")
    last, before = rows[0]["business_date"], rows[1]["business_date"]
    between = f"--from {before} --to {last}"
    return CommandError(f"{problem}: {_told(rows)}; such as `stockflow kpi why {definition.name} {between}`")


def _told(rows: list[dict[str, Any]]) -> str:
    """Return which days there are: the first, the last, and the newest of them where some are left out between."""
    days = [row["business_date"] for row in rows]
    count, first, last = int(rows[0]["days"]), rows[0]["first_day"], days[0]
    told = f"it has a value on {count} days, {first} to {last}"
    whole = (last - first).days + 1 == count
    return told if whole else f"{told}, the newest are {', '.join(map(str, days))}"
