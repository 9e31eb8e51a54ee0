"""Makes local-bigquery ask DuckDB for one table instead of for a list of everything.

Each query asks several times whether a table exists and what its columns are. local-bigquery 0.4.0 asks
``duckdb_tables()`` and ``duckdb_columns()``, which go through every table of every database to answer: 9 ms a time
with sixty tables, most of what a small query costs. The answers here are the same, asked for one table (0.5 ms), and
kept until a statement makes, changes or drops a table.
"""

import functools
import itertools
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import duckdb
from local_bigquery.catalog import metadata, names, tables
from local_bigquery.engine import database
from local_bigquery.jobs import query, runner
from local_bigquery.models import Table
from sqlglot import exp

_OF_ONE_TABLE = "FROM duckdb_columns() WHERE database_name = ? AND schema_name = ? AND table_name = ?"
_REQUIRED = f"SELECT column_name {_OF_ONE_TABLE} AND NOT is_nullable"
_HAS_COLUMN = f"SELECT 1 {_OF_ONE_TABLE} AND column_name = ?"
_TEMPORARY = "SELECT table_name FROM duckdb_tables() WHERE temporary"
_RESULTS = "emulator"
type Rows = list[tuple[Any, ...]]
type Reference = tuple[str, str, str]
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
class _Described:
    """What a table or view is, and name, nullability and type of its columns; of a view on what is gone, none."""

    kind: str
    columns: tuple[tuple[str, bool, str], ...]


_described: dict[Reference, _Described | None] = {}  # None: there is no such table
_schemas: dict[Reference, list[Any]] = {}
_moves = itertools.count(1)
_clock = {"now": 0}
_lock = threading.Lock()
_script = threading.local()  # a script runs in one thread


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


def moves() -> int:
    """Return a number that is another one after each table or view that was made, changed or dropped."""
    return _clock["now"]


def moved(reference: Reference | None = None) -> None:
    """Say that a table or view may have been made, changed or dropped; None says that nobody knows which.

    What is new, or as it was, changes nothing else. What changed may have views on it: everything is asked again.
    """
    known, now = reference in _described, _look(*reference) if reference else None
    with _lock:
        was = _described.get(reference) if reference else None
        if known and was == now:
            return
        _clock["now"] = next(_moves)
        if known and was is None and reference:
            _described[reference] = now
            for gone in [r for r, found in _described.items() if found and not found.columns]:
                del _described[gone]  # a view that perhaps lacked what is new
            return
        _described.clear()
        _schemas.clear()


def _describe(*reference: str) -> _Described | None:
    table, before = cast(Reference, reference), _clock["now"]
    with _lock:
        if table in _described:
            return _described[table]
    found = _look(*table)
    with _lock:
        if before == _clock["now"]:
            _described[table] = found
    return found


def _look(*reference: str) -> _Described | None:
    name = database.quote(*reference)
    try:
        rows = _slow_fetch('SELECT name, "notnull", type FROM pragma_table_info($1)', [name])
    except duckdb.Error:  # absent, or a view on what is gone
        found = _slow_objects(*reference)
        return _Described(found[0][1], ()) if found else None
    return _Described(_kind(name), tuple((column, not required, kind) for column, required, kind in rows))


def _kind(name: str) -> str:
    """Tell a table, whose rows have numbers, from a view."""
    try:
        _slow_fetch(f"SELECT rowid FROM {name} LIMIT 0")
    except duckdb.BinderException:
        return "VIEW"
    return "TABLE"


def _query(cur: Any, *args: Any, session: Any = None, **options: Any) -> Any:
    return _any_query(cur if session else _NewCursor(cur), *args, session=session, **options)


def _ran(cur: Any, tree: exp.Expression, context: Any, *rest: Any) -> Any:
    stays = isinstance(tree, query.DDL) and not _is_temporary(tree, context)
    try:
        return _run(cur, tree, context, *rest)
    finally:
        if stays:
            moved(_target(tree, context))
        _ended(tree, stays)


def _ended(tree: exp.Expression, stays: bool) -> None:
    """Ask again after the transaction of a table that was made in one: others see it from then on."""
    if isinstance(tree, exp.Commit) and getattr(_script, "made", False):
        moved()
    _script.made = stays or (getattr(_script, "made", False) and not isinstance(tree, exp.Commit))


def _is_temporary(tree: exp.Expression, context: Any) -> bool:
    table = tree.find(exp.Table)
    named = table is not None and not table.db and table.name.casefold() in context.temporary
    return named or tree.find(exp.TemporaryProperty) is not None


def _target(tree: exp.Expression, context: Any) -> Reference | None:
    """Return which table or view a statement makes, changes or drops; None where it is something else."""
    table = tree.find(exp.Table)
    if table is None or (tree.args.get("kind") or "").upper() not in ("TABLE", "VIEW"):
        return None
    reference = names.reference(table, context.project_id, context.dataset_id)
    return cast(Reference, reference) if all(reference) else None


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
        return f"unknown {next(_moves)}"  # equal to nothing
    stored = metadata.load(Table, project, dataset, table)
    written = (stored.type, stored.expirationTime, stored.requirePartitionFilter) if stored else None
    found = _describe(project, dataset, table)
    if found and not found.columns:  # a view on what is gone
        return f"unknown {next(_moves)}"
    return found, written, stored and repr(stored.timePartitioning)


def replace(old: Callable[..., Any], new: Callable[..., Any]) -> None:
    """Put ``new`` wherever a module of local-bigquery holds ``old``."""
    for name, module in list(sys.modules.items()):
        if name.startswith("local_bigquery."):
            for attribute in [a for a, value in vars(module).items() if value is old]:
                setattr(module, attribute, new)


def _objects(project: str, dataset: str | None, table: str | None = None) -> Rows:
    if table is not None and project == _RESULTS:
        return _result(str(dataset), table)
    if table is None or project not in database._attached:
        return _slow_objects(project, dataset, table)
    found = _describe(project, dataset, table) if dataset else None  # a temporary table lies in none
    if found is None:
        return []
    return [(table, found.kind, _rows(project, str(dataset), table) if found.kind == "TABLE" else 0)]


def _result(dataset: str, table: str) -> Rows:
    """Return a job's result table, which is never a view."""
    try:
        return [(table, "TABLE", _rows(_RESULTS, dataset, table))]
    except duckdb.CatalogException:
        return []


def _rows(*table: str) -> int:
    [(rows,)] = _slow_fetch(f"SELECT COUNT(*) FROM {database.quote(*table)}")
    return int(rows)


def _fetch(sql: str, params: list[Any] | None = None) -> Rows:
    if sql not in (_REQUIRED, _HAS_COLUMN) or not params:
        return _slow_fetch(sql, params)
    project, dataset, table, *column = params
    if sql == _REQUIRED and project == _RESULTS:
        return []  # A result is made by CREATE TABLE AS, which requires nothing.
    if project not in database._attached:
        return _slow_fetch(sql, params)
    found = _describe(project, dataset, table)
    if found is None or found.kind != "TABLE":
        return []
    if sql == _REQUIRED:
        return [(name,) for name, nulls, _ in found.columns if not nulls]
    return [(1,) for name, *_ in found.columns if [name] == column]


def _columns(project: str, dataset: str, table: str) -> list[Any]:
    if dataset == tables.RESULTS or project not in database._attached:
        return _slow_columns(project, dataset, table)
    reference, before = (project, dataset, table), _clock["now"]
    known = _schemas.get(reference)
    if known is None:
        known = _slow_columns(project, dataset, table)
        with _lock:
            if before == _clock["now"]:
                _schemas[reference] = known
    return list(known)
