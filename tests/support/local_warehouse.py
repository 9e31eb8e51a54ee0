"""Curated tables, views and KPIs of a shop in a DuckDB of this process, by the emulator's own translation."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache, cached_property
from graphlib import TopologicalSorter
from itertools import batched
from typing import Any

from functions.kpi.catalog import load_definitions
from functions.kpi.definition import Definition
from functions.kpi.graph import in_order, parse_sql, reads, tables
from functions.kpi.refresh import views_by_name
from local import in_process
from stockflow.contracts import load_contracts
from stockflow.gcp.warehouse import _parameter
from stockflow.schema import curated_schema, history_schema, ops_schema, pipeline, raw_schema
from stockflow.services import Services
from stockflow.settings import Settings, bundle_root

_TYPES = {"STRING": "VARCHAR", "FLOAT64": "DOUBLE", "INT64": "BIGINT", "NUMERIC": "DECIMAL(38, 9)",
          "TIMESTAMP": "TIMESTAMPTZ", "BOOL": "BOOLEAN"}  # fmt: skip
_PROJECT = "project"  # what the translation calls the project of a SELECT here
_made: set[str] = set()  # databases with empty tables and the views, which each warehouse of this process begins with
_DEFINITIONS = str(bundle_root() / "functions" / "kpi" / "definitions")


@cache
def _tables(name: str, sql: str) -> frozenset[str]:
    return frozenset(tables(parse_sql(name, sql)))


@cache
def _translated(sql: str) -> str:
    """Return a view or a definition as DuckDB reads it: their columns are those of the checkout in each warehouse."""
    return in_process.translated(sql)


class LocalWarehouse:
    """The warehouse of one shop. ``put`` its facts, then ``compute`` its KPIs, then ask for ``rows``.

    With ``ledger`` it has ``inventory_ops``, too: what was computed is recorded there, and commands can ask it.
    """

    emulated = True

    def __init__(self, ledger: bool = False) -> None:
        self._connection = in_process.database()
        self._contracts = load_contracts(bundle_root() / "contracts")
        self._views = views_by_name("inventory_curated")
        self._ledger = ledger
        kept = "empty_with_ledger" if ledger else "empty"
        if kept in _made:
            self._connection.execute(f"COPY FROM DATABASE {kept} TO {_PROJECT}")
            return
        self._make_all()
        self._connection.execute(f"ATTACH ':memory:' AS {kept}; COPY FROM DATABASE {_PROJECT} TO {kept}")
        _made.add(kept)

    def _make_all(self) -> None:
        for dataset in ("inventory_curated", "inventory_kpi"):
            self._connection.execute(f"CREATE SCHEMA {_PROJECT}.{dataset}")
        for feed, contract in self._contracts.items():
            self._table(f"inventory_curated.{feed}", curated_schema(contract))
            self._table(f"inventory_curated.{feed}_history", history_schema(contract))
        self._make(self._views)
        if self._ledger:
            self._connection.execute(f"CREATE SCHEMA {_PROJECT}.inventory_ops")
            for name, table in pipeline()["ops_tables"].items():
                self._table(f"inventory_ops.{name}", ops_schema(table))
            self._make(views_by_name("inventory_ops"))

    def _make(self, views: Mapping[str, str]) -> None:
        order = {name: _tables(name, sql) & views.keys() for name, sql in views.items()}
        for name in TopologicalSorter(order).static_order():
            self._connection.execute(f"CREATE VIEW {_PROJECT}.{name} AS {_translated(views[name])}")

    def _table(self, name: str, columns: Sequence[Mapping[str, str]]) -> None:
        fields = ", ".join(f'"{c["name"]}" {_TYPES.get(c["type"], c["type"])}' for c in columns)
        self._connection.execute(f"CREATE TABLE {_PROJECT}.{name} ({fields})")

    def put(self, feed: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows to a curated table; columns that it does not have are left out."""
        self._insert(f"inventory_curated.{feed}", [c["name"] for c in curated_schema(self._contracts[feed])], rows)

    def record(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows to a table of ``inventory_ops``."""
        self._insert(f"inventory_ops.{table}", [c["name"] for c in ops_schema(pipeline()["ops_tables"][table])], rows)

    def raw(self, feed: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Make the raw table of a feed, with these rows."""
        columns = raw_schema(self._contracts[feed])
        self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_PROJECT}.inventory_raw")
        self._table(f"inventory_raw.{feed}", columns)
        self._insert(f"inventory_raw.{feed}", [c["name"] for c in columns], rows)

    def _insert(self, table: str, names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
        holes = f"({', '.join('?' * len(names))})"
        for some in batched(rows, 200, strict=False):  # DuckDB's executemany runs the statement for each row
            values = [row.get(name) for row in some for name in names]
            self._connection.execute(f"INSERT INTO {_PROJECT}.{table} VALUES {', '.join([holes] * len(some))}", values)

    def compute(self, wanted: Collection[str] = (), services: Services | None = None) -> None:
        """Compute these definitions and what they read (all, if none is named) for the days that its facts reach.

        They are as the contracts and profiles of ``services`` have them, else as those of this checkout.
        """
        definitions = load_definitions(_DEFINITIONS, services)
        read = reads(definitions, self._views)
        horizons = {row["horizon"]: row for row in in_process.rows("SELECT * FROM inventory_curated.known_days")}
        needed = _behind(wanted or definitions, read)
        for definition in in_order(definitions, read):
            if definition.name in needed:
                self._compute(definition, horizons[definition.horizon])

    def _compute(self, definition: Definition, span: Mapping[str, Any]) -> None:
        days = f"business_date BETWEEN DATE '{span['first_day']}' AND DATE '{span['last_day']}'"
        text = f"SELECT * FROM (\n{_translated(definition.sql)}\n) WHERE {days}"
        self._connection.execute(f"CREATE TABLE {_PROJECT}.{definition.table} AS {text}")
        if self._ledger:
            run = {"run_id": definition.name, "kpi": definition.name, "definition_version": definition.version,
                   "first_day": span["first_day"], "last_day": span["last_day"], "state": "computed",
                   "finished_at": datetime(2026, 10, 1, 6, tzinfo=UTC)}  # fmt: skip
            self.record("kpi_runs", [run])

    @contextmanager
    def functions(self) -> Iterator[None]:
        """Make the functions that models call; SELECTs find them until the block ends."""
        for path in sorted((bundle_root() / "warehouse" / "routines").rglob("*.sql")):
            self._connection.execute(in_process.translated(path.read_text(encoding="utf-8").rstrip(" \n;")))
        self._connection.execute(f"USE {_PROJECT}")
        try:
            yield
        finally:
            self._connection.execute("USE memory")

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Return the rows of a SELECT."""
        return in_process.rows(sql)

    def query(self, sql: str, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Return the rows of a SELECT with parameters, as the warehouse of a stack does."""
        sent = [_parameter(name, value).to_api_repr() for name, value in (params or {}).items()]
        return in_process.rows(sql, sent)

    def pages(
        self, sql: str, params: Mapping[str, Any] | None = None, page_size: int = 0
    ) -> Iterator[list[dict[str, Any]]]:
        """Yield the rows of a SELECT with parameters, as one page."""
        yield self.query(sql, params)


class LocalServices(Services):
    """Services whose warehouse is in this process; definitions are the project's own."""

    def __init__(self, warehouse: LocalWarehouse, now: datetime) -> None:
        settings = Settings("local", contracts_dir=bundle_root() / "contracts", definitions_uri=_DEFINITIONS)
        super().__init__(settings, lambda: now)
        self._local = warehouse

    @cached_property
    def warehouse(self) -> Any:
        return self._local


def _behind(names: Collection[str], read: Mapping[str, set[str]]) -> set[str]:
    """Return these definitions and every one that they are computed from."""
    found: set[str] = set()
    left = list(names)
    while left:
        name = left.pop()
        found.add(name)
        left += [other for t in read[name] if (other := t.rpartition(".")[2]) in read and other not in found]
    return found
