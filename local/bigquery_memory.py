"""Keeps in memory what local-bigquery would ask its own database again with every statement.

Measured on the suite's stacks, local-bigquery 0.4.0 spent a third of its time to translate statements that it had
translated before, and more to read resources that had not changed. What is kept here is thrown away as soon as what it
depends on changes, so that the answers stay the same: a translation when one of its tables does, however often others
come and go; a resource when it is written.
"""

import itertools
import json
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from local_bigquery.catalog import metadata, row_access, tabledata
from local_bigquery.catalog import tables as catalog_tables
from local_bigquery.catalog.names import DML
from local_bigquery.engine import database
from local_bigquery.models import RowAccessPolicy, Table
from local_bigquery.sql import script
from local_bigquery.sql import translate as translation
from local_bigquery.sql.rules import tables as table_rules
from sqlglot import exp

from local import bigquery_lookups
from local.bigquery_lookups import Reference
from local.bigquery_translations import Translations

_MOST_TREES = 300
_MOST = 4000  # a day of the samples needs some hundred
# What these say depends on more than the catalogue: the caller, the moment, the rows of another system.
_NOT_KEPT = ("@@", "INFORMATION_SCHEMA", "__TABLES__", "SESSION_USER", "CURRENT_USER", "EXTERNAL_QUERY", "ML.")
_TEXT = "stockflow_text"
_PARAMETER = re.compile(r"@(\w+)")
_save_resource, _delete_resource = metadata.save, metadata.delete
_list_resources, _secured = metadata.list_, row_access.secured
_translate, _parse, _parse_script = translation.translate, translation.parse, script.parse_script
_write = catalog_tables.write
_deduplicate = tabledata._deduplicate
_lock, _inserting = threading.Lock(), threading.Lock()
_versions = itertools.count()
_resources: dict[Any, Any] = {"version": next(_versions)}  # by what was asked; the version moves with each write
_translations: "OrderedDict[Any, _Translation]" = OrderedDict()
_shapes: OrderedDict[Any, Any] = OrderedDict()
_store = Translations()
_trees: OrderedDict[Any, list[exp.Expression]] = OrderedDict()
_scripts: OrderedDict[Any, list[script.Statement]] = OrderedDict()


def install() -> None:
    """Put the functions that remember in the place of those that ask."""
    for old, new in (
        (_save_resource, _saved_resource),
        (_delete_resource, _deleted_resource),
        (_list_resources, _listed_resources),
        (_secured, _secured_tables),
        (_translate, _translated),
        (_parse, _parsed),
        (_parse_script, _parsed_script),
        (_write, _written),
        (_deduplicate, _deduplicated),
    ):
        bigquery_lookups.replace(old, new)


def _changed(model: Any, keys: tuple[str, ...]) -> None:
    """Forget what was asked of this resource, of what it lies in and of what lies in it."""
    with _lock:
        for asked in [a for a in _resources if isinstance(a, tuple) and _same_branch(a[1], keys)]:
            del _resources[asked]
        if model is RowAccessPolicy:
            _resources.pop("secured", None)
        _resources["version"] = next(_versions)


