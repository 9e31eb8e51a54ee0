"""A KPI as it was known at a time: one SELECT over the history of the curated tables. Pure."""

from collections.abc import Mapping
from graphlib import TopologicalSorter

from cli.kpi.workspace import Workspace
from functions.kpi.definition import Definition
from functions.kpi.graph import parse_sql, replaced, tables
from stockflow.contracts import Contract

# The newest statement of each key, of the loads in @known_loads: what the curated table held then.
_THEN = """
SELECT * EXCEPT (_statement)
FROM (
  SELECT
    history.* EXCEPT (_replaced_by),
    ROW_NUMBER() OVER (PARTITION BY {keys} ORDER BY _business_time DESC, _generation DESC, _line DESC) AS _statement
  FROM inventory_curated.{feed}_history AS history
  WHERE history._load_id IN UNNEST(@known_loads)
    AND (history._replaced_by IS NULL OR history._replaced_by NOT IN UNNEST(@known_loads))
) AS statements
WHERE _statement = 1
"""
# That, and the rows of today whose key was not known then: they came late.
_AND_LATE = """
SELECT {columns} FROM {then} AS before
UNION ALL
SELECT {now_columns}
FROM inventory_curated.{feed} AS now
LEFT JOIN {then} AS before ON {same_key}
WHERE before.{key} IS NULL
"""
_VALUE = """
{chain}
SELECT {grain}, numerator, denominator, value
FROM {last} AS computed
WHERE business_date = @day AND value IS NOT NULL
"""


def as_known(definition: Definition, workspace: Workspace, with_late: bool) -> str:
    """Return the query for the cells of ``@day`` as they were known with ``@known_loads``.

    ``with_late`` adds what came later about keys that nobody knew then; corrections stay out.
    """
    texts = _texts(definition, workspace, with_late)
    order = TopologicalSorter(
        {name: (tables(parse_sql(name, sql)) & texts.keys()) - {name} for name, sql in texts.items()}
    )
    parts = []
    for name in order.static_order():
        parts.append(f"{_short(name)} AS (\n{_renamed(name, texts[name], texts)}\n)")
    grain = ", ".join(definition.grain) or "business_date"
    return _VALUE.format(chain="WITH " + ",\n".join(parts), grain=grain, last=_short(definition.table))


def _texts(definition: Definition, workspace: Workspace, with_late: bool) -> dict[str, str]:
    """Return every table behind a definition -> its SELECT."""
    found: dict[str, str] = {}
    left = [definition.table]
    while left:
        name = left.pop()
        if name in found:
            continue
        made = _text(name, definition, workspace, with_late)
        for table, sql in made.items():
            found[table] = sql
            left += [t for t in tables(parse_sql(table, sql)) if t not in found]
    return {name: sql for name, sql in found.items() if sql}


def _text(name: str, definition: Definition, workspace: Workspace, with_late: bool) -> Mapping[str, str]:
    dataset, _, plain = name.partition(".")
    if name == definition.table:
        return {name: definition.sql}
    if name in workspace.views:
        return {name: workspace.views[name]}
    if dataset == "inventory_kpi" and plain in workspace.definitions:
        return {name: workspace.definitions[plain].sql}
    if dataset == "inventory_curated" and plain in workspace.contracts:
        return _curated(name, workspace.contracts[plain], workspace, with_late)
    if dataset == "inventory_curated" and plain.removesuffix("_history") in workspace.contracts:
        return {name: f"SELECT * FROM {name} WHERE _load_id IN UNNEST(@known_loads)"}
    return {}


def _curated(name: str, contract: Contract, workspace: Workspace, with_late: bool) -> dict[str, str]:
    keys = contract.key
    then = _THEN.format(keys=", ".join(keys), feed=contract.feed)
    if not with_late:
        return {name: then}
    columns = list(workspace.sources[name])
    late = _AND_LATE.format(
        columns=", ".join(f"before.{c}" for c in columns),
        now_columns=", ".join(f"now.{c}" for c in columns),
        then=_then(name), feed=contract.feed, key=keys[0],
        same_key=" AND ".join(f"before.{k} = now.{k}" for k in keys),
    )  # fmt: skip
    return {_then(name): then, name: late}


def _then(name: str) -> str:
    return f"{name}_then"


def _short(name: str) -> str:
    return "known_" + name.replace(".", "_").removeprefix("inventory_")


def _renamed(name: str, sql: str, texts: Mapping[str, str]) -> str:
    """Return a SELECT that reads the others by their short names; a curated table reads its own rows as they are."""
    own = {name, f"{name.removesuffix('_then')}_history"}
    return replaced(name, sql, {t: _short(t) for t in texts if t not in own})
