"""What the SQL says by itself: tables read, order, lineage.

The parser is imported where it is needed: what ``cached`` knows of a text needs none.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from typing import Any

from functions.kpi.cached import kept, parser
from functions.kpi.definition import Definition
from stockflow.errors import PermanentError

_WRITTEN = "<as written>"
KPI_COLUMNS = ("numerator", "denominator", "value", "reason_code", "coverage_pct")


def parse_sql(name: str, sql: str, first_line: int = 1) -> Any:
    """Return the syntax tree of one SELECT that begins on ``first_line`` of its file.

    Raises:
        PermanentError: ``bad_definition`` with line and column of what cannot be read.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        statements = sqlglot.parse(sql, read="bigquery")
    except SqlglotError as error:
        fault = (getattr(error, "errors", None) or [{}])[0]
        line = int(fault.get("line") or 1) + first_line - 1
        what = f"{fault.get('description') or error} near {fault.get('highlight') or '?'!r}"
        raise _bad(name, line, f"column {fault.get('col', '?')}: expected GoogleSQL, {what}") from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        found = ", ".join(s.key.upper() if s is not None else "nothing" for s in statements)
        raise _bad(name, first_line, f"expected one SELECT, found {found}")
    return statements[0]


def check(definition: Definition) -> None:
    """See that the SELECT gives the columns that its header and every KPI table promise.

    Raises:
        PermanentError: ``bad_definition`` naming the columns that are missing or named twice.
    """
    names = columns(definition)
    if "*" in names:
        return
    wanted = ("business_date", *definition.grain, *(KPI_COLUMNS if definition.kind == "kpi" else ()))
    if missing := [c for c in wanted if c not in names]:
        found = ", ".join(names)
        what = f"expected columns {', '.join(missing)} in the SELECT, found {found}"
        raise _bad(definition.name, definition.first_line, what)
    if twice := sorted({c for c in names if names.count(c) > 1}):
        raise _bad(definition.name, definition.first_line, f"the SELECT names {', '.join(twice)} twice")


def columns(definition: Definition) -> list[str]:
    """Return the names of the columns that a definition's SELECT gives; ``*`` where it does not say."""
    return list(_selects(definition.name, definition.sql, definition.first_line))


@lru_cache(maxsize=1_000)
def _selects(name: str, sql: str, first_line: int) -> tuple[str, ...]:
    return tuple(kept(lambda: parse_sql(name, sql, first_line).named_selects, "selects", sql, parser()))


@lru_cache(maxsize=1_000)
def tables_of(name: str, sql: str, first_line: int = 1) -> frozenset[str]:
    """Return the ``dataset.table`` names that the text of a query reads."""
    return frozenset(kept(lambda: sorted(tables(parse_sql(name, sql, first_line))), "tables", sql, parser()))


def tables(tree: Any) -> set[str]:
    """Return the ``dataset.table`` names that a query reads."""
    from sqlglot import exp

    return {f"{t.db}.{t.name}" for t in tree.find_all(exp.Table) if t.db}


def reads(definitions: Mapping[str, Definition], views: Mapping[str, str]) -> dict[str, set[str]]:
    """Return definition -> the tables that it reads, views resolved to theirs."""
    behind: dict[str, set[str]] = {}

    def resolve(table: str, seen: frozenset[str]) -> set[str]:
        if table not in views or table in seen:
            return {table}
        if table not in behind:
            inner = tables_of(table, views[table])
            behind[table] = set().union(*(resolve(t, seen | {table}) for t in inner))
        return behind[table]

    return {
        name: set().union(set(), *(resolve(t, frozenset()) for t in tables_of(name, d.sql, d.first_line)))
        for name, d in definitions.items()
    }


def column_reads(definition: Definition, views: Mapping[str, str]) -> dict[str, frozenset[str] | None]:
    """Return table -> the columns that a definition, or a view that it reads, may name of it; None: all of them.

    A name that does not say of which table it is counts for each of its SELECT: it may be too many, never too few.
    """
    found: dict[str, frozenset[str] | None] = {}
    todo = [(definition.name, definition.sql, definition.first_line)]
    seen = set()
    while todo:
        for table, names in _named(*todo.pop()).items():
            if table in views:
                todo += [(table, views[table], 1)] if table not in seen else []
                seen.add(table)
                continue
            known = found.get(table, frozenset())
            found[table] = None if names is None or known is None else known | names
    return found


@lru_cache(maxsize=1_000)
def _named(name: str, sql: str, first_line: int) -> dict[str, frozenset[str] | None]:
    """Return table -> the columns that one SQL text may name of it; None where it takes whole rows."""
    from sqlglot import exp

    tree = parse_sql(name, sql, first_line)
    columns = list(tree.find_all(exp.Column))
    names = {c.name.lower() for c in columns}
    rows = {c.table.lower() for c in columns if isinstance(c.this, exp.Star)}
    found: dict[str, frozenset[str] | None] = {}
    for table in (t for t in tree.find_all(exp.Table) if t.db):
        read, known = f"{table.db}.{table.name}", found.get(f"{table.db}.{table.name}", frozenset())
        every = known is None or _takes_rows(table, rows | names) or _takes_all(table)
        found[read] = None if every or known is None else known | _named_of(table)
    return found


def _named_of(table: Any) -> set[str]:
    """The columns that its SELECT, with what stands in it, names with its alias or without one."""
    from sqlglot import exp

    select, alias = table.find_ancestor(exp.Select), table.alias_or_name.lower()
    named = {c.name.lower() for c in select.find_all(exp.Column) if c.table.lower() in ("", alias)}
    return named | {i.name.lower() for join in select.find_all(exp.Join) for i in join.args.get("using") or []}


