"""KPIs once more: what a definition gives over all facts, on a few dates, is what its table holds there."""

import math
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from cli.audit.counts import Break
from functions.kpi.catalog import read_catalog
from functions.kpi.definition import Definition
from functions.kpi.kept import kept_from, still_kept
from functions.kpi.state import read_state
from stockflow.services import Services

DATES = 3
NEAR = 1e-9  # sums of floating-point numbers depend on their order
Rows = dict[tuple[Any, ...], Mapping[str, Any]]


def kpis(services: Services) -> Iterator[Break]:
    """Each KPI that stands as it is defined equals a computation from all facts, on its first, middle and last date.

    Days whose look-back begins before what is kept are left out: nothing computes them again as they were.
    """
    state, kept = read_state(services), kept_from(services)
    for name, definition in read_catalog(services.settings.definitions_uri, services).definitions.items():
        if not state.stands(definition):
            continue
        days = _sample(definition, kept, services)
        if days and (difference := _difference(definition, days, services)):
            yield Break("", f"kpi {name} on {', '.join(map(str, days))} as computed again", difference)


def _sample(definition: Definition, kept: date | None, services: Services) -> list[date]:
    whole = kept + timedelta(days=definition.lookback_days) if kept else None
    sql = f"SELECT DISTINCT business_date AS day FROM {definition.table} ORDER BY day"
    days = sorted(still_kept({row["day"] for row in services.warehouse.query(sql)}, whole))
    return sorted({days[0], days[len(days) // 2], days[-1]}) if days else []


def _difference(definition: Definition, days: list[date], services: Services) -> str:
    there = f"SELECT * FROM {definition.table} WHERE business_date IN UNNEST(@days)"
    again = f"SELECT * FROM (\n{definition.sql}\n) WHERE business_date IN UNNEST(@days)"
    stored, computed = (_keyed(definition, services.warehouse.query(sql, {"days": days})) for sql in (there, again))
    if missing := stored.keys() ^ computed.keys():
        return f"{len(missing)} rows on one side only, such as {_shown(min(missing, key=str))}"
    for key, row in stored.items():
        for column, value in row.items():
            if not _same(value, computed[key].get(column)):
                return f"{column} of {_shown(key)} is {value}, computed again {computed[key].get(column)}"
    return ""


def _keyed(definition: Definition, rows: list[dict[str, Any]]) -> Rows:
    return {tuple(row[c] for c in ("business_date", *definition.grain)): row for row in rows}


def _shown(key: tuple[Any, ...]) -> str:
    return " ".join(map(str, key))


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, float) or isinstance(right, float):
        return left == right or (None not in (left, right) and math.isclose(left, right, rel_tol=NEAR, abs_tol=NEAR))
    return bool(left == right)
