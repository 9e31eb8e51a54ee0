"""What the dashboard asks the warehouse: one query for each KPI, one for each part of pipeline health."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Protocol

from local.dashboard.rollup import Cell

Row = dict[str, Any]
_CLASSES = ("abc_class", "class")
_SQL = Path(__file__).parent / "sql"


class Warehouse(Protocol):
    """The one call of ``stockflow.gcp.Warehouse`` that is used here."""

    def query(self, sql: str, params: Mapping[str, Any] | None = None) -> list[Row]:
        """Run SQL and return its rows."""
        ...


def kpi_tables(warehouse: Warehouse) -> dict[str, tuple[str, ...]]:
    """Return the columns of each table in ``inventory_kpi``."""
    tables: dict[str, list[str]] = {}
    for row in warehouse.query(text("tables")):
        tables.setdefault(row["table_name"], []).append(row["column_name"])
    return {name: tuple(columns) for name, columns in tables.items()}


def cells(warehouse: Warehouse, kpi: str, columns: Collection[str], days: int) -> list[Cell]:
    """Return a KPI's sums by date, grain and reason over its last ``days``."""
    return [_cell(row) for row in warehouse.query(cube_sql(kpi, columns), {"days": days})]


def cube_sql(kpi: str, columns: Collection[str]) -> str:
    """Return the query behind ``cells``; a grain that the KPI lacks comes out NULL."""
    category, join = category_source(columns)
    location, supplier = _own("location_code", columns), _own("supplier_code", columns)
    return f"""SELECT
  k.business_date AS day,
  {location} AS location,
  {category} AS category,
  {supplier} AS supplier,
  IF(k.value IS NULL, k.reason_code, NULL) AS reason,
  SUM(k.numerator) AS numerator,
  SUM(k.denominator) AS denominator,
  {_total(columns)} AS total,
  COUNT(*) AS cells,
  SUM(k.coverage_pct) AS coverage_sum,
  COUNT(k.coverage_pct) AS coverage_rows
FROM inventory_kpi.{kpi} AS k{join}
WHERE k.business_date > (
  SELECT DATE_SUB(MAX(business_date), INTERVAL @days DAY) FROM inventory_kpi.{kpi}
)
GROUP BY day, location, category, supplier, reason
ORDER BY day, location, category, supplier, reason"""


def text(name: str) -> str:
    """Return one of the queries in ``sql/``."""
    return (_SQL / f"{name}.sql").read_text(encoding="utf-8")


def _total(columns: Collection[str]) -> str:
    name = class_column(columns)
    return f"CAST(COUNTIF(k.{name} = 'A') AS FLOAT64)" if name else "SUM(k.value)"


def class_column(columns: Collection[str]) -> str | None:
    """Return the column with ABC classes of SKUs, if there is one."""
    return next((c for c in _CLASSES if c in columns), None) if "sku" in columns else None


def _own(column: str, columns: Collection[str]) -> str:
    return f"k.{column}" if column in columns else "CAST(NULL AS STRING)"


def category_source(columns: Collection[str]) -> tuple[str, str]:
    """Return the expression of a row's product category, and the join that it needs."""
    if "category" in columns:
        return "k.category", ""
    if "sku" in columns:
        join = "\nLEFT JOIN inventory_curated.products AS p ON p.sku = k.sku"
        return "COALESCE(p.category, 'uncategorised')", join
    return "CAST(NULL AS STRING)", ""


def _cell(row: Row) -> Cell:
    return Cell(
        day=row["day"],
        location=row["location"],
        category=row["category"],
        supplier=row["supplier"],
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
