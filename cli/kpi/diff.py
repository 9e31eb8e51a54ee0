"""kpi diff: what a changed definition changes, before it is published."""

from typing import Annotated, Any

import typer

from cli import target, wording
from cli.kpi import chart, sql
from cli.kpi.environment import days, one_kpi, parameters, parsed_days, sound
from cli.kpi.preview import asked_by_day, series
from cli.kpi.subject import Subject
from cli.kpi.workspace import is_file, open_workspace
from cli.output import CommandError, console, print_json, print_table
from cli.stack import Json
from functions.kpi.dates import Span
from functions.kpi.definition import Definition
from functions.kpi.headline import told

MOST, DRAWN = 20, 10


def diff(
    given: Annotated[str, typer.Argument(metavar="FILE", help="The changed definition.")],
    against: Annotated[str, typer.Option(help="Compare with this file; with the published one if left out.")] = "",
    first: Annotated[str, typer.Option("--from", help="First day, such as 2026-09-01.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last day; the newest one with facts if left out.")] = "",
    count: Annotated[int, typer.Option("--days", help="How many days, when --from is left out.", min=1)] = 28,
    as_json: Json = False,
) -> None:
    """Compare a changed definition with the published one on the same data: cells that change, largest first.

    Nothing is written.

    Examples:

      stockflow kpi diff functions/kpi/definitions/days_of_supply.sql

      stockflow kpi diff mine.sql --against theirs.sql --days 7 --json
    """
    old, new = sides(given, against)
    span = days(new.services, new.definition, parsed_days(first, last), count)
    found = compared(old, new, span)
    if as_json:
        print_json(found)
    else:
        _tell(found, new)


def sides(given: str, against: str) -> tuple[Subject, Subject]:
    """Return the old and the new definition, both without a fault.

    Raises:
        CommandError: what is wrong with one, or that there is nothing to compare with.
    """
    if not is_file(given):
        raise CommandError(
            f"expected a file such as {given}.sql: `stockflow kpi preview {given}` shows what is published"
        )
    services = target.services()
    uri = services.settings.definitions_uri
    new = sound(open_workspace([given], uri, services), services)
    name = one_kpi(new.definition).name
    if not against and f"{name}.sql" not in open_workspace([], uri, services).texts:
        raise CommandError(f"{name} is not published yet: `stockflow kpi preview {given}` shows what it says")
    old = sound(open_workspace([against or name], uri, services), services)
    one_kpi(old.definition)
    return old, new


def compared(old: Subject, new: Subject, span: Span) -> dict[str, Any]:
    """Return what differs between two definitions over some days."""
    keys = ("business_date", *new.definition.grain)
    params = parameters(span)
    totals = [
        {"day": of_old["day"], "old": of_old["value"], "new": of_new["value"]}
        for of_old, of_new in zip(*(series(s, asked_by_day(s, span), span) for s in (old, new)), strict=True)
    ]
    found: dict[str, Any] = {
        "kpi": new.definition.name, "old_version": old.definition.version, "new_version": new.definition.version,
        "from": span.first, "to": span.last, "same_grain": old.definition.grain == new.definition.grain,
        "days": totals, "counts": {}, "cells": [],
    }  # fmt: skip
    if found["same_grain"]:
        was, now = (sql.over_days(s.definition, s.inputs) for s in (old, new))
        warehouse = new.services.warehouse
        counts = {row["change"]: row["cells"] for row in warehouse.query(sql.change_counts(was, now, keys), params)}
        found["counts"] = {kind: counts.get(kind, 0) for kind in ("changed", "added", "removed", "same")}
        found["cells"] = warehouse.query(sql.largest_changes(was, now, keys, MOST), params)
    return found


def _chart(cells: list[dict[str, Any]], definition: Definition) -> str:
    """Return the largest changes as bars; a cell without a value counts as 0."""
    rows = [
        (
            " ".join(str(c[k]) for k in ("business_date", *definition.grain)),
            (c["new_value"] or 0) - (c["old_value"] or 0),
        )
        for c in cells[:DRAWN]
    ]
    return chart.changes([row for row in rows if row[1]], told(definition)[0].unit)


def _tell(found: dict[str, Any], new: Subject) -> None:
    definition = new.definition
    if not found["same_grain"]:
        console().print("the grain differs: cells cannot be compared, totals can\n")
    else:
        told = ", ".join(f"{count:,} {kind}" for kind, count in found["counts"].items())
        console().print(f"{found['kpi']}, {found['from']} to {found['to']}: cells {told}\n", markup=False)
        columns = ["business_date", *definition.grain, "change", "old_value", "new_value", "old_reason", "new_reason"]
        if found["cells"]:
            console().print(_chart(found["cells"], definition) + "\n", markup=False)
            print_table(found["cells"], columns, "Largest changes")
    changed = [row for row in found["days"] if row["old"] != row["new"]]
    shown = [
        {"day": row["day"], **{side: wording.figure(row[side], definition.unit) for side in ("old", "new")}}
        for row in changed
    ]
    if shown:
        print_table(shown, ["day", "old", "new"], "\nTotals that change")
    else:
        console().print("no total changes")
