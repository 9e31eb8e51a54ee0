"""What a name on the command line means: a KPI, a table, a column; else a file or a load. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from cli.lineage.model import Model
from cli.nearest import hint
from cli.output import CommandError

PREFIX = "inventory_"


@dataclass(frozen=True)
class Asked:
    """``kind`` is kpi, table or column; ``name`` the full one, with its dataset."""

    kind: str
    name: str

    @property
    def table(self) -> str:
        """The table it is, or is a column of."""
        return self.name.rpartition(".")[0] if self.kind == "column" else self.name


def asked(what: str, model: Model) -> Asked | None:
    """Return what a name means; None when no KPI, table or column has it: it may be a file or a load.

    Raises:
        CommandError: a column that its table does not have, with the nearest one.
    """
    if what in model.definitions:
        return Asked("kpi", model.definitions[what].table)
    if (table := _table(what, model)) is not None:
        return Asked("table", table)
    before, _, column = what.rpartition(".")
    table = _table(before, model) if before else None
    if table is None:
        return None
    if column in model.known[table]:
        return Asked("column", f"{table}.{column}")
    if _is_file(what):
        return None
    raise CommandError(f"{short(table)} has no column {column!r}{hint(column, model.known[table])}")


def _table(name: str, model: Model) -> str | None:
    """Return a table's full name: ``sales`` is the curated table of that feed, ``gmroi`` that of the KPI."""
    if name in model.definitions:
        return model.definitions[name].table
    full = f"{PREFIX}curated.{name}" if name in model.workspace.contracts else name
    full = full if full.startswith(PREFIX) else f"{PREFIX}{full}"
    return full if full in model.known else None


def _is_file(what: str) -> bool:
    return "/" in what


def short(name: str) -> str:
    """Return a name as people read it."""
    return name.removeprefix(PREFIX)


def unknown(what: str, model: Model, files: Iterable[str]) -> CommandError:
    """Return the error for a name that nothing has, with the nearest known ones."""
    known = {*model.definitions, *model.workspace.contracts, *map(short, model.known), *files}
    known |= {f"{short(t)}.{c}" for t, columns in model.known.items() for c in columns} if "." in what else set()
    return CommandError(
        f"no KPI, table, column, file or load is called {what!r}{hint(what, known)}",
        "`stockflow kpi list` and `stockflow loads` list what there is",
    )
