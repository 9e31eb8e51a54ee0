"""Everything that can be found out about definitions before they run."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cli.googlesql.engine import installed
from cli.kpi.fault import Fault, told, unknown_name, with_nearest
from cli.kpi.kept import beyond_what_is_kept
from cli.kpi.workspace import Workspace
from functions.kpi.columns import Columns, output_columns
from functions.kpi.definition import Definition
from functions.kpi.graph import in_order, tables_of
from stockflow.errors import PermanentError


@dataclass
class Checked:
    """What was found. ``skipped`` read what is at fault, so nothing can be said of them."""

    ordered: list[Definition] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    known: dict[str, Columns] = field(default_factory=dict)

    @property
    def errors(self) -> list[Fault]:
        """What must change."""
        return sorted(f for f in self.faults if f.is_error)

    @property
    def advice(self) -> list[Fault]:
        """What may be meant."""
        return sorted(f for f in self.faults if not f.is_error)


def checked(workspace: Workspace, thorough: bool = True) -> Checked:
    """Check the wanted definitions (all, if none is named) and what they read.

    ``thorough``: have Google's analyzer read them too, and run the examples of the wanted ones.
    """
    found = Checked(known=dict(workspace.sources))
    names = workspace.wanted or tuple(n.removesuffix(".sql") for n in workspace.texts)
    found.faults += [told(n, workspace.catalog.faults[n].message) for n in names if n in workspace.catalog.faults]
    behind = workspace.behind(names)
    try:
        found.ordered = in_order({n: workspace.definitions[n] for n in sorted(behind)}, workspace.reads)
    except PermanentError as error:
        circle = error.facts["circle"]
        found.faults.append(Fault(f"{circle[0]}.sql", 1, 0, error.message))
        return found
    _columns(found)
    if not thorough:
        return found
    _as_bigquery(found)
    for definition in found.ordered:
        if definition.name in names and definition.table in found.known:
            found.faults += _one(definition, workspace, found)
    return found


def _columns(found: Checked) -> None:
    """Derive each definition's columns from its SQL, in order; a column or table that nobody has is a fault."""
    for definition in found.ordered:
        read = tables_of(definition.name, definition.sql, definition.first_line)
        lost = sorted(read - found.known.keys())
        if any(f"inventory_kpi.{d.name}" in lost for d in found.ordered):
            found.skipped.append(definition.name)
            continue
        if nobody := [t for t in lost if not t.startswith(("inventory_raw.", "inventory_ops."))]:
            found.faults.append(_table_fault(definition, nobody[0], found.known))
            continue
        try:
            types = output_columns(definition.name, definition.sql, found.known, definition.first_line)
        except PermanentError as error:
            found.faults.append(_placed(definition, told(definition.name, error.message), _names(read, found)))
        else:
            found.known[definition.table] = types


def _names(read: Iterable[str], found: Checked) -> set[str]:
    return {column for table in read for column in found.known.get(table, ())}


def _table_fault(definition: Definition, table: str, known: Iterable[str]) -> Fault:
    fault = Fault(f"{definition.name}.sql", definition.first_line, 0, f"Table not found: {table}")
    return _placed(definition, fault, (), known, table)


def _placed(
    definition: Definition, fault: Fault, columns: Iterable[str], known: Iterable[str] = (), name: str | None = None
) -> Fault:
    """Return a fault on the line where the name that it does not find stands, with the nearest known one."""
    wanted = name or unknown_name(fault.message)
    line, column = fault.line, fault.column
    if wanted:
        for number, text in enumerate(definition.sql.splitlines()):
            if (at := text.find(wanted)) >= 0:
                line, column = definition.first_line + number, at + 1
                break
    return Fault(fault.file, line, column, with_nearest(fault.message, columns, known))


def _as_bigquery(found: Checked) -> None:
    """Have Google's analyzer read the definitions whose columns are known (the others would be told twice)."""
    if not installed():
        return
    from cli.googlesql.definitions import check

    sound = [d for d in found.ordered if d.table in found.known]
    answer = check(sound)
    named = {d.name: tables_of(d.name, d.sql, d.first_line) for d in sound}
    for line in answer.faults:
        fault = told(line.partition(".sql:")[0], line)
        words = with_nearest(fault.message, _names(named[fault.file.removesuffix(".sql")], found), found.known)
        found.faults.append(Fault(fault.file, fault.line, fault.column, words))
    found.skipped += answer.skipped


def _one(definition: Definition, workspace: Workspace, found: Checked) -> Iterator[Fault]:
    from cli.kpi.examples import example_faults
    from cli.kpi.hazards import hazards

    yield from hazards(definition, found.known, workspace.dated_views)
    text = workspace.texts[f"{definition.name}.sql"]
    yield from beyond_what_is_kept(definition, text, workspace.views)
    yield from example_faults(definition, text, found.known, workspace.views)
    if not definition.examples:
        words = "has no worked example: add `examples` with rows that are given and rows that are expected"
        yield Fault(f"{definition.name}.sql", 1, 0, words, False)
