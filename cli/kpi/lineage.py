"""kpi lineage: where a KPI's numbers come from, down to the columns of files."""

from typing import Annotated, Any

import typer
from rich.tree import Tree

from cli import target
from cli.kpi.check import here, refuse
from cli.kpi.checked import checked
from cli.kpi.sources import Origin, Tracer, texts
from cli.kpi.workspace import Workspace, is_file, open_workspace
from cli.nearest import nearest
from cli.output import CommandError, console, print_json
from cli.stack import Json


def lineage(
    given: Annotated[str, typer.Argument(metavar="FILE|NAME", help="A definition's file, or the name of a KPI.")],
    column: Annotated[str, typer.Option(help="The column to follow.")] = "value",
    as_json: Json = False,
) -> None:
    """Show where a column of a KPI comes from: definitions, views, and the columns of the files at the end.

    Taken from the SQL; nothing runs. A name is looked for in the project's definitions, then in the published ones.

    Examples:

      stockflow kpi lineage days_of_supply

      stockflow kpi lineage gmroi --column coverage_pct --json
    """
    origin, sources = traced(_workspace(given), column)
    if as_json:
        print_json({"kpi": origin.column.split(".")[1], "column": column, "sources": sources, "tree": origin.tree()})
        return
    console().print(_drawn(origin, Tree(_plain(origin.column)), set()))
    console().print("\n[bold]Columns of files[/]")
    for source in sources:
        console().print(f"  {_plain(source['column'])}  {source['description']}", markup=False)


def _workspace(given: str) -> Workspace:
    """Return the definitions in which one was found: the project's, or those that were published."""
    try:
        return here([given])
    except CommandError:
        if is_file(given) or not target.reachable():
            raise
    services = target.services()
    return open_workspace([given], services.settings.definitions_uri, services)


def traced(workspace: Workspace, column: str) -> tuple[Origin, list[dict[str, Any]]]:
    """Return where a column of the wanted definition comes from, and the columns of files at the ends.

    Raises:
        CommandError: each fault of the definition, or the columns that there are.
    """
    found = checked(workspace, thorough=False)
    refuse(found, workspace)
    name, table = workspace.one().name, workspace.one().table
    if column not in found.known[table]:
        near = nearest(column, found.known[table]) or "value"
        raise CommandError(
            f"{table} has no column {column!r}: expected one of {', '.join(found.known[table])}; "
            f"`stockflow kpi lineage {name} --column {near}`"
        )
    origin = Tracer(texts(workspace), found.known).trace(f"{table}.{column}")
    return origin, [_source(name, workspace) for name in sorted(origin.leaves())]


def _drawn(origin: Origin, tree: Tree, seen: set[str]) -> Tree:
    """Draw what a column comes from; what was drawn above is named only."""
    for inner in origin.inputs:
        again = inner.column in seen and bool(inner.inputs)
        branch = tree.add(_plain(inner.column) + (" (see above)" if again else ""))
        if not again:
            seen.add(inner.column)
            _drawn(inner, branch, seen)
    return tree


def _plain(column: str) -> str:
    return column.removeprefix("inventory_")


def _source(column: str, workspace: Workspace) -> dict[str, Any]:
    table, _, name = column.rpartition(".")
    feed = table.partition(".")[2].removesuffix("_history")
    stated = workspace.contracts[feed].columns if feed in workspace.contracts else ()
    description = next(
        (c.description for c in stated if c.name == name), "" if stated else "Rows are counted, or it is fixed."
    )
    return {"column": column, "feed": feed if stated else None, "description": description}
