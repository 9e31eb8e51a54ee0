"""Where a column comes from, step by step, down to the columns that files state. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cli.kpi.workspace import Workspace
from functions.kpi.columns import Columns
from functions.kpi.graph import sql_lineage


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


@dataclass
class Tracer:
    """Follows columns through definitions and views; each column is traced once."""

    workspace: Workspace
    known: Mapping[str, Columns]
    seen: dict[str, Origin] = field(default_factory=dict)

    def trace(self, column: str) -> Origin:
        """Return where ``dataset.table.column`` comes from."""
        if column not in self.seen:
            table, _, name = column.rpartition(".")
            text = self._sql(table)
            self.seen[column] = Origin(column)
            if text is not None:
                inputs = sql_lineage(text, name, self.known)
                self.seen[column] = Origin(column, tuple(self.trace(i) for i in inputs if i != column))
        return self.seen[column]

    def _sql(self, table: str) -> str | None:
        if table in self.workspace.views:
            return self.workspace.views[table]
        dataset, _, name = table.partition(".")
        found = self.workspace.definitions.get(name) if dataset == "inventory_kpi" else None
        return found.sql if found else None
