"""The columns that each definition gives, with their types, derived from its SQL."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from functions.kpi.cached import kept, parser
from functions.kpi.definition import Definition
from functions.kpi.graph import in_order, nested, parse_sql, reads, tables_of
from stockflow.contracts import Contract
from stockflow.errors import PermanentError
from stockflow.schema import curated_schema, history_schema

Columns = dict[str, str]
_NAMES = {"DOUBLE": "FLOAT64", "BIGINT": "INT64", "INT": "INT64", "TEXT": "STRING", "VARCHAR": "STRING",
          "DECIMAL": "NUMERIC", "BOOLEAN": "BOOL", "TIMESTAMPTZ": "TIMESTAMP"}  # fmt: skip


def curated_columns(contracts: Mapping[str, Contract]) -> dict[str, Columns]:
    """Return ``inventory_curated.<feed>`` (and ``<feed>_history``) -> column -> type, from the contracts."""
    return {
        f"inventory_curated.{feed}{ending}": {c["name"]: c["type"] for c in schema(contract)}
        for feed, contract in contracts.items()
        for ending, schema in (("", curated_schema), ("_history", history_schema))
    }


def all_columns(
    definitions: Mapping[str, Definition], views: Mapping[str, str], curated: Mapping[str, Columns]
) -> dict[str, Columns]:
    """Return table -> column -> type of the curated tables, of the views on them and of every definition.

    Raises:
        PermanentError: ``bad_definition`` naming what a definition reads and nobody has.
    """
    known = dict(curated)
    for name in _views_in_order(views):
        known[name] = output_columns(name, views[name], known)
    for definition in in_order(definitions, reads(definitions, views)):
        known[definition.table] = output_columns(definition.name, definition.sql, known, definition.first_line)
    return known


def output_columns(name: str, sql: str, known: Mapping[str, Columns], first_line: int = 1) -> Columns:
    """Return column -> type of one SELECT over known tables."""
    read = sorted(tables_of(name, sql, first_line) & known.keys())  # the others decide nothing
    return dict(
        _output_columns(name, sql, tuple((table, *known[table].items()) for table in read or known), first_line)
    )


@lru_cache(256)  # commands and drains ask for the same definitions again and again
def _output_columns(name: str, sql: str, known: tuple[Any, ...], first_line: int) -> Columns:
    found: Columns = kept(lambda: _qualified(name, sql, known, first_line), "columns", sql, known, parser())
    return found


def _qualified(name: str, sql: str, known: tuple[Any, ...], first_line: int) -> Columns:
    from sqlglot.errors import SqlglotError
    from sqlglot.optimizer.annotate_types import annotate_types
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.schema import MappingSchema

    tree = parse_sql(name, sql, first_line).transform(_without_nulls_clause)
    try:
        schema = MappingSchema(nested({table: dict(columns) for table, *columns in known}), dialect="bigquery")
        whole = qualify(tree, schema=schema, dialect="bigquery")
        typed = annotate_types(whole, schema=schema, dialect="bigquery")
    except SqlglotError as error:
        words = str(error).partition("\n")[0]
        raise PermanentError("bad_definition", f"{name}.sql:{first_line}: {words}", file=f"{name}.sql") from error
    return {column.alias_or_name: _type(column.type) for column in typed.selects}


def _views_in_order(views: Mapping[str, str]) -> list[str]:
    return sorted(views, key=lambda name: sum(other in views[name] for other in views))


def _without_nulls_clause(node: Any) -> Any:
    """IGNORE NULLS changes no type, and hides it from the annotator."""
    from sqlglot import exp

    return node.this if isinstance(node, exp.IgnoreNulls | exp.RespectNulls) else node


def _type(found: Any) -> str:
    from sqlglot import exp

    name = found.this.name if isinstance(found, exp.DataType) else "UNKNOWN"
    return _NAMES.get(name, name)
