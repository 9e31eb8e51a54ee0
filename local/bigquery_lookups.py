"""Makes local-bigquery look tables up in DuckLake's catalogue instead of asking DuckDB to list everything.

Each query asks several times whether a table exists and what its columns are. local-bigquery 0.4.0 asks
``duckdb_tables()`` and ``duckdb_columns()``, which go through every table of every database to answer: 9 ms a time
with sixty tables, most of what a small query costs. The answers here are the same, read from the committed catalogue
as they are there, and kept until DuckLake's schema version moves on.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

import duckdb
from local_bigquery.catalog import tables
from local_bigquery.engine import database
from local_bigquery.jobs import query

_OBJECTS = """
SELECT d.schema_name, t.table_name, 'TABLE', t.table_id
FROM {lake}.ducklake_table AS t
JOIN {lake}.ducklake_schema AS d ON d.schema_id = t.schema_id AND d.end_snapshot IS NULL
WHERE t.end_snapshot IS NULL
UNION ALL
SELECT d.schema_name, v.view_name, 'VIEW', NULL
FROM {lake}.ducklake_view AS v
JOIN {lake}.ducklake_schema AS d ON d.schema_id = v.schema_id AND d.end_snapshot IS NULL
WHERE v.end_snapshot IS NULL
"""
_COLUMNS = """
SELECT table_id, column_name, nulls_allowed FROM {lake}.ducklake_column
WHERE end_snapshot IS NULL AND parent_column IS NULL ORDER BY table_id, column_order
"""
_VERSION = "SELECT MAX(schema_version) FROM {lake}.ducklake_snapshot"
_RECORDS = "SELECT record_count FROM {lake}.ducklake_table_stats WHERE table_id = $1"
_OF_ONE_TABLE = "FROM duckdb_columns() WHERE database_name = ? AND schema_name = ? AND table_name = ?"
_REQUIRED = f"SELECT column_name {_OF_ONE_TABLE} AND NOT is_nullable"
_HAS_COLUMN = f"SELECT 1 {_OF_ONE_TABLE} AND column_name = ?"
_TEMPORARY = "SELECT table_name FROM duckdb_tables() WHERE temporary"
_NOTHING_TEMPORARY = "SELECT NULL AS table_name WHERE FALSE"
_RESULTS = "emulator"
type Rows = list[tuple[Any, ...]]
_slow_objects: Callable[..., Rows] = database.objects
_slow_fetch: Callable[..., Rows] = database.fetch
_slow_columns: Callable[..., list[Any]] = tables.columns
_in_session: Callable[..., Any] = query.execute


@dataclass(frozen=True)
class _Catalogue:
    """The tables, views and columns of a project as they were committed at one schema version."""

    version: int
    objects: dict[tuple[str, str], tuple[str, int | None]]
    columns: dict[int, list[tuple[str, bool]]]
    schemas: dict[tuple[str, str], list[Any]] = field(default_factory=dict)

    def of(self, dataset: str, table: str) -> list[tuple[str, bool]]:
        """Return name and nullability of a table's columns; nothing for a view, as DuckDB has it."""
        table_id = self.objects.get((dataset, table), ("", None))[1]
        return self.columns.get(table_id, []) if table_id is not None else []


_catalogues: dict[str, _Catalogue] = {}


def install() -> None:
    """Put the quick lookups in the place of the slow ones."""
    code = query.execute.__code__
    constants = tuple(_NOTHING_TEMPORARY if c == _TEMPORARY else c for c in code.co_consts)
    plain = FunctionType(code.replace(co_consts=constants), query.__dict__, "plain", query.execute.__defaults__)

    def execute(*args: Any, session: Any = None, **options: Any) -> Any:
        # Temporary tables belong to a connection; without a session each query has a new one.
        return _in_session(*args, session=session, **options) if session else plain(*args, **options)

    replace(_in_session, execute)
    replace(_slow_objects, _objects)
    replace(_slow_fetch, _fetch)
    replace(_slow_columns, _columns)


def version(project: str) -> int:
    """Return DuckLake's schema version: another number after each table or view that was made, changed or dropped."""
    [(number,)] = _slow_fetch(_VERSION.replace("{lake}", _lake(project)))
    return int(number)


def replace(old: Callable[..., Any], new: Callable[..., Any]) -> None:
    """Put ``new`` wherever a module of local-bigquery holds ``old``."""
    for name, module in list(sys.modules.items()):
        if name.startswith("local_bigquery."):
            for attribute in [a for a, value in vars(module).items() if value is old]:
                setattr(module, attribute, new)


def _lake(project: str) -> str:
    name: str = database.quote(f"__ducklake_metadata_{project}")
    return f"{name}.main"


def _catalogue(project: str) -> _Catalogue:
    lake = _lake(project)
    current = version(project)
    known = _catalogues.get(project)
    if known is None or known.version != current:
        # Read after the version: what is newer than it is thrown away with it at the next look.
        objects = {(d, t): (kind, number) for d, t, kind, number in _slow_fetch(_OBJECTS.replace("{lake}", lake))}
        columns: dict[int, list[tuple[str, bool]]] = {}
        for number, name, nulls in _slow_fetch(_COLUMNS.replace("{lake}", lake)):
            columns.setdefault(number, []).append((name, nulls))
        known = _catalogues[project] = _Catalogue(current, objects, columns)
    return known


def _objects(project: str, dataset: str, table: str | None = None) -> Rows:
    if table is not None and project == _RESULTS:
        return _result(dataset, table)
    if table is None or project not in database._attached:
        return _slow_objects(project, dataset, table)
    kind, number = _catalogue(project).objects.get((dataset, table), ("", None))
    if not kind:
        return []
    records = _slow_fetch(_RECORDS.replace("{lake}", _lake(project)), [number]) if number is not None else []
    return [(table, kind, records[0][0] if records else 0)]


def _result(dataset: str, table: str) -> Rows:
    """Return a job's result table, which is in a plain DuckDB database and never a view."""
    try:
        [(rows,)] = _slow_fetch(f"SELECT COUNT(*) FROM {database.quote(_RESULTS, dataset, table)}")
    except duckdb.CatalogException:
        return []
    return [(table, "TABLE", rows)]


def _fetch(sql: str, params: list[Any] | None = None) -> Rows:
    if sql not in (_REQUIRED, _HAS_COLUMN) or not params:
        return _slow_fetch(sql, params)
    project, dataset, table, *column = params
    if sql == _REQUIRED and project == _RESULTS:
        return []  # A result is made by CREATE TABLE AS, which requires nothing.
    if project not in database._attached:
        return _slow_fetch(sql, params)
    columns = _catalogue(project).of(dataset, table)
    return (
        [(name,) for name, nulls in columns if not nulls] if not column else [(1,) for c, _ in columns if [c] == column]
    )


def _columns(project: str, dataset: str, table: str) -> list[Any]:
    if dataset == tables.RESULTS or project not in database._attached:
        return _slow_columns(project, dataset, table)
    schemas = _catalogue(project).schemas
    if (dataset, table) not in schemas:
        schemas[dataset, table] = _slow_columns(project, dataset, table)
    return list(schemas[dataset, table])
