"""Where a column comes from, step by step, down to the columns that files state."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cli.kpi.workspace import Workspace
from functions.kpi.cached import kept, parser
from functions.kpi.columns import Columns
from functions.kpi.graph import nested, tables_of


@dataclass(frozen=True)
class Origin:
    """A column (``dataset.table.column``) and what it is computed from; a column of a file has no inputs."""

    column: str
    inputs: tuple["Origin", ...] = ()

    def leaves(self) -> set[str]:
        """Return the columns at the ends."""
        return {self.column} if not self.inputs else set().union(*(i.leaves() for i in self.inputs))

    def tree(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {"column": self.column, "inputs": [i.tree() for i in self.inputs]}


def texts(workspace: Workspace) -> dict[str, str]:
    """Return ``dataset.table`` -> the SELECT behind it, of the views of curated rows and of every definition."""
    return {**workspace.views, **{d.table: d.sql for d in workspace.definitions.values()}}


def inputs(sql: str, known: Mapping[str, Columns]) -> dict[str, list[str]]:
    """Return output column -> the ``dataset.table.column`` names that it comes from, sorted, of one SELECT.

    All columns in one pass: a tenth of the time of one after another.
    """
    read = {table: known[table] for table in sorted(tables_of("", sql) & known.keys())} or dict(known)
    by = [(table, *types.items()) for table, types in read.items()]
    found: dict[str, list[str]] = kept(lambda: _inputs(sql, read), "inputs", sql, by, parser())
    return found


def _inputs(sql: str, known: Mapping[str, Columns]) -> dict[str, list[str]]:
    from sqlglot.lineage import lineage

    nodes = lineage(None, sql, nested(known), dialect="bigquery", trim_selects=False)
    return {name: _ends(node) for name, node in nodes.items()}


def _ends(node: Any) -> list[str]:
    from sqlglot import exp

    found = set()
    for leaf in node.walk():
        if isinstance(leaf.expression, exp.Table) and leaf.expression.db:
            found.add(f"{leaf.expression.db}.{leaf.expression.name}.{leaf.name.rsplit('.', 1)[-1]}")
    return sorted(found)


@dataclass
class Tracer:
    """Follows columns through the SELECTs of tables (``texts``); each SELECT is read once, each column traced once.

    ``known``: the columns of every table that they read.
    """

    texts: Mapping[str, str]
    known: Mapping[str, Columns]
    seen: dict[str, Origin] = field(default_factory=dict)
    read: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    def trace(self, column: str) -> Origin:
        """Return where ``dataset.table.column`` comes from."""
        if column not in self.seen:
            self.seen[column] = Origin(column)
            before = [self.trace(i) for i in self.inputs(column) if i != column]
            self.seen[column] = Origin(column, tuple(before))
        return self.seen[column]

    def inputs(self, column: str) -> list[str]:
        """Return the columns that one is computed from, in one step; none of a column that files state."""
        table, _, name = column.rpartition(".")
        if table not in self.texts:
            return []
        text = self.texts[table]
        if text not in self.read:
            self.read[text] = inputs(text, self.known)
        return self.read[text].get(name, [])
