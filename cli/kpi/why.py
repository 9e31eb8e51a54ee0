"""kpi why: a change between two days, split into parts that add up to it, down to files and lines."""

from datetime import date
from typing import Annotated, Any

import typer

from cli import target
from cli.kpi.environment import one_kpi, parsed_days, sound
from cli.kpi.movement import tell
from cli.kpi.parts import Key, Split, of_amount, of_ratio, of_sum
from cli.kpi.restated import Restated, moment, restated
from cli.kpi.statements import statements
from cli.kpi.subject import Subject
from cli.kpi.valued import unknown_days
from cli.kpi.workspace import Workspace, open_workspace
from cli.output import CommandError, print_json
from cli.spoken import Language, Spoken
from cli.stack import Json
from cli.texts import speaking
from functions.kpi.definition import Definition
from stockflow.services import Services

_AT = """
SELECT {grain}, {above} AS above, {below} AS below
FROM {table} AS computed
WHERE business_date = @day AND value IS NOT NULL
"""
_QUANTITIES = """
SELECT {grain}, value AS quantity FROM {table} AS counted WHERE business_date = @day AND value IS NOT NULL
"""


def why(
    name: Annotated[str, typer.Argument(help="Name of the KPI.")],
    first: Annotated[str, typer.Option("--from", help="The first day, such as 2026-09-01.")] = "",
    last: Annotated[str, typer.Option("--to", help="The last day.")] = "",
    known_at: Annotated[
        str, typer.Option("--known-at", help="Start from what was known of the first day at this time (UTC).")
    ] = "",
    most: Annotated[int, typer.Option(help="How many cells to show.", min=1)] = 10,
    language: Spoken = Language.EN,
    as_json: Json = False,
) -> None:
    """Say why a KPI moved between two days: parts that add up to the change, then cells, files and lines.

    A ratio is split into numerator, denominator and mix; an amount whose header names its `quantity` into volume,
    price or cost, and mix; another sum into cells that are new, gone or changed. With --known-at, what was reported of
    the first day is where it begins: files that came late, corrections and a changed definition are parts, too.

    Without two days it says on which the KPI has a value.

    Examples:

      stockflow kpi why days_of_supply --from 2026-09-01 --to 2026-09-30

      stockflow kpi why net_sales --from 2026-09-01 --to 2026-09-08 --known-at 2026-09-02T08:00 --json

      stockflow kpi why net_sales --from 2026-09-01 --to 2026-09-08 --language fr
    """
    subject = asked(name, target.services())
    one, other = parsed_days(first, last)
    if one is None or other is None:
        raise unknown_days(subject.definition, subject.services, "expected two days, --from and --to")
    found = answer(subject, both(one, other), known_at, most)
    if as_json:
        print_json(found)
        return
    with speaking(language):
        tell(found, subject.definition.told_in(language))


def asked(name: str, services: Services) -> Subject:
    """Return the published definition of a KPI that has a value."""
    subject = sound(open_workspace([name], services.settings.definitions_uri, services), services)
    one_kpi(subject.definition)
    return subject


def answer(subject: Subject, days: tuple[date, date], known_at: str = "", most: int = 10) -> dict[str, Any]:
    """Return why a KPI moved between two days: ``parts`` add up to ``change``; then cells, files and lines.

    Raises:
        CommandError: it has no value on one of the days.
    """
    definition = subject.definition
    split = explained(definition, subject.workspace, subject.services, days)
    if split is None:
        raise unknown_days(definition, subject.services, f"{definition.name} has no value on one of the days")
    cells = largest(split, most)
    begun = restated(subject, days[0], moment(known_at), split.start) if known_at else Restated(split.start)
    return {
        "kpi": definition.name, "from": days[0], "to": days[1], "start": begun.then, "end": split.end,
        "change": split.end - begun.then, "unit": definition.unit, "parts": {**begun.parts, **split.parts},
        "late_files": list(begun.files),
        "by": {column: _by(split, place) for place, column in enumerate(definition.grain)},
        "cells": [{**dict(zip(definition.grain, key, strict=True)), **parts, "change": sum(parts.values())}
                  for key, parts in cells],
        "lines": lines(subject, [key for key, _ in cells[:3]], days),
    }  # fmt: skip


