"""Makes local-bigquery look tables up in DuckLake's catalogue instead of asking DuckDB to list everything.

Each query asks several times whether a table exists. local-bigquery 0.4.0 asks ``duckdb_tables()``, which
collects the statistics of every table of every database to answer: 0.1 s with sixty tables, most of what a small
query costs. The answers here are the same, read from the committed catalogue as they are there.
"""

from collections.abc import Callable
from typing import Any

import duckdb
from local_bigquery.engine import database
from local_bigquery.jobs import query

_OBJECTS = """
SELECT t.table_name, 'TABLE', COALESCE(s.record_count, 0)
FROM {lake}.ducklake_table AS t
JOIN {lake}.ducklake_schema AS d ON d.schema_id = t.schema_id AND d.end_snapshot IS NULL
LEFT JOIN {lake}.ducklake_table_stats AS s ON s.table_id = t.table_id
WHERE t.end_snapshot IS NULL AND d.schema_name = $1 AND t.table_name = $2
UNION ALL
SELECT v.view_name, 'VIEW', 0
FROM {lake}.ducklake_view AS v
JOIN {lake}.ducklake_schema AS d ON d.schema_id = v.schema_id AND d.end_snapshot IS NULL
WHERE v.end_snapshot IS NULL AND d.schema_name = $1 AND v.view_name = $2
"""
_COLUMNS = """
SELECT {what}
FROM {lake}.ducklake_column AS c
JOIN {lake}.ducklake_table AS t ON t.table_id = c.table_id AND t.end_snapshot IS NULL
JOIN {lake}.ducklake_schema AS d ON d.schema_id = t.schema_id AND d.end_snapshot IS NULL
WHERE c.end_snapshot IS NULL AND c.parent_column IS NULL AND d.schema_name = $1 AND t.table_name = $2
"""
_OF_ONE_TABLE = "FROM duckdb_columns() WHERE database_name = ? AND schema_name = ? AND table_name = ?"
_REQUIRED = f"SELECT column_name {_OF_ONE_TABLE} AND NOT is_nullable"
_HAS_COLUMN = f"SELECT 1 {_OF_ONE_TABLE} AND column_name = ?"
_QUICK = {
    _REQUIRED: _COLUMNS.replace("{what}", "c.column_name") + "AND NOT c.nulls_allowed",
    _HAS_COLUMN: _COLUMNS.replace("{what}", "1") + "AND c.column_name = $3",
}
_TEMPORARY = "SELECT table_name FROM duckdb_tables() WHERE temporary"
_TEMPORARY_QUICK = "SELECT DISTINCT table_name FROM duckdb_columns() WHERE database_name = 'temp'"
_slow_objects: Callable[..., list[tuple[Any, ...]]] = database.objects
_slow_fetch: Callable[..., list[tuple[Any, ...]]] = database.fetch


def install() -> None:
    """Put the quick lookups in the place of the slow ones."""
    database.objects = _objects
    database.fetch = _fetch
    code = query.execute.__code__
    constants = tuple(_TEMPORARY_QUICK if c == _TEMPORARY else c for c in code.co_consts)
    query.execute.__code__ = code.replace(co_consts=constants)


def _lake(project: str) -> str:
    name: str = database.quote(f"__ducklake_metadata_{project}")
    return f"{name}.main"


def _objects(project: str, dataset: str, table: str | None = None) -> list[tuple[Any, ...]]:
    if table is not None and project == "emulator":
        return _result(dataset, table)
    if table is None or project not in database._attached:
        return _slow_objects(project, dataset, table)
    return _slow_fetch(_OBJECTS.replace("{lake}", _lake(project)), [dataset, table])


def _result(dataset: str, table: str) -> list[tuple[Any, ...]]:
    """Return a job's result table, which is in a plain DuckDB database and never a view."""
    try:
        [(rows,)] = _slow_fetch(f"SELECT COUNT(*) FROM {database.quote('emulator', dataset, table)}")
    except duckdb.CatalogException:
        return []
    return [(table, "TABLE", rows)]


def _fetch(sql: str, params: list[Any] | None = None) -> list[tuple[Any, ...]]:
    if sql in _QUICK and params and params[0] in database._attached:
        return _slow_fetch(_QUICK[sql].replace("{lake}", _lake(params[0])), params[1:])
    return _slow_fetch(sql, params)
