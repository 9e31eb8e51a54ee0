"""Makes local-bigquery look tables up in DuckLake's catalogue instead of asking DuckDB to list everything.

Each query asks several times whether a table exists and what its columns are. local-bigquery 0.4.0 asks
``duckdb_tables()`` and ``duckdb_columns()``, which go through every table of every database to answer: 9 ms a time
with sixty tables, most of what a small query costs. The answers here are the same, read from the committed catalogue
as they are there, and kept until DuckLake's schema version moves on.
"""

import functools
import itertools
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import duckdb
from local_bigquery.catalog import metadata, names, tables
from local_bigquery.engine import database
from local_bigquery.errors import BigQueryError
from local_bigquery.jobs import query, runner
from local_bigquery.models import Table
from sqlglot import exp

_OBJECTS = """
SELECT d.schema_name, t.table_name, 'TABLE', t.table_id
FROM {lake}.ducklake_table AS t
JOIN {lake}.ducklake_schema AS d ON d.schema_id = t.schema_id AND d.end_snapshot IS NULL
WHERE t.end_snapshot IS NULL
UNION ALL
SELECT d.schema_name, v.view_name, 'VIEW', v.view_id
FROM {lake}.ducklake_view AS v
JOIN {lake}.ducklake_schema AS d ON d.schema_id = v.schema_id AND d.end_snapshot IS NULL
WHERE v.end_snapshot IS NULL
"""
_COLUMNS = """
SELECT table_id, column_name, nulls_allowed, column_type FROM {lake}.ducklake_column
WHERE end_snapshot IS NULL AND parent_column IS NULL ORDER BY table_id, column_order
"""
_VERSION = "SELECT MAX(schema_version) FROM {lake}.ducklake_snapshot"
_RECORDS = "SELECT record_count FROM {lake}.ducklake_table_stats WHERE table_id = $1"
_OF_ONE_TABLE = "FROM duckdb_columns() WHERE database_name = ? AND schema_name = ? AND table_name = ?"
_REQUIRED = f"SELECT column_name {_OF_ONE_TABLE} AND NOT is_nullable"
_HAS_COLUMN = f"SELECT 1 {_OF_ONE_TABLE} AND column_name = ?"
_TEMPORARY = "SELECT table_name FROM duckdb_tables() WHERE temporary"
_RESULTS = "emulator"
type Rows = list[tuple[Any, ...]]
_slow_objects: Callable[..., Rows] = database.objects
_slow_fetch: Callable[..., Rows] = database.fetch
_slow_columns: Callable[..., list[Any]] = tables.columns
_slow_execute: Callable[..., None] = database.execute
_any_query: Callable[..., Any] = query.execute
_run: Callable[..., Any] = query._run
_schema_of_result: Callable[..., Any] = query._result_schema


class _NewCursor:
    """A cursor without temporary tables, as each is that no session kept: DuckDB lists all tables to say so."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def sql(self, sql: str, **options: Any) -> Any:
        return _NoRows() if sql == _TEMPORARY else self._cursor.sql(sql, **options)


class _NoRows:
    def fetchall(self) -> Rows:
        return []


@dataclass(frozen=True)
class _Catalogue:
    """The tables, views and columns of a project as they were committed at one schema version."""

    version: int
    objects: dict[tuple[str, str], tuple[str, int]]
    columns: dict[int, list[tuple[str, bool, str]]]
    schemas: dict[tuple[str, str], list[Any]] = field(default_factory=dict)
    signatures: dict[tuple[str, str], Any] = field(default_factory=dict)

    def of(self, dataset: str, table: str) -> list[tuple[str, bool, str]]:
        """Return name, nullability and type of a table's columns; nothing for a view, as DuckDB has it."""
        kind, number = self.objects.get((dataset, table), ("", 0))
        return self.columns.get(number, []) if kind == "TABLE" else []


_catalogues: dict[str, _Catalogue] = {}
_moves = itertools.count(1)
_seen: dict[str, tuple[int, int]] = {}  # by project: the version, and how often anything had moved before it was read
_clock = {"now": 0}


def install() -> None:
    """Put the quick lookups in the place of the slow ones."""
    for kind, handler in list(runner.HANDLERS.items()):
        runner.HANDLERS[kind] = functools.partial(_handled, handler)
    replace(_any_query, _query)
    replace(_run, _ran)
    replace(_schema_of_result, _result_schema)
    replace(_slow_execute, _execute)
    replace(_slow_objects, _objects)
    replace(_slow_fetch, _fetch)
    replace(_slow_columns, _columns)


