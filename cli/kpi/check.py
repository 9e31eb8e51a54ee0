"""kpi check: what is wrong with a definition is known before it runs."""

import os
from typing import Annotated, Any

import typer

from cli import target
from cli.googlesql.engine import installed
from cli.kpi.checked import Checked, checked
from cli.kpi.workspace import Workspace, open_workspace, project_folder
from cli.output import CommandError, errors, print_json, print_table
from cli.stack import Json
from functions.kpi.definition import Definition


def check(
    wanted: Annotated[
        list[str] | None, typer.Argument(metavar="[FILE|NAME]...", help="Only these; all if left out.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check definitions without an environment: header, SQL, columns, joins, worked examples.

    A NAME is a definition of the project (or of where STOCKFLOW_DEFINITIONS_URI says); a FILE is checked with those.

    Where Google's SQL analyzer is installed (PyPI zetasql), it reads them too, and says what BigQuery would.

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
    refuse(found)
    rows = [_row(number, d, workspace) for number, d in enumerate(found.ordered, 1)]
    rows = [r for r in rows if not wanted or r["kpi"] in workspace.wanted]
    print_json(rows) if as_json else print_table(rows, ["order", "kpi", "kind", "examples", "reads"])


def here(wanted: list[str]) -> Workspace:
    """Return the workspace of what the kpi function reads: STOCKFLOW_DEFINITIONS_URI, else the project's folder."""
    uri = os.environ.get("STOCKFLOW_DEFINITIONS_URI") or project_folder()
    return open_workspace(wanted, uri, target.services() if uri.startswith("gs://") else None)


def refuse(found: Checked) -> None:
    """Raise a CommandError with a line for each fault, if there is one."""
    if found.errors:
        names = ", ".join(sorted(set(found.skipped)))
        skipped = [f"not checked, since they read what is wrong: {names}"] if names else []
        raise CommandError("\n".join([*map(str, found.errors), *skipped]))


def _row(number: int, definition: Definition, workspace: Workspace) -> dict[str, Any]:
    return {
        "order": number, "kpi": definition.name, "kind": definition.kind, "examples": len(definition.examples),
        "reads": ", ".join(sorted(workspace.reads[definition.name])),
    }  # fmt: skip
