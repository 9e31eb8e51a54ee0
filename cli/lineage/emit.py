"""lineage emit: the ledger as OpenLineage events, for other tools. It reads; no stage waits for it."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from cli import target
from cli.kpi.workspace import open_workspace
from cli.lineage.model import build
from cli.lineage.targets import DataLineage, File, Http, Target
from cli.output import CommandError, console, print_json
from cli.stack import Json
from functions.ingest.lineage.events import Writer
from functions.ingest.lineage.ledger import Window, events
from stockflow.settings import Settings

UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def emit(
    since: Annotated[
        str, typer.Option(help="What finished from then on: a time (UTC, 2026-09-01T08:00), or 90m, 2h, 7d ago.")
    ] = "1d",
    until: Annotated[str, typer.Option(help="Only what finished before then; now if left out.")] = "",
    to: Annotated[
        Path | None, typer.Option(help="Write them into this file, one event a line, wherever else they would go.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Send what the ledger says as OpenLineage run events: START, and COMPLETE or FAIL, of each stage and each KPI.

    To OPENLINEAGE_URL when it is set (Marquez, or what speaks like it); else on a project to the Data Lineage API, on
    the embedded stack to lineage.jsonl in its folder. The same events sent again count once.

    Examples:

      stockflow lineage emit --since 2h

      stockflow lineage emit --since 2026-09-01 --to events.jsonl
    """
    services = target.services()
    now = services.clock()
    window = Window(moment(since, now), moment(until, now) if until else now)
    model = build(open_workspace([], services.settings.definitions_uri, services))
    place = target_of(services.settings, to)
    place.send(events(services, Writer(services.settings, model, services.senders), window))
    if as_json:
        print_json({"sent": place.sent, "to": place.name, "since": window.begun, "until": window.ended})
    else:
        console().print(f"{place.sent} events to {place.name}", markup=False)


def target_of(settings: Settings, to: Path | None) -> Target:
    """Return where events go."""
    if to is not None:
        return File(to)
    if url := os.environ.get("OPENLINEAGE_URL"):
        return Http(url, os.environ.get("OPENLINEAGE_API_KEY", ""))
    if target.in_the_cloud():
        return DataLineage(settings.project, settings.location)
    return File(target.folder() / "lineage.jsonl")


def moment(text: str, now: datetime) -> datetime:
    """Return the time that ``90m``, ``2h``, ``7d`` (ago) or an ISO time (UTC unless it says else) means.

    Raises:
        CommandError: it is none of these.
    """
    if text[:-1].isdigit() and text[-1:] in UNITS:
        return now - timedelta(**{UNITS[text[-1]]: int(text[:-1])})
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"{text!r} is not a time: expected one such as 2026-09-01T08:00, 2h or 7d") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