def _takes_rows(table: Any, names: set[str]) -> bool:
    """Whether ``t.*`` is written somewhere, or ``t`` like a value."""
    return table.alias_or_name.lower() in names


def _takes_all(table: Any) -> bool:
    """Whether the SELECT that reads it begins with a ``*`` of its own."""
    from sqlglot import exp

    select = table.find_ancestor(exp.Select)
    return select is None or any(isinstance(e, exp.Star) for e in select.expressions)


def in_order(definitions: Mapping[str, Definition], read: Mapping[str, set[str]]) -> list[Definition]:
    """Return the definitions, each after those whose tables it reads.

    Raises:
        PermanentError: ``bad_definition`` naming a circle; its fact ``circle`` lists the definitions in it.
    """
    return [definition for level in levels(definitions, read) for definition in level]


def levels(definitions: Mapping[str, Definition], read: Mapping[str, set[str]]) -> list[list[Definition]]:
    """Return the definitions in groups: those of a group read no table of their own or a later group.

    Raises:
        PermanentError: ``bad_definition``, as ``in_order`` does.
    """
    sorter = sorted_by_inputs(definitions, read)
    found = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        found.append([definitions[name] for name in ready])
        sorter.done(*ready)
    return found


def sorted_by_inputs(definitions: Mapping[str, Definition], read: Mapping[str, set[str]]) -> "TopologicalSorter[str]":
    """Return a prepared sorter of the definitions: each is ready when those are done whose tables it reads.

    Raises:
        PermanentError: ``bad_definition``, as ``in_order`` does.
    """
    by_table = {d.table: name for name, d in definitions.items()}
    sorter = TopologicalSorter({n: {by_table[t] for t in read[n] if t in by_table} for n in sorted(definitions)})
    try:
        sorter.prepare()
    except CycleError as error:
        circle = list(error.args[1])
        words = f"these definitions read each other in a circle: {' -> '.join(circle)}"
        raise PermanentError("bad_definition", words, circle=circle) from error
    return sorter


def chains(groups: Iterable[Iterable[Definition]], read: Mapping[str, set[str]]) -> dict[str, int]:
    """Return definition -> how many definitions stand behind it at most, one reading the other; see ``levels``."""
    behind: dict[str, int] = {}
    for group in reversed([list(g) for g in groups]):
        for definition in group:
            readers = [length for name, length in behind.items() if definition.table in read[name]]
            behind[definition.name] = max(readers, default=-1) + 1
    return behind


def column_lineage(
    definition: Definition, column: str, known: Mapping[str, Mapping[str, str]] | None = None
) -> list[str]:
    """Return the ``dataset.table.column`` names that one output column comes from, sorted.

    ``known`` (table -> column -> type, see ``columns.all_columns``) is needed for what a ``SELECT *`` gives.
    """
    return sql_lineage(definition.sql, column, known or {})


def sql_lineage(sql: str, column: str, known: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return the ``dataset.table.column`` names that one output column of a SELECT comes from, sorted."""
    by = sorted((table, *types.items()) for table, types in known.items())
    found: list[str] = kept(lambda: _sql_lineage(sql, column, known), "lineage", sql, column, by, parser())
    return found


def _sql_lineage(sql: str, column: str, known: Mapping[str, Mapping[str, str]]) -> list[str]:
    from sqlglot import exp
    from sqlglot.lineage import lineage

    node = lineage(column, sql, nested(known), dialect="bigquery")
    found = set()
    for leaf in node.walk():
        if isinstance(leaf.expression, exp.Table) and leaf.expression.db:
            source = f"{leaf.expression.db}.{leaf.expression.name}"
            found.add(f"{source}.{leaf.name.rsplit('.', 1)[-1]}")
    return sorted(found)


def nested(known: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, dict[str, str]]]:
    """Return dataset -> table -> column -> type, as sqlglot wants it."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for table, types in known.items():
        dataset, _, name = table.partition(".")
        found.setdefault(dataset, {})[name] = dict(types)
    return found


def dated(definition: Definition, dated_tables: Iterable[str]) -> str:
    """Return the query with its dated inputs cut to ``[@from_date - their look-back, @to_date]``.

    Each ``FROM t AS a`` of a dated table becomes ``FROM (SELECT * FROM t WHERE business_date BETWEEN ...) AS a``,
    so that BigQuery reads the partitions that matter only. All else stays as its author wrote it.
    """
    cut = {
        table: f"(SELECT * FROM {_WRITTEN} WHERE business_date BETWEEN "
        f"DATE_SUB(@from_date, INTERVAL {definition.lookback(table)} DAY) AND @to_date)"
        for table in dated_tables
    }
    return replaced(definition.name, definition.sql, cut)


def replaced(name: str, sql: str, others: Mapping[str, str]) -> str:
    """Return the query with other text in the place of tables (``dataset.table`` -> text); aliases stay, or are made.

    ``_WRITTEN`` in a text is the table as its author wrote it.
    """
    from sqlglot import exp

    found = [t for t in parse_sql(name, sql).find_all(exp.Table) if f"{t.db}.{t.name}" in others]
    for table in sorted(found, key=_start, reverse=True):
        start, end = _start(table), table.this.meta["end"] + 1
        alias = "" if table.alias else f" AS {table.name}"
        other = others[f"{table.db}.{table.name}"].replace(_WRITTEN, sql[start:end])
        sql = f"{sql[:start]}{other}{alias}{sql[end:]}"
    return sql


def _start(table: Any) -> int:
    parts = [table.args.get("catalog"), table.args.get("db"), table.this]
    return min(int(part.meta["start"]) for part in parts if part is not None)


def _bad(name: str, line: int, what: str) -> PermanentError:
    return PermanentError("bad_definition", f"{name}.sql:{line}: {what}", file=f"{name}.sql", line=line)