def version(project: str) -> int:
    """Return DuckLake's schema version: another number after each table or view that was made, changed or dropped."""
    now, (moves, known) = _clock["now"], _seen.get(project, (-1, 0))
    if moves == now:
        return known
    [(number,)] = _slow_fetch(_VERSION.replace("{lake}", _lake(project)))
    _seen[project] = (now, int(number))
    return int(number)


def moved() -> None:
    """Say that a table or view may have been made, changed or dropped: the version is read again."""
    _clock["now"] = next(_moves)


def _query(cur: Any, *args: Any, session: Any = None, **options: Any) -> Any:
    return _any_query(cur if session else _NewCursor(cur), *args, session=session, **options)


def _ran(cur: Any, tree: exp.Expression, *rest: Any) -> Any:
    try:
        return _run(cur, tree, *rest)
    finally:
        if not isinstance(tree, exp.Query | names.DML):
            moved()


def _result_schema(cur: Any, tree: exp.Expression, context: Any, statistics: Any, dry_run: bool) -> Any:
    """Leave the columns out that a CREATE made: DuckDB binds each new view again to say them, a third of ``up``."""
    if isinstance(tree, exp.Create) and not dry_run:
        return None
    return _schema_of_result(cur, tree, context, statistics, dry_run)


def _handled(handler: Callable[..., Any], *rest: Any) -> Any:
    try:
        return handler(*rest)
    finally:
        moved()


def _execute(sql: str, params: list[Any] | None = None) -> None:
    try:
        _slow_execute(sql, params)
    finally:
        if sql.startswith(("CREATE", "DROP", "ALTER")):
            moved()


def signature(project: str, dataset: str, table: str) -> Any:
    """Return what a translation depends on of a table: what it is, its columns, how it is written down."""
    if project not in database._attached:
        return object()  # equal to nothing
    known = _catalogue(project).signatures
    stored = metadata.load(Table, project, dataset, table)
    written = (stored.type, stored.expirationTime, stored.requirePartitionFilter) if stored else None
    if (dataset, table) not in known:
        known[dataset, table] = _signature(project, dataset, table)
    return known[dataset, table], written, stored and repr(stored.timePartitioning)


def _signature(project: str, dataset: str, table: str) -> Any:
    catalogue = _catalogue(project)
    kind, _ = catalogue.objects.get((dataset, table), ("", 0))
    if kind != "VIEW":
        return kind, tuple(catalogue.of(dataset, table))
    try:
        return kind, tuple(repr(column) for column in _columns(project, dataset, table))
    except (BigQueryError, duckdb.Error):
        return object()  # a view on what is gone


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
        columns: dict[int, list[tuple[str, bool, str]]] = {}
        for number, name, nulls, kind in _slow_fetch(_COLUMNS.replace("{lake}", lake)):
            columns.setdefault(number, []).append((name, nulls, kind))
        known = _catalogues[project] = _Catalogue(current, objects, columns, _unchanged(known, objects, columns))
    return known


def _unchanged(
    before: _Catalogue | None,
    objects: dict[tuple[str, str], tuple[str, int]],
    columns: dict[int, list[tuple[str, bool, str]]],
) -> dict[tuple[str, str], list[Any]]:
    """Return the schemas of the tables that are still the same ones; of views only if nothing changed or went."""
    if before is None:
        return {}

    def stands(table: tuple[str, str]) -> bool:
        found = objects.get(table)
        return found == before.objects[table] and columns.get(found[1]) == before.columns.get(found[1])

    only_more = all(stands(table) for table in before.objects)
    return {
        table: schema
        for table, schema in before.schemas.copy().items()  # other jobs describe tables meanwhile
        if only_more or (before.objects.get(table, ("",))[0] == "TABLE" and stands(table))
    }


def _objects(project: str, dataset: str, table: str | None = None) -> Rows:
    if table is not None and project == _RESULTS:
        return _result(dataset, table)
    if table is None or project not in database._attached:
        return _slow_objects(project, dataset, table)
    kind, number = _catalogue(project).objects.get((dataset, table), ("", 0))
    if not kind:
        return []
    records = _slow_fetch(_RECORDS.replace("{lake}", _lake(project)), [number]) if kind == "TABLE" else []
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
        [(name,) for name, nulls, _ in columns if not nulls]
        if not column
        else [(1,) for name, *_ in columns if [name] == column]
    )


def _columns(project: str, dataset: str, table: str) -> list[Any]:
    if dataset == tables.RESULTS or project not in database._attached:
        return _slow_columns(project, dataset, table)
    schemas = _catalogue(project).schemas
    if (dataset, table) not in schemas:
        schemas[dataset, table] = _slow_columns(project, dataset, table)
    return list(schemas[dataset, table])
