"""What changed about a day after it was reported: files that came late, corrections, another definition."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from cli.kpi.known import as_known
from cli.kpi.published import Bucket
from cli.kpi.subject import Subject
from cli.loads import find_loads
from cli.output import CommandError
from functions.kpi.catalog import catalog_of
from functions.kpi.definition import Definition
from functions.kpi.headline import rolled_up


@dataclass(frozen=True)
class Restated:
    """A day's figure as it was known then, and the parts that lead to what is known now; they add up."""

    then: float
    parts: dict[str, float] = field(default_factory=dict)
    files: Sequence[str] = ()


def moment(text: str) -> datetime:
    """Return a time as written on a command line; without an offset it is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(
            f"{text!r} is not a time: expected one such as 2026-09-08T08:00; `stockflow loads` shows when files came"
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def restated(subject: Subject, day: date, at: datetime, now: float) -> Restated:
    """Return how the figure of a day was restated since a time; ``now`` is what it is today.

    Raises:
        CommandError: it had no value then.
    """
    loads = find_loads(subject.services)
    known = [load["load_id"] for load in loads if load["landed_at"] and load["landed_at"] <= at]
    before = _defined(subject, at)
    then = _total(replace(subject, definition=before), day, known, with_late=False)
    same = before.version == subject.definition.version
    as_defined = then if same else _total(subject, day, known, with_late=False)
    with_late = _total(subject, day, known, with_late=True)
    return steps(then, as_defined, with_late, now, [load["object"] for load in loads if load["load_id"] not in known])


def steps(then: float, as_defined: float, with_late: float, now: float, files: Sequence[str]) -> Restated:
    """Return the parts between four figures of one day, each of which knows more than the one before."""
    parts = {"definition": as_defined - then, "late": with_late - as_defined, "corrections": now - with_late}
    return Restated(then, parts, files)


def _defined(subject: Subject, at: datetime) -> Definition:
    """Return the definition that was published then; today's where none is known."""
    uri, name = subject.services.settings.definitions_uri, subject.definition.name
    if not uri.startswith("gs://"):
        return subject.definition
    before = [made for made in Bucket(subject.services).history(name) if made.at <= at]
    texts = {f"{name}.sql": before[-1].text} if before else {}
    return catalog_of(texts, subject.workspace.contracts).definitions.get(name, subject.definition)


def _total(subject: Subject, day: date, loads: list[str], with_late: bool) -> float:
    sql = as_known(subject.definition, subject.workspace, with_late)
    rows: list[dict[str, Any]] = subject.services.warehouse.query(sql, {"day": day, "known_loads": loads})
    found = rolled_up(subject.definition, rows)
    if found is None:
        raise CommandError(
            f"{subject.definition.name} had no value for {day} at that time: `stockflow loads` shows when files came"
        )
    return found
