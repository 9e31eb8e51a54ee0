"""kpi list and kpi show: what is defined, and what it says now."""

from typing import Annotated, Any

import typer

from cli import target
from cli.output import CommandError, console, print_json, print_table
from cli.stack import Json
from functions.kpi.catalog import Headline, headlines, load_definitions
from functions.kpi.definition import Definition
from functions.kpi.graph import column_lineage, in_order, parse_sql, reads, tables
from stockflow.errors import TransientError
from stockflow.services import Services
from stockflow.settings import bundle_root

app = typer.Typer(
    help="The KPIs: what is defined, and what each says now.", no_args_is_help=True, rich_markup_mode=None
)


def shown(definition: Definition, line: Headline) -> dict[str, Any]:
    """Return a headline as a row."""
    return {
        "kpi": definition.name, "title": definition.title, "value": line.value, "unit": definition.unit,
        "week_before": line.previous, "day": line.day, "meaning": line.reason or sentence(definition, line),
    }  # fmt: skip


def sentence(definition: Definition, line: Headline) -> str:
    """Return one sentence of meaning, with the trend when there is one."""
    if line.trend is None or abs(line.trend) < 0.005:
        return definition.meaning
    word = "up" if line.trend > 0 else "down"
    verdict = {"up": line.trend > 0, "down": line.trend < 0}.get(definition.direction)
    tail = "" if verdict is None else (" (better)" if verdict else " (worse)")
    return f"{definition.meaning.rstrip('.')}; {word} {abs(line.trend):.0%} in a week{tail}."


@app.command("list")
def list_kpis(as_json: Json = False) -> None:
    """List the KPIs with what each says on its newest day.

    Examples:

      stockflow kpi list

      stockflow kpi list --json
    """
    rows = [shown(d, h) for d, h in headlines(target.services())]
    print_json(rows) if as_json else print_table(rows, ["kpi", "value", "unit", "week_before", "day", "meaning"])


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Name of the KPI: its file's name without .sql.")],
    as_json: Json = False,
) -> None:
    """Show one KPI: formula, source, owner, what it reads, lineage of its value, its last days.

    Examples:

      stockflow kpi show inventory_turnover
    """
    services = target.services()
    definitions = load_definitions(services.settings.definitions_uri, services)
    if name not in definitions:
        raise CommandError(f"no KPI {name!r}: there are {', '.join(sorted(definitions))}")
    definition = definitions[name]
    sql = (
        f"SELECT business_date, SUM(numerator) AS numerator, SUM(denominator) AS denominator, COUNT(value) AS cells, "
        f"COUNTIF(value IS NULL) AS without_value FROM {definition.table} GROUP BY business_date "
        "ORDER BY business_date DESC LIMIT 14"
    )
    days = _days(services, sql) if definition.kind == "kpi" else []
    facts = {
        "kpi": name, "title": definition.title, "description": definition.description, "formula": definition.formula,
        "source": definition.source, "unit": definition.unit, "owner": definition.owner,
        "grain": list(definition.grain), "lookback_days": definition.lookback_days, "version": definition.version,
        "reads": sorted(tables(parse_sql(name, definition.sql))),
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
        console().print("\nnot computed yet: the next load that reaches the KPIs computes it")


def _days(services: Services, sql: str) -> list[dict[str, Any]]:
    try:
        return services.warehouse.query(sql)
    except TransientError as error:
        if "not found" in str(error).lower():
            return []
        raise


@app.command()
def check(as_json: Json = False) -> None:
    """Check every definition without running it: header, SQL, the order between them.

    Exit code 1 when one is wrong; the message names file, line and what was expected.

    Examples:

      stockflow kpi check
    """
    definitions = load_definitions(str(bundle_root() / "functions" / "kpi" / "definitions"))
    read = reads(definitions, {})
    rows = [
        {"order": n, "kpi": d.name, "kind": d.kind, "reads": ", ".join(sorted(read[d.name]))}
        for n, d in enumerate(in_order(definitions, read), 1)
    ]
    print_json(rows) if as_json else print_table(rows, ["order", "kpi", "kind", "reads"])
