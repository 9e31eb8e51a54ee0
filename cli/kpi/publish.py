"""kpi publish, retire, history and rollback: used from the next call on, without a deployment."""

from dataclasses import replace
from typing import Annotated, Any

import typer

from cli import target
from cli.kpi import reporting
from cli.kpi.check import refuse, refuse_broken_readers
from cli.kpi.checked import checked
from cli.kpi.published import Bucket, Publication
from cli.kpi.workspace import Workspace, is_file, open_workspace
from cli.output import CommandError, console, print_json, print_table
from cli.refresh import NoLoadError, compute
from cli.stack import Json
from functions.kpi.definition import Definition
from stockflow.services import Services

_COMPUTED = """
SELECT definition_version, MIN(finished_at) AS first_computed, MAX(finished_at) AS last_computed
FROM inventory_ops.kpi_runs
WHERE kpi = @kpi AND state = 'computed'
GROUP BY definition_version
"""
_WAITING = (
    "its view waits for its table, which the kpi function makes: `stockflow kpi refresh {name}` or the next load, then "
    "`stockflow kpi publish` with the same file"
)
Note = Annotated[str, typer.Option("--note", help="Why, for the history.")]
Wait = Annotated[int, typer.Option("--timeout", help="Seconds to wait until it is computed; 0 does not wait.", min=0)]


def publish(
    given: Annotated[str, typer.Argument(metavar="FILE", help="The definition.")],
    note: Note = "",
    timeout: Wait = 120,
    as_json: Json = False,
) -> None:
    """Publish a definition: it is checked, put in the definitions bucket and computed for all dates.

    The kpi function reads it from its next call on; nothing is deployed. A copy of each version is kept.

    Examples:

      stockflow kpi publish my_kpis/sales_per_unit.sql --note "asked for by purchasing"

      stockflow kpi publish functions/kpi/definitions/days_of_supply.sql --timeout 0
    """
    if not is_file(given):
        raise CommandError(f"expected a file, such as {given}.sql: `stockflow kpi new {given} --folder .` writes one")
    services = target.services()
    bucket = Bucket(services)
    workspace = open_workspace([given], services.settings.definitions_uri, services)
    name = workspace.wanted[0]
    if bucket.live(name) != workspace.texts[f"{name}.sql"]:
        _put(workspace, bucket, note, timeout, as_json)
    elif not _completed(workspace.one(), services, as_json):
        raise CommandError(
            f"{name} is already published with this text: `stockflow kpi history {name}` says since when"
        )


def _completed(definition: Definition, services: Services, as_json: bool) -> bool:
    """Make the view that a publication could not make before its table was there; return whether it did."""
    if definition.kind != "kpi" or reporting.is_there(definition, services):
        return False
    view = reporting.make(definition, services)
    if view is None:
        raise CommandError(f"{definition.name} is published, and {_WAITING.format(name=definition.name)}")
    if as_json:
        print_json({"kpi": definition.name, "version": definition.version, "view": view, "runs": []})
    else:
        console().print(f"{definition.name} was published before; view {view} is made now")
    return True


def _put(workspace: Workspace, bucket: Bucket, note: str, timeout: int, as_json: bool) -> None:
    services = target.services()
    refuse(checked(workspace), workspace)
    refuse_broken_readers(workspace)
    definition = workspace.one()
    made = bucket.publish(definition.name, workspace.texts[f"{definition.name}.sql"], note)
    runs = _computed(definition, services, timeout)
    view = reporting.make(definition, services) if definition.kind == "kpi" else None
    if as_json:
        print_json({"kpi": definition.name, "version": made.version, "by": made.by, "view": view, "runs": runs})
        return
    console().print(f"{definition.name} is published as version {made.version} by {made.by}", markup=False)
    if runs:
        print_table(runs, ["kpi", "state", "from_date", "to_date", "rows", "message"])
    else:
        console().print("the next load computes it" if timeout else "not waiting: the next load computes it")
    if view:
        console().print(f"view {view}; `stockflow kpi show {definition.name}` shows its last days")
    elif definition.kind == "kpi":
        console().print(_WAITING.format(name=definition.name))


def _computed(definition: Definition, services: Services, timeout: int) -> list[dict[str, Any]]:
    if not timeout:
        return []
    try:
        return compute(services, [definition], timeout)
    except NoLoadError:
        return []


def history(
    name: Annotated[str, typer.Argument(help="Name of the KPI.")],
    as_json: Json = False,
) -> None:
    """Show the versions of a definition: when each was published or retired, by whom, and when it was computed.

    Examples:

      stockflow kpi history days_of_supply
    """
    services = target.services()
    bucket = Bucket(services)
    live = bucket.live(name)
    runs = {r["definition_version"]: r for r in services.warehouse.query(_COMPUTED, {"kpi": name})}
    found = _of(bucket, name)
    newest = max((p.number for p in found if p.text == live), default=None)
    rows = [_row(p, p.number == newest, runs.get(p.version, {})) for p in found]
    columns = ["number", "version", "published", "by", "live", "first_computed", "last_computed", "note"]
    print_json(rows) if as_json else print_table(rows, columns)


def _of(bucket: Bucket, name: str) -> list[Publication]:
    found = bucket.history(name)
    if not found:
        raise CommandError(f"{name} was never published: `stockflow kpi list` shows what is")
    return found


def _row(made: Publication, is_live: bool, run: dict[str, Any]) -> dict[str, Any]:
    return {
        "number": made.number, "version": made.version, "published": made.at, "by": made.by, "live": is_live,
        "first_computed": run.get("first_computed"), "last_computed": run.get("last_computed"), "note": made.note,
    }  # fmt: skip


def rollback(
    name: Annotated[str, typer.Argument(help="Name of the KPI.")],
    to: Annotated[int, typer.Option(help="Number in the history; the one before the live one if left out.")] = 0,
    timeout: Wait = 120,
    as_json: Json = False,
) -> None:
    """Publish an earlier version of a definition again; a retired one comes back as it was.

    Examples:

      stockflow kpi rollback days_of_supply

      stockflow kpi rollback days_of_supply --to 2
    """
    services = target.services()
    bucket = Bucket(services)
    wanted = chosen(_of(bucket, name), bucket.live(name), to)
    workspace = open_workspace([], services.settings.definitions_uri, services)
    texts = {**workspace.texts, f"{name}.sql": wanted.text}
    _put(replace(workspace, texts=texts, wanted=(name,)), bucket, f"rollback to {wanted.number}", timeout, as_json)


def chosen(found: list[Publication], live: str | None, number: int) -> Publication:
    """Return the publication of that number; the newest one before the live text without a number.

    Raises:
        CommandError: there is none.
    """
    shows = f"`stockflow kpi history {found[0].kpi}` shows them"
    if number:
        match = next((p for p in found if p.number == number), None)
        if match is None:
            raise CommandError(f"no version {number}: there are 1 to {len(found)}; {shows}")
        if match.is_retirement:
            raise CommandError(f"{number} is when {match.kpi} was retired, not a version; {shows}")
        return match
    at = max((p.number for p in found if p.text == live), default=len(found) + 1)
    before = [p for p in found if p.number < at and p.text != live and not p.is_retirement]
    if not before:
        raise CommandError(f"{found[0].kpi} has no version before the one that is live; {shows}")
    return before[-1]