def both(first: date | None, last: date | None) -> tuple[date, date]:
    """Return two days, the first one before the other."""
    if first is None or last is None or first >= last:
        raise CommandError(
            "expected two days, the first before the second; `stockflow kpi show NAME` lists a KPI's last days"
        )
    return first, last


def explained(
    definition: Definition, workspace: Workspace, services: Services, days: tuple[date, date]
) -> Split | None:
    """Return the split of a KPI's change between two days; None when it has no value on one of them."""
    place = definition.grain.index("location_code") if "location_code" in definition.grain else None

    def group(key: Key) -> Any:
        return "" if place is None else key[place]

    if definition.rollup == "ratio":
        return of_ratio(_cells(definition, services, days[0]), _cells(definition, services, days[1]), group)
    before, after = (_values(definition, services, day) for day in days)
    if not before and not after:
        return None
    counted = quantity(definition, workspace)
    if counted is None:
        return of_sum(before, after)
    one, two = (_quantities(counted, services, day) for day in days)
    return of_amount(_with(before, one), _with(after, two), group)


def _with(amounts: dict[Key, float], units: dict[Key, float]) -> dict[Key, tuple[float, float]]:
    return {key: (amount, units.get(key, 0.0)) for key, amount in amounts.items()}


def quantity(definition: Definition, workspace: Workspace) -> Definition | None:
    """Return the KPI that counts the units of an amount, as its header says."""
    named = definition.header.get("quantity")
    if not named:
        return None
    counted = workspace.definitions.get(named)
    if counted is None or counted.grain != definition.grain:
        raise CommandError(
            f"{definition.name}: `quantity` in the header is {named!r}, expected a KPI of the same grain: "
            "`stockflow kpi list` shows them"
        )
    return counted


def _cells(definition: Definition, services: Services, day: date) -> dict[Key, tuple[float, float]]:
    return {key: (above or 0.0, below or 0.0) for key, above, below in _rows(definition, services, day)}


def _values(definition: Definition, services: Services, day: date) -> dict[Key, float]:
    return {key: above or 0.0 for key, above, _ in _rows(definition, services, day)}


def _rows(definition: Definition, services: Services, day: date) -> list[tuple[Key, float | None, float | None]]:
    found = services.warehouse.query(cells_sql(definition), {"day": day})
    return [(tuple(r[c] for c in definition.grain), r["above"], r["below"]) for r in found]


def _quantities(definition: Definition, services: Services, day: date) -> dict[Key, float]:
    found = services.warehouse.query(quantities_sql(definition), {"day": day})
    return {tuple(r[c] for c in definition.grain): r["quantity"] for r in found}


def cells_sql(definition: Definition) -> str:
    """Return the query for the cells of ``@day`` that have a value."""
    above, below = ("numerator", "denominator") if definition.rollup == "ratio" else ("value", "value")
    return _AT.format(grain=_grain(definition), above=above, below=below, table=definition.table)


def quantities_sql(definition: Definition) -> str:
    """Return the query for the units of ``@day`` that a KPI counts."""
    return _QUANTITIES.format(grain=_grain(definition), table=definition.table)


def _grain(definition: Definition) -> str:
    return ", ".join(definition.grain) or "business_date"


def largest(split: Split, most: int) -> list[tuple[Key, dict[str, float]]]:
    """Return the cells that moved most, with their parts."""
    moved = [(key, parts) for key, parts in split.cells.items() if any(parts.values())]
    return sorted(moved, key=lambda cell: (-abs(sum(cell[1].values())), str(cell[0])))[:most]


def _by(split: Split, place: int) -> list[dict[str, Any]]:
    """Return the change by one column of the grain, largest first."""
    totals: dict[Any, float] = {}
    for key, parts in split.cells.items():
        totals[key[place]] = totals.get(key[place], 0.0) + sum(parts.values())
    ordered = sorted(totals.items(), key=lambda pair: (-abs(pair[1]), str(pair[0])))
    return [{"name": name, "change": change} for name, change in ordered[:10]]


def lines(subject: Subject, keys: list[Key], days: tuple[date, date]) -> list[dict[str, Any]]:
    """Return the lines of files that state facts of these cells between the two days."""
    return [row for key in keys for row in statements(subject, key, days)]
