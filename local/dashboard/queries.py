"""What the dashboard asks the warehouse. Everything is added up there: the page gets the figures that it draws.

A question about several KPIs is one query, a part for each.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from cli.texts import said
from local.dashboard.catalogue import Kpi, class_column
from local.dashboard.rollup import Bar, Cell, Selection

Row = dict[str, Any]
Columns = Mapping[str, Sequence[str]]  # KPI -> the columns of its table
_SQL = Path(__file__).parent / "sql"
# What a reader calls a column by which a KPI can be broken down -> the column.
DIMENSIONS = {"location": "location_code", "category": "category", "supplier": "supplier_code", "SKU": "sku"}
# Only cells that have a value take part in a sum or a ratio of sums.
_SUMS = """  SUM(IF(k.value IS NULL, NULL, k.numerator)) AS numerator,
  SUM(IF(k.value IS NULL, NULL, k.denominator)) AS denominator,
  {total} AS total,
  COUNT(*) AS cells"""
_NEWEST = """k.business_date = (
  SELECT MAX(business_date) FROM inventory_kpi.{kpi} WHERE business_date BETWEEN @start AND @end
)"""


class Warehouse(Protocol):
    """The one call of ``stockflow.gcp.Warehouse`` that is used here."""

    def query(self, sql: str, params: Mapping[str, Any] | None = None) -> list[Row]:
        """Run SQL and return its rows."""
        ...


@dataclass(frozen=True)
class Query:
    """SQL and its parameters."""

    sql: str
    params: tuple[tuple[str, Any], ...] = ()


def text(name: str) -> str:
    """Return one of the queries in ``sql/``."""
    return (_SQL / f"{name}.sql").read_text(encoding="utf-8")


def kpi_tables(warehouse: Warehouse) -> dict[str, tuple[str, ...]]:
    """Return the columns of each table in ``inventory_kpi``."""
    tables: dict[str, list[str]] = {}
    for row in warehouse.query(text("tables")):
        tables.setdefault(row["table_name"], []).append(row["column_name"])
    return {name: tuple(columns) for name, columns in tables.items()}


def bounds(kpis: Collection[str]) -> Query:
    """Return the query for the first and the last day of any of these KPIs."""
    parts = [
        f"SELECT MIN(business_date) AS first_day, MAX(business_date) AS last_day FROM inventory_kpi.{kpi}"
        for kpi in kpis
    ]
    days = "\nUNION ALL\n".join(parts)
    return Query(f"SELECT MIN(first_day) AS first_day, MAX(last_day) AS last_day\nFROM (\n{days}\n) AS days")


def names(column: str, kpis: Columns, since: date) -> Query | None:
    """Return the query for the values of a column in any KPI from a day on; None when no KPI has it."""
    parts = [
        f"SELECT {column} AS name FROM inventory_kpi.{kpi} WHERE business_date >= @since"
        for kpi, columns in kpis.items()
        if column in columns
    ]
    if not parts:
        return None
    rows = "\nUNION ALL\n".join(parts)
    return Query(
        f"SELECT DISTINCT name\nFROM (\n{rows}\n) AS found\nWHERE name IS NOT NULL\nORDER BY name", (("since", since),)
    )


def daily(kpis: Columns, selection: Selection) -> Query:
    """Return the query for the sums of each KPI by day and reason."""
    return _union([_daily(kpi, columns, selection) for kpi, columns in kpis.items()], selection, kpis)


def _daily(kpi: str, columns: Sequence[str], selection: Selection) -> str:
    return f"""SELECT
  '{kpi}' AS kpi,
  k.business_date AS day,
  IF(k.value IS NULL, k.reason_code, NULL) AS reason,
{_SUMS.format(total=_total(columns))},
  SUM(k.coverage_pct) AS coverage_sum,
  COUNT(k.coverage_pct) AS coverage_rows
FROM inventory_kpi.{kpi} AS k{_join(columns, selection)}
WHERE {_where(columns, selection)}
GROUP BY day, reason"""


def by_kpi(rows: Sequence[Row], kpis: Collection[str]) -> dict[str, list[Cell]]:
    """Return KPI -> its cells by day, from the rows of ``daily``."""
    found: dict[str, list[Cell]] = {kpi: [] for kpi in kpis}
    for row in rows:
        found[row["kpi"]].append(_cell(row))
    return found


def breakdown(kpi: Kpi, columns: Sequence[str], dimension: str, selection: Selection, most: int) -> Query | None:
    """Return the query for a KPI by location, category, supplier or SKU on its last day, the ``most`` largest.

    None when the KPI is not known by it.
    """
    name, join = dimension_of(dimension, columns)
    if name is None:
        return None
    join = join or _join(columns, selection)
    ratio = f"SAFE_DIVIDE({_valued('numerator')}, {_valued('denominator')})"
    # Not "name" inside: the product master, which may be joined, has a column of that name.
    sql = f"""SELECT
  label AS name,
  value,
  reason,
  COUNT(*) OVER () AS names
