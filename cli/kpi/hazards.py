"""SQL that is valid and still costs too much, or gives other numbers in a replay. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify

from cli.googlesql.rules import one_row
from cli.kpi.fault import Fault
from functions.kpi.columns import Columns
from functions.kpi.definition import Definition
from functions.kpi.graph import nested, parse_sql

INTENDED = "every pair"
# Tables that BigQuery refuses to read without a filter on the day the file landed (terraform/warehouse.tf).
_FILTERED = {"inventory_raw": "_landed_on", "inventory_ops": "landed_on"}
_WITHOUT_DAYS = {"inventory_ops.kpi_runs"}
_CLOCK = (exp.CurrentDate, exp.CurrentTimestamp, exp.CurrentDatetime, exp.CurrentTime)


def hazards(definition: Definition, known: Mapping[str, Columns], views: Mapping[str, set[str]]) -> list[Fault]:
    """Return what to change in a SELECT that the analyzer accepts.

    ``views`` is view -> the dated tables that it reads: a run of some days cannot narrow those.
    """
    tree = parse_sql(definition.name, definition.sql, definition.first_line)
    try:
        named = qualify(tree.copy(), schema=nested(known), dialect="bigquery", validate_qualify_columns=False)
    except SqlglotError:
        named = tree
    found = [*_pairs(definition, named), *_clock(definition, tree), *_unfiltered(tree), *_windows(definition, tree)]
    advice = list(_through_views(tree, views))
    return [_fault(definition, line, words, True) for line, words in found] + [
        _fault(definition, line, words, False) for line, words in advice
    ]


def _fault(definition: Definition, line: int, words: str, is_error: bool) -> Fault:
    return Fault(f"{definition.name}.sql", definition.first_line + line - 1, 0, words, is_error)


def _line(node: Any) -> int:
    places = (n.meta.get("line") for n in node.find_all(exp.Identifier, exp.Column))
    return int(next((place for place in places if place), 1))


def _pairs(definition: Definition, tree: Any) -> Iterator[tuple[int, str]]:
    """A join without a condition between both sides gives every pair of rows."""
    lines = definition.sql.splitlines()
    for select in tree.find_all(exp.Select):
        origin = select.args.get("from_") or select.args.get("from")
        for number, join in enumerate(select.args.get("joins") or []):
            before = [origin.this, *(j.this for j in select.args["joins"][:number])] if origin else []
            if _is_linked(join, select) or one_row(join.this, select) or all(one_row(b, select) for b in before):
                continue
            line = _line(join)
            if not any(INTENDED in text for text in lines[max(line - 2, 0) : line]):
                yield (
                    line,
                    (
                        f"joins {join.this.alias_or_name} to every row: expected a condition between both sides, such "
                        f"as an equal sku (if every pair is meant, say `-- {INTENDED}` above the join)"
                    ),
                )


def _is_linked(join: Any, select: Any) -> bool:
    inner = join.this.this if isinstance(join.this, exp.Alias) else join.this
    if isinstance(inner, exp.Unnest | exp.Lateral) or join.args.get("using"):
        return True
    if isinstance(inner, exp.Table) and not isinstance(inner.this, exp.Identifier):
        return True  # a table function
    name = join.this.alias_or_name
    where = select.args.get("where")
    conditions = [c for c in (join.args.get("on"), where.this if where else None) if c is not None]
    parts = [p for c in conditions for p in (c.unnest().flatten() if isinstance(c.unnest(), exp.And) else [c])]
    return any(len(tables := {c.table for c in part.find_all(exp.Column)}) > 1 and name in tables for part in parts)


def _clock(definition: Definition, tree: Any) -> Iterator[tuple[int, str]]:
    for _ in tree.find_all(*_CLOCK):
        lines = enumerate(definition.sql.upper().splitlines(), 1)
        line = next((number for number, text in lines if "CURRENT_" in text), 1)
        yield line, "reads the clock, so that a replay gives other numbers: expected the days of inventory_kpi.calendar"
        return


def _unfiltered(tree: Any) -> Iterator[tuple[int, str]]:
    for table in tree.find_all(exp.Table):
        column, name = _FILTERED.get(table.db), f"{table.db}.{table.name}"
        if column is None or name in _WITHOUT_DAYS:
            continue
        select = table.find_ancestor(exp.Select)
        where = select.args.get("where") if select else None
        if where is None or column not in {c.name for c in where.find_all(exp.Column)}:
            yield _line(table), f"reads all of {name}, which BigQuery refuses: expected a filter on {column}"


def _windows(definition: Definition, tree: Any) -> Iterator[tuple[int, str]]:
    for spec in tree.find_all(exp.WindowSpec):
        start = spec.args.get("start")
        if spec.args.get("kind") == "RANGE" and isinstance(start, exp.Literal) and not start.is_string:
            window = spec.find_ancestor(exp.Window)
            by_day = window is not None and any(c.name == "business_date" for c in window.find_all(exp.Column))
            if by_day and int(start.name) > definition.lookback_days:
                yield (
                    _line(window),
                    (
                        f"a window reaches {start.name} days back, lookback_days is {definition.lookback_days}: "
                        f"expected at least {start.name}, or days are missing when a late row is computed"
                    ),
                )


def _through_views(tree: Any, views: Mapping[str, set[str]]) -> Iterator[tuple[int, str]]:
    for table in tree.find_all(exp.Table):
        behind = views.get(f"{table.db}.{table.name}")
        if behind:
            yield (
                _line(table),
                (
                    f"reads every day of {', '.join(sorted(behind))} through the view {table.db}.{table.name}, also "
                    "when one day changes; a table that is named itself is read for the days needed only"
                ),
            )
