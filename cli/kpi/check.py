"""kpi check: what is wrong with a definition is known before it runs."""

import os
import shlex
from dataclasses import replace
from typing import Annotated, Any

import typer

from cli import target
from cli.googlesql.engine import installed
from cli.kpi.checked import Checked, checked
from cli.kpi.subject import Subject
from cli.kpi.workspace import Workspace, correction, open_workspace, project_folder
from cli.output import CommandError, console, errors, print_json, print_table
from cli.stack import Json
from functions.kpi.definition import Definition
from functions.kpi.state import read_spans


def check(
    wanted: Annotated[
        list[str] | None, typer.Argument(metavar="[FILE|NAME]...", help="Only these; all if left out.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check definitions before they run: header, SQL, columns, joins, worked examples; none of it needs a stack.

    A NAME is a definition of the project (or of where STOCKFLOW_DEFINITIONS_URI says); a FILE is checked with those.
    Definitions that read what is named must find what they need in it, as when it is published.

    Where Google's SQL analyzer is installed (PyPI zetasql), it reads them too, and says what BigQuery would.

    With a stack, or with --project, it also says how many bytes one computation of those named reads.

    Exit code 1 when one is wrong; each message names file, line, what is wrong and what was expected.

    Examples:

      stockflow kpi check

      stockflow kpi check days_of_supply

      stockflow kpi check my_kpis/units_per_store.sql --json
    """
    workspace = here(wanted or [])
    found = checked(workspace)
    if not installed():
        errors().print(
            "Google's SQL analyzer (PyPI zetasql) is not installed: BigQuery may still refuse what passes here"
        )
    if wanted:
        for fault in found.advice:
            errors().print(f"advice: {fault}", style="yellow", markup=False, soft_wrap=True)
    refuse(found, workspace)
    refuse_broken_readers(workspace)
    rows = [_row(number, d, workspace) for number, d in enumerate(found.ordered, 1)]
    rows = [r for r in rows if not wanted or r["kpi"] in workspace.wanted]
    sizes = _sizes(workspace, found) if wanted and target.reachable() else {}
    if as_json:
        print_json([{**row, "bytes": sizes.get(row["kpi"])} for row in rows])
        return
    print_table(rows, ["order", "kpi", "kind", "examples", "reads"])
    for name, size in sizes.items():
        from cli.kpi.cost import in_words

        console().print(f"{name}: {in_words(size)}", markup=False)


def _sizes(workspace: Workspace, found: Checked) -> dict[str, int]:
    """Return KPI -> bytes that one computation of all days reads, of the wanted ones that have facts."""
    from cli.kpi.cost import bytes_read

    services = target.services()
    spans = read_spans(services)
    sizes = {}
    for name in workspace.wanted:
        definition = workspace.definitions[name]
        if span := spans.get(definition.horizon):
            sizes[name] = bytes_read(Subject(definition, workspace, services, found.known), span)
    return sizes


def here(wanted: list[str]) -> Workspace:
    """Return the workspace of what the kpi function reads: STOCKFLOW_DEFINITIONS_URI, else the project's folder."""
    uri = os.environ.get("STOCKFLOW_DEFINITIONS_URI") or project_folder()
    return open_workspace(wanted, uri, target.services() if uri.startswith("gs://") else None)


def refuse(found: Checked, workspace: Workspace, ending: str = "") -> None:
    """Raise a CommandError with a line for each fault, if there is one, and how to correct them."""
    if found.errors:
        names = ", ".join(sorted(set(found.skipped)))
        skipped = [f"not checked, since they read what is wrong: {names}"] if names else []
        lines = {fault.file: fault.line for fault in reversed(found.errors)}
        ending = ending or correction(dict(reversed(lines.items())), workspace.places)
        raise CommandError("\n".join([*map(str, found.errors), *skipped, ending]))


def refuse_broken_readers(workspace: Workspace) -> None:
    """Refuse definitions that leave another one, which reads them, without what it reads."""
    wanted = set(workspace.wanted)
    readers = tuple(n for n in workspace.definitions if n not in wanted and wanted & workspace.behind([n]))
    if not readers:
        return
    names = ", ".join(workspace.wanted)
    files = [workspace.places.get(f"{name}.sql", f"{name}.sql") for name in workspace.wanted]
    shows = " and ".join(f"`stockflow kpi diff {shlex.quote(file)}`" for file in files)
    ending = f"they read {names}: keep what they need in {', '.join(files)}; {shows} shows both"
    refuse(checked(replace(workspace, wanted=readers), thorough=False), workspace, ending)


def _row(number: int, definition: Definition, workspace: Workspace) -> dict[str, Any]:
    return {
        "order": number, "kpi": definition.name, "kind": definition.kind, "examples": len(definition.examples),
        "reads": ", ".join(sorted(workspace.reads[definition.name])),
    }  # fmt: skip
