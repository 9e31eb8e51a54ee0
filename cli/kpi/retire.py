"""kpi retire: a published definition is taken back, unless something reads it."""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from cli import target
from cli.kpi import reporting
from cli.kpi.publish import Note
from cli.kpi.published import Bucket
from cli.kpi.workspace import Workspace, open_workspace, project_folder
from cli.output import CommandError, console, errors, print_json
from cli.refresh import NoLoadError, ask
from cli.stack import Json
from functions.kpi.graph import parse_sql, tables
from functions.kpi.refresh import views_by_name


def retire(
    name: Annotated[str, typer.Argument(help="Name of the KPI or base model.")],
    note: Note = "",
    as_json: Json = False,
) -> None:
    """Take a published definition back: it is computed no more, and leaves lists, dashboard and reporting.

    Refused while another definition or a reporting view reads it. The kpi function leaves it out from its next call on.

    Its view in inventory_reporting is dropped; its table in inventory_kpi keeps its rows as of then.

    `stockflow kpi rollback` brings it back, with all its dates computed again.

    Examples:

      stockflow kpi retire sales_per_unit --note "replaced by gmroi"
    """
    services = target.services()
    bucket = Bucket(services)
    if bucket.live(name) is None:
        raise CommandError(
            f"{name} is not published: `stockflow kpi list` shows what is, `stockflow kpi history {name}` what was"
        )
    _refuse_read(open_workspace([name], services.settings.definitions_uri, services))
    reporting.drop(name, services)
    made = bucket.retire(name, note)
    with suppress(NoLoadError):  # the kpi function notes that the definition is gone, and its table out of date
        ask(services)
    if as_json:
        print_json({"kpi": name, "retired": made.at, "by": made.by, "table": f"inventory_kpi.{name}"})
    else:
        console().print(f"{name} is retired; inventory_kpi.{name} keeps its rows, and is computed no more")
        console().print(f"`stockflow kpi rollback {name}` brings it back")
    if Path(project_folder(), f"{name}.sql").is_file():
        errors().print(f"advice: {name}.sql is a file of the project: the next build publishes it unless it is removed")


def _refuse_read(workspace: Workspace) -> None:
    (name,) = workspace.wanted
    if found := sorted(set(readers(name, workspace)) - {name}):
        raise CommandError(
            f"{name} is read by {', '.join(found)}: retire those first, or publish them without it; "
            f"`stockflow kpi lineage {found[0]}` shows what it reads"
        )


def readers(name: str, workspace: Workspace) -> Iterator[str]:
    """Yield the definitions that read one, those that cannot be read but name it, and the project's reporting views."""
    table = f"inventory_kpi.{name}"
    for other, definition in workspace.definitions.items():
        if table in workspace.reads[other] or definition.header.get("quantity") == name:
            yield other
    for other in workspace.catalog.faults:
        if re.search(rf"\b{table}\b", workspace.texts[f"{other}.sql"]):
            yield other
    for view, sql in views_by_name("inventory_reporting").items():
        if table in tables(parse_sql(view, sql)):
            yield view
