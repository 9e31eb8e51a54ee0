"""Definitions in an environment: the analyst's file beside what is published there, and the days that have facts."""

from datetime import date, timedelta

from cli import target
from cli.kpi.check import refuse
from cli.kpi.checked import checked
from cli.kpi.subject import Subject
from cli.kpi.workspace import Workspace, open_workspace
from cli.output import CommandError
from functions.kpi.dates import Span
from functions.kpi.definition import Definition
from functions.kpi.state import read_spans
from stockflow.services import Services

Asked = tuple[date | None, date | None]


def subject(given: str) -> Subject:
    """Return the definition in a file, or the published one of that name, when its columns and tables are known.

    Raises:
        CommandError: each fault, with file, line and what was expected.
    """
    services = target.services()
    workspace = open_workspace([given], services.settings.definitions_uri, services)
    return sound(workspace, services)


def sound(workspace: Workspace, services: Services) -> Subject:
    """Return the one definition that was asked for, when its columns and tables are known."""
    found = checked(workspace, thorough=False)
    refuse(found, workspace)
    return Subject(workspace.one(), workspace, services, found.known)


def days(services: Services, definition: Definition, asked: Asked, count: int) -> Span:
    """Return the days to look at: those asked for, else the last ``count`` ones that the KPI's facts reach.

    Raises:
        CommandError: there are no facts yet.
    """
    spans = read_spans(services)
    if definition.horizon not in spans:
        raise CommandError("there is no data yet: drop some files with `stockflow drop`")
    known = spans[definition.horizon]
    first, last = asked
    until = last or known.last
    return Span(first or max(known.first, until - timedelta(days=count - 1)), until)


def parameters(span: Span) -> dict[str, date]:
    """Return the query parameters of a span."""
    return {"from_date": span.first, "to_date": span.last}


def one_kpi(definition: Definition) -> Definition:
    """Return a definition that has a value; base models have none."""
    if definition.kind != "kpi":
        raise CommandError(f"{definition.name} is a base model: it has no value; `stockflow kpi list` shows what has")
    return definition


def parsed_days(first: str, last: str) -> Asked:
    """Return two dates as written on a command line; an empty one is None."""
    return _day(first), _day(last)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise CommandError(
            f"{text!r} is not a date: expected one such as 2026-09-01; `stockflow kpi show NAME` lists its last days"
        ) from error
