"""kpi list, show and refresh: what is defined, and what it says now."""

from typing import Annotated, Any

import typer

from cli import target, wording
from cli.kpi.workspace import corrected
from cli.nearest import hint
from cli.output import CommandError, console, print_json, print_table
from cli.refresh import compute
from cli.spoken import Language, Spoken
from cli.stack import Json
from cli.texts import said, speaking
from functions.kpi.catalog import catalog_of, contracts_of, load_definitions, read_texts
from functions.kpi.definition import Definition
from functions.kpi.graph import column_lineage, tables_of
from functions.kpi.headline import Headline, headlines
from stockflow.errors import TransientError
from stockflow.services import Services

# The change of a week in words.
_UP, _DOWN = "{meaning}; up {percent}% in a week{verdict}.", "{meaning}; down {percent}% in a week{verdict}."
_VERDICTS = {None: "", True: " (better)", False: " (worse)"}
TREND = (_UP, _DOWN, " (better)", " (worse)")


def shown(definition: Definition, line: Headline) -> dict[str, Any]:
    """Return a headline as a row, in the language that is spoken; without a value, its meaning is the reason."""
    meaning = wording.reason(line.reason) or sentence(definition, line)
    return {
        "kpi": definition.name, "title": definition.title, "value": line.value, "unit": definition.unit,
        "week_before": line.previous, "day": line.day, "reason_code": line.reason, "meaning": meaning,
    }  # fmt: skip


def sentence(definition: Definition, line: Headline) -> str:
    """Return one sentence of meaning, with the trend when there is one."""
    meaning = wording.filled(definition.meaning, line.value, definition.unit) or definition.description
    if line.trend is None or abs(line.trend) < 0.005:
        return meaning
    good = {"up": line.trend > 0, "down": line.trend < 0}.get(definition.direction)
    percent, verdict = f"{100 * abs(line.trend):.0f}", _VERDICTS[good] and said(_VERDICTS[good])
    return said(_UP if line.trend > 0 else _DOWN, meaning=meaning.rstrip("."), percent=percent, verdict=verdict)


def list_kpis(language: Spoken = Language.EN, as_json: Json = False) -> None:
    """List the KPIs with what each says on its newest day.

    Examples:

      stockflow kpi list

      stockflow kpi list --json

      stockflow kpi list --language fr
    """
    services = target.services()
    with corrected(services.settings.definitions_uri):
        found = headlines(services)
    with speaking(language):
        rows = [shown(d.told_in(language), h) for d, h in found]
        if as_json:
            print_json(rows)
        else:
            print_table([_worded(r) for r in rows], ["kpi", "value", "week_before", "day", "meaning"])


def _worded(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with its figures as a person reads them: 3.4 %, 28.1 days."""
    return {**row, **{k: wording.figure(row[k], row["unit"]) for k in ("value", "week_before") if row[k] is not None}}


def show(
    name: Annotated[str, typer.Argument(help="Name of the KPI: its file's name without .sql.")],
    language: Spoken = Language.EN,
    as_json: Json = False,
) -> None:
    """Show one KPI: formula, source, owner, what it reads, lineage of its value, its last days.

    Examples:

      stockflow kpi show inventory_turnover
    """
    services = target.services()
    definition = _defined(services, name)[0].told_in(language)
    sql = (
        f"SELECT business_date, SUM(IF(value IS NULL, NULL, numerator)) AS numerator, "
        "SUM(IF(value IS NULL, NULL, denominator)) AS denominator, COUNT(value) AS cells, "
        f"COUNTIF(value IS NULL) AS without_value FROM {definition.table} GROUP BY business_date "
        "ORDER BY business_date DESC LIMIT 14"
    )
    days = _days(services, sql) if definition.kind == "kpi" else []
    facts = {
        "kpi": name, "title": definition.title, "description": definition.description, "formula": definition.formula,
        "source": definition.source, "unit": definition.unit, "owner": definition.owner,
        "grain": list(definition.grain), "lookback_days": definition.lookback_days, "version": definition.version,
        "reads": sorted(tables_of(name, definition.sql)),
        "lineage": column_lineage(definition, "value") if definition.kind == "kpi" else [],
    }  # fmt: skip
    if as_json:
        print_json({**facts, "days": days})
        return
    for key, value in facts.items():
        console().print(f"[bold]{key:<14}[/] {', '.join(value) if isinstance(value, list) else value}")
    if days:
        print_table(days, ["business_date", "numerator", "denominator", "cells", "without_value"], "\nLast days")
    elif definition.kind == "kpi":
        console().print(f"\nnot computed yet: the next load computes it, `stockflow kpi refresh {name}` does so now")


def _defined(services: Services, name: str) -> list[Definition]:
    """Return the definition of that name; all of them without a name."""
    uri = services.settings.definitions_uri
    with corrected(uri):
        return [_one(services, uri, name)] if name else list(load_definitions(uri, services).values())


def _one(services: Services, uri: str, name: str) -> Definition:
    found = catalog_of(read_texts(uri, services, f"{name}.sql"), contracts_of(services))
    for fault in found.faults.values():
        raise fault
    if name not in found.definitions:
        known = [file.removesuffix(".sql") for file in read_texts(uri, services)]
        raise CommandError(f"no KPI {name!r}{hint(name, known)}", "`stockflow kpi list` says what each is")
    return found.definitions[name]


def _days(services: Services, sql: str) -> list[dict[str, Any]]:
    try:
        return services.warehouse.query(sql)
    except TransientError as error:
        if "not found" in str(error).lower():
            return []
        raise


def refresh(
    name: Annotated[str, typer.Argument(help="Only this KPI; all that are new or changed if left out.")] = "",
    timeout: Annotated[int, typer.Option(help="Longest time to wait, in seconds.")] = 120,
    as_json: Json = False,
) -> None:
    """Compute what is new, changed or failed at once, for all dates, instead of with the next load.

    The kpi function does it, as for a load. Exit code 1 when a definition failed or the time was over.

    Examples:

      stockflow kpi refresh

      stockflow kpi refresh inventory_turnover
    """
    services = target.services()
    found = compute(services, _defined(services, name), timeout)
    if as_json:
        print_json(found)
    elif not found:
        console().print("all KPIs are up to date")
    else:
        print_table(found, ["kpi", "state", "from_date", "to_date", "rows", "message"])
    if any(r["state"] != "computed" for r in found):
        raise typer.Exit(1)
