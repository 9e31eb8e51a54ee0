"""Which definitions take of a dimension only what held on each day, as its view by day says it. Pure."""

from collections import Counter
from functools import lru_cache
from typing import Any

from functions.kpi.definition import Definition
from functions.kpi.graph import parse_sql

# dimension -> the view that says what it said on each day
BY_DAY = {"inventory_curated.products": "inventory_curated.products_by_day"}


def joined_by_day(definition: Definition, view: str) -> bool:
    """Whether a definition takes of a view only the row that held on a row's own ``business_date``.

    That is ``business_date BETWEEN v.valid_from AND v.valid_to``, written wherever the view is read.
    """
    return _joined(definition.name, definition.sql, definition.first_line, view)


@lru_cache(maxsize=1_000)  # drains ask for the same definitions again and again
def _joined(name: str, sql: str, first_line: int, view: str) -> bool:
    from sqlglot import exp

    tree = parse_sql(name, sql, first_line)
    aliases = [t.alias_or_name.lower() for t in tree.find_all(exp.Table) if f"{t.db}.{t.name}" == view]
    held = Counter(_held_on_own_day(between) for between in tree.find_all(exp.Between))
    return bool(aliases) and all(held[alias] == count for alias, count in Counter(aliases).items())


def _held_on_own_day(between: Any) -> str | None:
    """Return the alias of what is joined by day, None when this is another BETWEEN."""
    from sqlglot import exp

    day, low, high = between.this, between.args["low"], between.args["high"]
    if not all(isinstance(c, exp.Column) for c in (day, low, high)) or low.table != high.table:
        return None
    above = between.parent
    while isinstance(above, exp.And | exp.Paren):
        above = above.parent
    if not isinstance(above, exp.Join | exp.Where):  # NOT, OR, CASE: other days may be taken as well
        return None
    by_day = (day.name, low.name, high.name) == ("business_date", "valid_from", "valid_to")
    return str(low.table).lower() if by_day else None
