"""Curated tables, views and KPIs of a shop in a DuckDB of this process, by the emulator's own translation."""

from collections.abc import Mapping, Sequence
from graphlib import TopologicalSorter
from typing import Any

from functions.kpi.catalog import load_definitions
from functions.kpi.graph import in_order, parse_sql, reads, tables
from functions.kpi.refresh import views_by_name
from local import in_process
from stockflow.contracts import load_contracts
from stockflow.schema import curated_schema, history_schema
from stockflow.settings import bundle_root

_TYPES = {"STRING": "VARCHAR", "FLOAT64": "DOUBLE", "INT64": "BIGINT", "NUMERIC": "DECIMAL(38, 9)",
          "TIMESTAMP": "TIMESTAMPTZ", "BOOL": "BOOLEAN"}  # fmt: skip
_PROJECT = "project"  # what the translation calls the project of a SELECT here


class LocalWarehouse:
    """The warehouse of one shop. ``put`` its facts, then ``compute`` its KPIs, then ask for ``rows``."""

    def __init__(self) -> None:
        self._connection = in_process.database()
        self._contracts = load_contracts(bundle_root() / "contracts")
        self._views = views_by_name("inventory_curated")
        for dataset in ("inventory_curated", "inventory_kpi"):
            self._connection.execute(f"CREATE SCHEMA {_PROJECT}.{dataset}")
        for feed, contract in self._contracts.items():
            self._table(feed, curated_schema(contract))
            self._table(f"{feed}_history", history_schema(contract))
        order = {name: tables(parse_sql(name, sql)) & self._views.keys() for name, sql in self._views.items()}
        for name in TopologicalSorter(order).static_order():
            self._connection.execute(f"CREATE VIEW {_PROJECT}.{name} AS {in_process.translated(self._views[name])}")

    def _table(self, name: str, columns: Sequence[Mapping[str, str]]) -> None:
        fields = ", ".join(f'"{c["name"]}" {_TYPES.get(c["type"], c["type"])}' for c in columns)
        self._connection.execute(f"CREATE TABLE {_PROJECT}.inventory_curated.{name} ({fields})")

    def put(self, feed: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows to a curated table; columns that it does not have are left out."""
        names = [c["name"] for c in curated_schema(self._contracts[feed])]
        values = [[row.get(name) for name in names] for row in rows]
        holes = ", ".join("?" * len(names))
        if values:
            self._connection.executemany(f"INSERT INTO {_PROJECT}.inventory_curated.{feed} VALUES ({holes})", values)

    def compute(self) -> None:
        """Compute every definition for the days that its facts reach."""
        definitions = load_definitions(str(bundle_root() / "functions" / "kpi" / "definitions"))
        horizons = {row["horizon"]: row for row in in_process.rows("SELECT * FROM inventory_curated.known_days")}
        for definition in in_order(definitions, reads(definitions, self._views)):
            span = horizons[definition.horizon]
            days = f"business_date BETWEEN DATE '{span['first_day']}' AND DATE '{span['last_day']}'"
            text = in_process.translated(f"SELECT * FROM (\n{definition.sql}\n) WHERE {days}")
            self._connection.execute(f"CREATE TABLE {_PROJECT}.{definition.table} AS {text}")

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Return the rows of a SELECT."""
        return in_process.rows(sql)
