"""KPI definitions as BigQuery reads them: each after those that it reads, faults in the file's own lines."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from cli.googlesql import rules
from cli.googlesql.catalogue import Catalogue, Fault, output
from cli.googlesql.engine import SqlFaultError
from cli.googlesql.project import project
from functions.kpi.definition import Definition


@dataclass
class Checked:
    """What was found: ``faults`` are lines as ``file:line:column: words``; ``skipped`` read what is at fault."""

    faults: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def check(definitions: Iterable[Definition]) -> Checked:
    """Return what BigQuery refuses of definitions, which come in the order of what they read."""
    found, catalogue, unknown = Checked(), project().catalogue, set[str]()
    for definition in definitions:
        if any(table in definition.sql for table in unknown):
            found.skipped.append(definition.name)
            unknown.add(definition.table)
            continue
        wrong, catalogue = _one(definition, catalogue)
        found.faults += [_told(definition, fault) for fault in wrong]
        if wrong:
            unknown.add(definition.table)
    return found


def _one(definition: Definition, catalogue: Catalogue) -> tuple[list[Fault], Catalogue]:
    known = catalogue.named_in(definition.sql)
    try:
        columns = output(definition.sql, known)
    except SqlFaultError as error:
        return [Fault(error.message, error.line, error.column)], catalogue
    return rules.broken(definition.sql), catalogue.also({definition.table: columns})


def _told(definition: Definition, fault: Fault) -> str:
    return f"{definition.name}.sql:{definition.first_line + fault.line - 1}:{fault.column}: {fault.message}"
