"""Worked examples of a header: the SELECT on the given rows, and what differs from the expected ones. Pure."""

import difflib
import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlglot import exp, parse_one

from functions.kpi.columns import Columns
from functions.kpi.contract_params import text_literal, without_calendars
from functions.kpi.definition import Definition
from functions.kpi.graph import parse_sql
from stockflow.errors import PermanentError

Rows = Sequence[Mapping[str, Any]]


def example_sql(
    definition: Definition, given: Mapping[str, Rows], known: Mapping[str, Columns], views: Mapping[str, str]
) -> str:
    """Return the definition's SELECT with each table replaced by the given rows (a table not given is empty).

    Raises:
        PermanentError: ``bad_definition`` when a row names a column that its table does not have.
    """
    sql = without_calendars(definition.sql)
    tree = _filled(definition, parse_sql(definition.name, sql, definition.first_line), given, known, views)
    text: str = tree.sql(dialect="bigquery")
    return text


def _filled(
    definition: Definition, tree: Any, given: Mapping[str, Rows], known: Mapping[str, Columns], views: Mapping[str, str]
) -> Any:
    for table in [t for t in tree.find_all(exp.Table) if t.db]:
        name = f"{table.db}.{table.name}"
        if name in views:
            inner = _filled(definition, parse_sql(name, views[name]), given, known, views)
        else:
            inner = parse_one(_literal(definition, name, given.get(name, ()), known), read="bigquery")
        alias = exp.TableAlias(this=exp.to_identifier(table.alias_or_name))
        table.replace(exp.Subquery(this=inner, alias=alias))
    return tree


def _literal(definition: Definition, table: str, rows: Rows, known: Mapping[str, Columns]) -> str:
    if table not in known:
        raise _bad(definition, f"reads {table}, which no contract, view or definition gives")
    types = known[table]
    for row in rows:
        if extra := sorted(row.keys() - types.keys()):
            close = difflib.get_close_matches(extra[0], types, 1)
            hint = f"did you mean {close[0]}?" if close else f"it has {', '.join(types)}"
            raise _bad(definition, f"an example gives {table} {', '.join(extra)}, which it does not have; {hint}")
    selects = [
        "SELECT " + ", ".join(f"CAST({_value(row.get(c))} AS {t}) AS `{c}`" for c, t in types.items())
        for row in rows or [{}]
    ]
    text = "\nUNION ALL\n".join(selects)
    return text if rows else f"{text} FROM UNNEST(GENERATE_ARRAY(1, 0)) AS nothing"


def _value(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str | date):
        return text_literal(str(value))
    return str(value).upper() if isinstance(value, bool) else repr(value)


def differences(definition: Definition, expected: Rows, found: Rows) -> list[str]:
    """Return what is wrong with the rows found, one line for each; nothing when all are as expected."""
    return [words for _, words in compared(definition, expected, found)]


def compared(definition: Definition, expected: Rows, found: Rows) -> list[tuple[int | None, str]]:
    """Return what is wrong with the rows found, each with the number (from 0) of the expected row, if it is one's.

    An expected row names as much of the key (date and grain) as tells it from the others.
    """
    lines: list[tuple[int | None, str]] = []
    left = list(found)
    for number, row in enumerate(expected):
        key = {k: row[k] for k in ("business_date", *definition.grain) if k in row}
        match = next((other for other in left if all(other[k] == v for k, v in key.items())), None)
        if match is None:
            lines.append((number, f"{_words(key)}: expected, not found"))
            continue
        left.remove(match)
        wrong = [c for c, value in row.items() if not same(match.get(c), value)]
        lines += [(number, f"{_words(key)}: {c} is {match.get(c)}, expected {row[c]}") for c in wrong]
    return lines + [(None, f"{_words(row)}: found, not expected") for row in left]


def _words(row: Mapping[str, Any]) -> str:
    return " ".join(str(v) for v in list(row.values())[:3])


def same(found: Any, expected: Any) -> bool:
    """Whether a cell is as expected; numbers may differ in the seventh digit."""
    if found is None or expected is None or isinstance(expected, str | date | bool):
        return bool(found == expected)
    return math.isclose(float(found), float(expected), rel_tol=1e-6, abs_tol=1e-6)


def _bad(definition: Definition, what: str) -> PermanentError:
    words = f"{definition.name}.sql:{definition.first_line}: {what}"
    return PermanentError("bad_definition", words, line=definition.first_line, what=what)
