"""kpi preview: what a definition would say, before it is published; nothing is written."""

from dataclasses import replace
from typing import Annotated, Any

import typer

from cli import wording
from cli.kpi import chart, sql
from cli.kpi.catalogue import sentence
from cli.kpi.cost import bytes_read, in_words
from cli.kpi.environment import days, parameters, parsed_days, subject
from cli.kpi.subject import Subject
from cli.output import console, print_json, print_table
from cli.spoken import Language, Spoken
from cli.stack import Json
from cli.texts import said, speaking
from functions.kpi.dates import Span, between
from functions.kpi.headline import Headline, headline, rolled_up, told

Rows = list[dict[str, Any]]


def preview(
    given: Annotated[str, typer.Argument(metavar="FILE|NAME", help="A definition's file, or the name of a KPI.")],
    first: Annotated[str, typer.Option("--from", help="First day, such as 2026-09-01.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last day; the newest one with facts if left out.")] = "",
    count: Annotated[int, typer.Option("--days", help="How many days, when --from is left out.", min=1)] = 28,
    language: Spoken = Language.EN,
    as_json: Json = False,
) -> None:
    """Show the numbers of a definition on the data of the environment; nothing is written.

    It is checked first. A query of its own computes it, so a file need not be published.

    Examples:

      stockflow kpi preview my_kpis/sales_per_unit.sql

      stockflow kpi preview days_of_supply --from 2026-09-01 --to 2026-09-30 --json

      stockflow kpi preview days_of_supply --language fr
    """
    found = subject(given)
    found = replace(found, definition=found.definition.told_in(language))
    span = days(found.services, found.definition, parsed_days(first, last), count)
    with speaking(language):
        _preview(found, span, as_json)


def _preview(found: Subject, span: Span, as_json: bool) -> None:
    by_day = asked_by_day(found, span) if found.definition.kind == "kpi" else []
    line = headline(told(found.definition)[0], by_day)
    largest = _cells(found, span, line)
    cost = bytes_read(found, span)
    if as_json:
        print_json({
            "kpi": found.definition.name, "version": found.definition.version, "value": line.value, "day": line.day,
            "reason": None if line.value is not None else line.reason, "unit": found.definition.unit,
            "meaning": sentence(found.definition, line), "from": span.first, "to": span.last, "bytes": cost,
            "days": series(found, by_day, span), "cells": largest,
        })  # fmt: skip
        return
    _tell(found, by_day, line, span)
    print_table(largest, _columns(found, largest), f"\n{said('Largest cells of {day}', day=line.day or span.last)}")
    console().print(f"\n{in_words(cost)}; {said('nothing was written')}", markup=False)


def asked_by_day(found: Subject, span: Span) -> Rows:
    """Return the sums of each day and reason, computed now."""
    return found.services.warehouse.query(sql.by_day(found.definition, found.inputs), parameters(span))


def series(found: Subject, by_day: Rows, span: Span) -> Rows:
    """Return one row a day: value, cells, cells without a value."""
    shown = told(found.definition)[0]
    rows = []
    for day in between(span.first, span.last):
        of_day = [r for r in by_day if r["business_date"] == day]
        without = sum(r["cells"] for r in of_day if r["reason_code"])
        rows.append({"day": day, "value": rolled_up(shown, of_day), "cells": sum(r["cells"] for r in of_day),
                     "without_value": without})  # fmt: skip
    return rows


def _cells(found: Subject, span: Span, line: Headline) -> Rows:
    if found.definition.kind != "kpi":
        return []
    day = line.day or span.last
    params = {"from_date": day, "to_date": day, "day": day}
    return found.services.warehouse.query(sql.cells(found.definition, found.inputs), params)


def _columns(found: Subject, rows: Rows) -> list[str]:
    """The grain, the value and its parts, then what the definition adds; the day is in the title."""
    if not rows:
        return [*found.definition.grain, "value"]
    first = (*found.definition.grain, "value", "numerator", "denominator", "reason_code", "coverage_pct")
    return [*first, *(c for c in rows[0] if c not in {*first, "business_date"})]


def _tell(found: Subject, by_day: Rows, line: Headline, span: Span) -> None:
    definition = found.definition
    console().print(f"[bold]{definition.title}[/]: {definition.formula}")
    if definition.kind != "kpi":
        return
    shown = told(definition)[0]
    value = wording.figure(line.value, shown.unit)
    meaning = sentence(definition, line) if line.value is not None else wording.reason(line.reason)
    console().print(f"{said('{value} on {day}.', value=value, day=line.day)} {meaning}\n", markup=False)
    points = [(row["day"], row["value"]) for row in series(found, by_day, span)]
    console().print(chart.columns(points, shown.unit), markup=False)
