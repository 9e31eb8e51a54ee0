"""Which days a key of a dimension concerns that comes or goes, as a new SKU: those from its first fact on.

Where rows take of a dimension only the row of a key that they have themselves, no row has that key before its first
fact: such a day says the same with it and without it. Reads of another kind (a list of all products) concern all days.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from functions.kpi.by_day import BY_DAY
from functions.kpi.definition import Definition
from functions.kpi.graph import parse_sql, tables_of
from stockflow.contracts import Contract
from stockflow.services import Services

_CURATED = "inventory_curated"
Contracts = Mapping[str, Contract]


def first_fact(dimension: str, keys: Iterable[str], services: Services) -> date | None:
    """Return the first business date of which a fact names one of these keys of a dimension; None when none does.

    Asked when the KPIs are computed: a fact that is committed later says its own days, and finds the dimension there.
    """
    rows = services.warehouse.query(first_fact_sql(dimension, services.contracts), {"keys": sorted(keys)})
    found: date | None = rows[0]["first_day"]
    return found


def first_fact_sql(dimension: str, contracts: Contracts) -> str:
    """Return the query for ``first_fact``, with the parameter ``@keys``."""
    key = _contract(dimension, contracts).key[0]
    facts = " UNION ALL ".join(
        f"SELECT MIN({contract.business_date}) AS first_day FROM {_CURATED}.{feed} WHERE {key} IN UNNEST(@keys)"
        for feed, contract in sorted(contracts.items())
        if contract.business_date and key in _names(contract)
    )
    return f"SELECT MIN(first_day) AS first_day FROM ({facts})"


def key_of(dimension: str, contracts: Contracts) -> str | None:
    """Return the key that only facts and the dimension itself have; None where another dimension has it, too.

    A supplier stands in products: its rows may concern days without a fact that names it.
    """
    contract = _contract(dimension, contracts)
    others = (c for c in contracts.values() if c.feed != contract.feed and not c.business_date)
    if len(contract.key) != 1 or any(contract.key[0] in _names(other) for other in others):
        return None
    return contract.key[0]


def joined_by_key(definition: Definition, dimension: str, key: str, views: Mapping[str, str]) -> bool:
    """Whether a definition, with the views that it reads, takes of a dimension only the rows of keys that it has.

    That is ``[LEFT] JOIN dimension AS d ON d.key = fact.key``, wherever it or its view by day is read.
    """
    names = frozenset({dimension, BY_DAY.get(dimension, dimension)})
    todo, seen = [(definition.name, definition.sql, definition.first_line)], set(names)
    while todo:
        text = todo.pop()
        if not _joined(*text, names, key):
            return False
        inner = (tables_of(*text) & views.keys()) - seen
        seen |= inner
        todo += [(view, views[view], 1) for view in sorted(inner)]
    return True


@lru_cache(maxsize=1_000)  # drains ask for the same definitions again and again
def _joined(name: str, sql: str, first_line: int, dimension: frozenset[str], key: str) -> bool:
    from sqlglot import exp

    tree = parse_sql(name, sql, first_line)
    read = [t for t in tree.find_all(exp.Table) if f"{t.db}.{t.name}" in dimension]
    return not read or (all(_on_key(table, key) for table in read) and _keeps_its_meaning(tree, key))


def _on_key(table: Any, key: str) -> bool:
    """Whether a table is joined to rows that have its key under the same name."""
    from sqlglot import exp

    join = table.parent
    if not isinstance(join, exp.Join) or join.side not in ("", "LEFT") or join.kind not in ("", "INNER", "OUTER"):
        return False
    if key in {name.name.lower() for name in join.args.get("using") or []}:
        return True
    on, alias = join.args.get("on"), table.alias_or_name.lower()
    conditions = [c.unnest() for c in on.flatten()] if isinstance(on, exp.And) else [on]
    return any(_is_equal_key(c, alias, key) for c in conditions)


def _is_equal_key(condition: Any, alias: str, key: str) -> bool:
    from sqlglot import exp

    if not isinstance(condition, exp.EQ):
        return False
    sides = [condition.this, condition.expression]
    columns = [(c.name.lower(), c.table.lower()) for c in sides if isinstance(c, exp.Column)]
    return [name for name, _ in columns] == [key, key] and sum(table == alias for _, table in columns) == 1


def _keeps_its_meaning(tree: Any, key: str) -> bool:
    """Whether what is called like the key is the key, everywhere: no other column or value gets its name."""
    from sqlglot import exp

    named = [a.this for a in tree.find_all(exp.Alias) if a.alias.lower() == key]
    if any(key in {c.name.lower() for c in t.args.get("columns") or []} for t in tree.find_all(exp.TableAlias)):
        return False
    for union in tree.find_all(exp.SetOperation):
        names = [n.lower() for n in union.named_selects]
        if "*" in names:
            return False
        named += [union.right.unnest().selects[names.index(key)]] if key in names else []
    return all(_is_key(expression, key) for expression in named)


def _is_key(expression: Any, key: str) -> bool:
    from sqlglot import exp

    whole = (exp.Column, exp.Identifier, exp.Alias, exp.Paren, exp.Coalesce, exp.Max, exp.Min, exp.AnyValue)
    columns = list(expression.find_all(exp.Column))
    return all(isinstance(n, whole) for n in expression.walk()) and {c.name.lower() for c in columns} == {key}


def _contract(dimension: str, contracts: Contracts) -> Contract:
    return contracts[dimension.removeprefix(f"{_CURATED}.")]


def _names(contract: Contract) -> set[str]:
    return {column.name for column in contract.columns}