def _same_branch(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return all(a == b for a, b in zip(one, other, strict=False))


def _kept(memory: OrderedDict[Any, Any], key: Any) -> Any:
    """Return what is kept under a key, or None; what was asked for last is forgotten last."""
    with _lock:
        if key in memory:
            memory.move_to_end(key)
        return memory.get(key)


def _keep(memory: OrderedDict[Any, Any], key: Any, value: Any, most: int = _MOST) -> None:
    with _lock:
        memory[key] = value
        while len(memory) > most:
            memory.popitem(last=False)


def _saved_resource(resource: Any, *keys: str) -> Any:
    try:
        return _save_resource(resource, *keys)
    finally:
        _changed(type(resource), keys)


def _deleted_resource(model: Any, *keys: str) -> None:
    try:
        _delete_resource(model, *keys)
    finally:
        _changed(model, keys)


def _remembered(key: Any, ask: Any) -> Any:
    """Return what ``ask`` says, from memory if no resource was written since."""
    with _lock:
        if key in _resources:
            return _resources[key]
        before = _resources["version"]
    answer = ask()
    with _lock:
        if before == _resources["version"]:
            _resources[key] = answer
    return answer


def _listed_resources(model: Any, *keys: str) -> list[Any]:
    found = _remembered((model, keys), lambda: _list_resources(model, *keys))
    return [resource.model_copy() for resource in found]


def _secured_tables() -> frozenset[tuple[str, str, str]]:
    return cast(frozenset[tuple[str, str, str]], _remembered("secured", _secured))


def _deduplicated(table: str, rows: list[Any]) -> list[Any]:
    """Take streamed rows one call at a time: two calls that forget the same old row at once fail with a KeyError."""
    with _inserting:
        return cast(list[Any], _deduplicate(table, rows))


@dataclass(frozen=True)
class _Translation:
    """What a statement became, what that did to the context, and the tables that it was true of.

    A script's variables are temporary tables with a new name each time: the SQL has marks in their place.
    """

    sql: str
    used: frozenset[str]
    referenced: frozenset[Reference]
    temporary: frozenset[str]
    position: int
    tables: dict[Reference, str]

    def written(self) -> str:
        """Return it as text that ``read`` understands."""
        tables = [[*table, said] for table, said in self.tables.items()]
        names = [sorted(self.used), sorted(self.referenced), sorted(self.temporary)]
        return json.dumps([self.sql, *names, self.position, tables])

    @classmethod
    def read(cls, text: str) -> "_Translation":
        """Return what ``written`` wrote."""
        sql, used, referenced, temporary, position, tables = json.loads(text)
        references = frozenset(cast(Reference, tuple(table)) for table in referenced)
        signatures = {cast(Reference, tuple(table)): said for *table, said in tables}
        return cls(sql, frozenset(used), references, frozenset(temporary), position, signatures)


def _parsed(sql: str) -> list[exp.Expression]:
    """Parse a statement, or return its tree of before: who changes a tree of these kinds copies it first."""
    known: list[exp.Expression] | None = _kept(_trees, sql)
    if known is None:
        known = _parse(sql)
        if len(known) == 1 and (isinstance(known[0], exp.Query | DML) or known[0].find(exp.TemporaryProperty)):
            _keep(_trees, sql, known, _MOST_TREES)
    return list(known)


def _parsed_script(sql: str) -> list[script.Statement]:
    """Divide a script into statements, or return those of before: nobody changes them."""
    known: list[script.Statement] | None = _kept(_scripts, sql)
    if known is None:
        known = _parse_script(sql)
        _keep(_scripts, sql, known, _MOST_TREES)
    return known


def _translated(tree: exp.Expression, context: Any) -> tuple[str, dict[str, Any]]:
    """Translate a statement, or return what it became before, with the same effects on ``context``."""
    key = _statement_key(tree, context)
    if key is None:
        return cast(tuple[str, dict[str, Any]], _translate(tree, context))
    known = _kept(_translations, key) or _stored(key)
    if known is None or any(_signature(table) != said for table, said in known.tables.items()):
        return _first_translation(key, tree, context)
    context.used.clear()
    context.used |= known.used
    context.referenced |= known.referenced
    context.temporary |= known.temporary
    context.position = known.position
    sql = known.sql
    for name, table in context.variables.items():
        sql = sql.replace(_mark(name), _own_name(table))
    return sql, {name: context.values[name] for name in known.used}


def _stored(key: str) -> "_Translation | None":
    """Return what an emulator before this one made of a statement."""
    text = _store.find(key)
    known = _Translation.read(text) if text else None
    if known:
        _keep(_translations, key, known)
    return known


def _signature(table: Reference) -> str:
    return repr(bigquery_lookups.signature(*table))


def _mark(variable: str) -> str:
    return f"__variable of {variable}__"


def _own_name(table: str) -> str:
    return table.rpartition(".")[2].strip('"')


def _statement_key(tree: exp.Expression, context: Any) -> str | None:
    """Return all that a translation depends on, beside the tables; None if it cannot be kept."""
    if context.project_id not in database._attached or _secured_tables() or _is_made_once(tree):
        return None
    text = _text(tree)
    if text is None:
        return None
    return repr(
        (
            text,
            bool(tree.meta.get("table_function")),
            context.project_id,
            context.dataset_id,
            context.position,
            sorted(_asked(text, context.parameters).items()),
            sorted(_asked(text, context.values)),
            sorted(context.variables),
            sorted(context.temporary),
            sorted(context.functions.items()),
            sorted(context.settings.items()),
        )
    )


def _text(tree: exp.Expression) -> str | None:
    """Return a statement's text; None for one whose translation is not kept."""
    whose, text = tree.meta.get(_TEXT, (0, None))
    if whose != id(tree):  # a copy takes the note along, and may become another statement
        text = tree.sql(dialect="bigquery", comments=False)
        upper = text.upper()
        text = None if any(word in upper for word in _NOT_KEPT) else text
        tree.meta[_TEXT] = (id(tree), text)
    return cast(str | None, text)


def _asked(text: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that a statement names: its script's others do not change what it becomes."""
    if "?" in text:  # perhaps one that has a place and no name
        return dict(parameters)
    named = {name.casefold() for name in _PARAMETER.findall(text)}
    return {name: value for name, value in parameters.items() if name.casefold() in named}


def _is_made_once(tree: exp.Expression) -> bool:
    """Whether it makes a table or view that stays: the same statement hardly comes again."""
    return isinstance(tree, exp.Create) and not tree.find(exp.TemporaryProperty)


def _first_translation(key: str, tree: exp.Expression, context: Any) -> tuple[str, dict[str, Any]]:
    tables = _tables(tree, context)
    before = {table: _signature(table) for table in tables or ()}
    referenced, temporary = set(context.referenced), set(context.temporary)
    context.referenced.clear()
    try:
        sql, bound = _translate(tree, context)
        new = frozenset(context.referenced)
    finally:
        context.referenced |= referenced
    if tables is not None and new <= tables and all(_lasts(table, context.project_id) for table in tables):
        marked = sql
        for name, table in context.variables.items():
            marked = marked.replace(_own_name(table), _mark(name))
        added = frozenset(context.temporary - temporary)
        known = _Translation(marked, frozenset(context.used), new, added, context.position, before)
        _keep(_translations, key, known)
        _store.keep(key, known.written())
    return sql, bound


def _tables(tree: exp.Expression, context: Any) -> set[Reference] | None:
    """Return the tables that a statement names, as it names them; None when it names them by a pattern."""
    ctes = {cte.alias_or_name.casefold() for cte in tree.find_all(exp.CTE)}
    found = set()
    for table in tree.find_all(exp.Table):
        if "*" in table.name or "@" in table.name:
            return None
        if reference := table_rules.resolve(table, context, ctes):
            found.add(reference)
    return found


def _lasts(reference: Reference, project: str) -> bool:
    """Tell whether a table stays as it is until the catalogue says otherwise: not if it expires by itself."""
    if reference[0] != project or reference[1] == catalog_tables.RESULTS:
        return False
    stored = metadata.load(Table, *reference)
    return stored is None or not stored.expirationTime


@dataclass(frozen=True)
class _Shape:
    """What is asked of a query before it runs: the names and types of its columns."""

    columns: list[str]
    types: list[Any]


class _Cursor:
    """A cursor that knows the shape of the query it is about to write, so that DuckDB binds it once, not thrice."""

    def __init__(self, cursor: Any, query: str, shape: _Shape) -> None:
        self._cursor, self._query, self._shape = cursor, query, shape

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def sql(self, query: str, **options: Any) -> Any:
        return self._shape if query == self._query else self._cursor.sql(query, **options)


def _written(
    cur: Any, query: str, params: Any, reference: tuple[str, str, str], config: Any, *rest: Any, **more: Any
) -> Any:
    try:
        # What reads a script's temporary tables, or a file, is not in the catalogue.
        if not more.get("isolated") and "read_" not in query:
            cur = _Cursor(cur, query, _shape(cur, query, params))
        return _write(cur, query, params, reference, config, *rest, **more)
    finally:
        if reference[1] != catalog_tables.RESULTS:
            bigquery_lookups.moved(reference)


def _shape(cur: Any, query: str, params: Any) -> _Shape:
    """Return the shape of a query; from memory if the text is the same and no table changed."""
    kinds = frozenset((name, type(value)) for name, value in (params or {}).items())
    key = (query, kinds, bigquery_lookups.moves())
    known: _Shape | None = _kept(_shapes, key)
    if known is None:
        relation = cur.sql(query, params=params)
        known = _Shape(list(relation.columns), list(relation.types))
        _keep(_shapes, key, known)
    return known