FROM (
  SELECT
    {name} AS label,
    {ratio if kpi.rollup == "ratio" else _total(columns)} AS value,
    MIN(IF(k.value IS NULL, k.reason_code, NULL)) AS reason
  FROM inventory_kpi.{kpi.name} AS k{join}
  WHERE {_where(columns, selection)} AND {_NEWEST.format(kpi=kpi.name)}
  GROUP BY label
) AS named
ORDER BY value IS NULL, value DESC, label
LIMIT {most}"""
    return Query(sql, _params(selection, {kpi.name: columns}))


def bars(rows: Sequence[Row]) -> list[Bar]:
    """Return the bars of a breakdown."""
    return [Bar(row["name"] or said("none"), _number(row["value"]), row["reason"]) for row in rows]


def table(kpi: str, columns: Sequence[str], grain: Sequence[str], selection: Selection, most: int) -> Query:
    """Return the query for the cells of a KPI's last day, the ``most`` largest."""
    shown = [*grain, *(c for c in columns if c not in {*grain, "business_date"})]
    join = _join(columns, selection)
    title = "p.name AS product_name, " if "sku" in columns else ""
    if "sku" in columns and not join:
        join = _PRODUCTS
    sql = (
        f"SELECT {title}{', '.join(f'k.{c}' for c in shown)}\nFROM inventory_kpi.{kpi} AS k{join}\n"
        f"WHERE {_where(columns, selection)} AND {_NEWEST.format(kpi=kpi)}\n"
        f"ORDER BY ABS(COALESCE(k.value, 0)) DESC, {', '.join(f'k.{c}' for c in grain) or 'k.business_date'}\n"
        f"LIMIT {most}"
    )
    return Query(sql, _params(selection, {kpi: columns}))


def moved(kpis: Columns, days: tuple[date, date]) -> Query:
    """Return the query for the sums of each KPI on two days."""
    parts = [
        _daily(kpi, columns, Selection(*days)).replace(_BETWEEN, "k.business_date IN UNNEST(@days)")
        for kpi, columns in kpis.items()
    ]
    return Query("\nUNION ALL\n".join(parts), (("days", days),))


_BETWEEN = "k.business_date BETWEEN @start AND @end"
_PRODUCTS = "\nLEFT JOIN inventory_curated.products AS p ON p.sku = k.sku"


def _union(parts: Sequence[str], selection: Selection, kpis: Columns) -> Query:
    return Query("\nUNION ALL\n".join(parts), _params(selection, kpis))


def _params(selection: Selection, kpis: Columns) -> tuple[tuple[str, Any], ...]:
    """Return the parameters that the filters of any of these KPIs have."""
    found: list[tuple[str, Any]] = [("start", selection.start), ("end", selection.end)]
    if selection.locations and any("location_code" in c for c in kpis.values()):
        found.append(("locations", tuple(sorted(selection.locations))))
    if selection.categories and any(category_source(c)[0] != _NOTHING for c in kpis.values()):
        found.append(("categories", tuple(sorted(selection.categories))))
    return tuple(found)


def _where(columns: Sequence[str], selection: Selection) -> str:
    """Return the filters; one on a grain that a KPI lacks does not exclude it."""
    found = [_BETWEEN]
    if selection.locations and "location_code" in columns:
        found.append("k.location_code IN UNNEST(@locations)")
    category = category_source(columns)[0]
    if selection.categories and category != _NOTHING:
        found.append(f"{category} IN UNNEST(@categories)")
    return " AND ".join(found)


def _join(columns: Sequence[str], selection: Selection) -> str:
    return category_source(columns)[1] if selection.categories else ""


def dimension_of(dimension: str, columns: Sequence[str]) -> tuple[str | None, str]:
    """Return the expression of a dimension and the join that it needs; None when a KPI is not known by it."""
    if dimension == "category":
        category, join = category_source(columns)
        return (None, "") if category == _NOTHING else (category, join)
    column = DIMENSIONS[dimension]
    return (f"k.{column}", "") if column in columns else (None, "")


_NOTHING = "CAST(NULL AS STRING)"


def category_source(columns: Collection[str]) -> tuple[str, str]:
    """Return the expression of a row's product category, and the join that it needs."""
    if "category" in columns:
        return "k.category", ""
    if "sku" in columns:
        return "COALESCE(p.category, 'uncategorised')", _PRODUCTS
    return _NOTHING, ""


def _total(columns: Collection[str]) -> str:
    name = class_column(columns)
    return f"CAST(COUNTIF(k.{name} = 'A') AS FLOAT64)" if name else "SUM(k.value)"


def _valued(column: str) -> str:
    return f"SUM(IF(k.value IS NULL, NULL, k.{column}))"


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
