"""What the SQL says by itself: tables read, order, lineage. Pure."""

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.lineage import lineage

from functions.kpi.definition import Definition
from stockflow.errors import PermanentError


def parse_sql(name: str, sql: str) -> Any:
    """Return the syntax tree of one SELECT.

    Raises:
        PermanentError: ``bad_definition`` with line and column of what cannot be read.
    """
    try:
        statements = sqlglot.parse(sql, read="bigquery")
    except SqlglotError as error:
        first = (getattr(error, "errors", None) or [{}])[0]
        where = f"line {first.get('line', '?')}, column {first.get('col', '?')} below the header"
        raise PermanentError("bad_definition", f"{name}.sql: {where}: {first.get('description', error)}") from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise PermanentError("bad_definition", f"{name}.sql: expected one SELECT, found {len(statements)} statements")
    return statements[0]


def tables(tree: Any) -> set[str]:
    """Return the ``dataset.table`` names that a query reads."""
    return {f"{t.db}.{t.name}" for t in tree.find_all(exp.Table) if t.db}


def reads(definitions: Mapping[str, Definition], views: Mapping[str, str]) -> dict[str, set[str]]:
    """Return definition -> the tables that it reads, views resolved to theirs."""
    behind: dict[str, set[str]] = {}

    def resolve(table: str, seen: frozenset[str]) -> set[str]:
        if table not in views or table in seen:
            return {table}
        if table not in behind:
            inner = tables(parse_sql(table, views[table]))
            behind[table] = set().union(*(resolve(t, seen | {table}) for t in inner))
        return behind[table]

    return {
        name: set().union(set(), *(resolve(t, frozenset()) for t in tables(parse_sql(name, d.sql))))
        for name, d in definitions.items()
    }


def in_order(definitions: Mapping[str, Definition], read: Mapping[str, set[str]]) -> list[Definition]:
    """Return the definitions, each after those whose tables it reads.

    Raises:
        PermanentError: ``bad_definition`` naming a circle.
    """
    by_table = {d.table: name for name, d in definitions.items()}
    before = {name: {by_table[t] for t in read[name] if t in by_table} for name in sorted(definitions)}
    try:
        return [definitions[n] for n in TopologicalSorter(before).static_order()]
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise PermanentError("bad_definition", f"these definitions read each other in a circle: {circle}") from error


def column_lineage(definition: Definition, column: str) -> list[str]:
    """Return the ``dataset.table.column`` names that one output column comes from, sorted."""
    node = lineage(column, definition.sql, dialect="bigquery")
    found = set()
    for leaf in node.walk():
        if isinstance(leaf.expression, exp.Table) and leaf.expression.db:
            source = f"{leaf.expression.db}.{leaf.expression.name}"
            found.add(f"{source}.{leaf.name.rsplit('.', 1)[-1]}")
    return sorted(found)


def dated(name: str, sql: str, dated_tables: Iterable[str], lookback_days: int) -> str:
    """Return the query with its dated inputs cut to ``[@from_date - lookback, @to_date]``.

    Each ``FROM t AS a`` of a dated table becomes ``FROM (SELECT * FROM t WHERE business_date BETWEEN ...) AS a``,
    so that BigQuery reads the partitions that matter only.
    """
    wanted = set(dated_tables)
    tree = parse_sql(name, sql).copy()
    window = f"business_date BETWEEN DATE_SUB(@from_date, INTERVAL {lookback_days} DAY) AND @to_date"
    for table in list(tree.find_all(exp.Table)):
        full = f"{table.db}.{table.name}"
        if full in wanted:
            inner = sqlglot.parse_one(f"SELECT * FROM {full} WHERE {window}", read="bigquery")
            table.replace(exp.Subquery(this=inner, alias=exp.TableAlias(this=exp.to_identifier(table.alias_or_name))))
    text: str = tree.sql(dialect="bigquery", pretty=True)
    return text
