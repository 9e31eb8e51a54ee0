"""What the dashboard asks the warehouse. Everything is added up there: the page gets the figures that it draws.

A question about several KPIs is one query, a part for each.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from local.dashboard.catalogue import Kpi, class_column
from local.dashboard.rollup import Selection

Row = dict[str, Any]
Columns = Mapping[str, Sequence[str]]  # KPI -> the columns of its table
_SQL = Path(__file__).parent / "sql"
# What a reader calls a column by which a KPI can be broken down -> the column.
DIMENSIONS = {"location": "location_code", "category": "category", "supplier": "supplier_code", "SKU": "sku"}


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
    """Return the query for the first and the last day of each KPI that has any."""
    parts = [
        f"SELECT '{kpi}' AS kpi, MIN(business_date) AS first_day, MAX(business_date) AS last_day "
        f"FROM inventory_kpi.{kpi}"
        for kpi in kpis
    ]
    days = "\nUNION ALL\n".join(parts)
    return Query(f"SELECT kpi, first_day, last_day\nFROM (\n{days}\n) AS days\nWHERE last_day IS NOT NULL")


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


def table(kpi: Kpi, columns: Sequence[str], day: date, selection: Selection, most: int) -> Query:
    """Return the query for the cells of a KPI on a day, the ``most`` largest."""
    shown = [*kpi.grain, *(c for c in columns if c not in {*kpi.grain, "business_date"})]
    join = _PRODUCTS if "sku" in columns else ""
    title = "p.name AS product_name, " if "sku" in columns else ""
    sql = (
        f"SELECT {title}{', '.join(f'k.{c}' for c in shown)}\nFROM inventory_kpi.{kpi.name} AS k{join}\n"
        f"WHERE {where('k.business_date = @day', columns)}\n"
        f"ORDER BY ABS(COALESCE(k.value, 0)) DESC, {', '.join(f'k.{c}' for c in kpi.grain) or 'k.business_date'}\n"
        f"LIMIT {most}"
    )
    return Query(sql, (("day", day), *filter_params(selection, {kpi.name: columns})))


_PRODUCTS = "\nLEFT JOIN inventory_curated.products AS p ON p.sku = k.sku"


def filter_params(selection: Selection, kpis: Columns) -> tuple[tuple[str, Any], ...]:
    """Return the parameters that the filters of any of these KPIs have."""
    found: list[tuple[str, Any]] = []
    if any("location_code" in c for c in kpis.values()):
        found += [("every_location", not selection.locations), ("locations", _chosen(selection.locations))]
    if any(category_source(c)[0] != _NOTHING for c in kpis.values()):
        found += [("every_category", not selection.categories), ("categories", _chosen(selection.categories))]
    return tuple(found)


def _chosen(names: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted(names)) or ("",)


def where(days: str, columns: Sequence[str]) -> str:
    """Return a condition on the days and the filters; one on a grain that a KPI lacks does not exclude it.

    The text is the same whatever is chosen: a warehouse that knows a statement answers sooner.
    """
    found = [days]
    if "location_code" in columns:
        found.append("(@every_location OR k.location_code IN UNNEST(@locations))")
    category = category_source(columns)[0]
    if category != _NOTHING:
        found.append(f"(@every_category OR {category} IN UNNEST(@categories))")
    return " AND ".join(found)


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


def rolled_up(kpi: Kpi, columns: Sequence[str]) -> str:
    """Return the expression of a KPI's value over several rows."""
    ratio = f"SAFE_DIVIDE({_valued('numerator')}, {_valued('denominator')})"
    return ratio if kpi.rollup == "ratio" else _total(columns)


def _valued(column: str) -> str:
    """Only cells that have a value take part in a sum or a ratio of sums."""
    return f"SUM(IF(k.value IS NULL, NULL, k.{column}))"
