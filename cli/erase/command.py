"""erase: a person's data, wherever it is kept. Rows stay, so that every count stays true; values go."""

from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

import typer

from cli import target
from cli.erase.objects import Kept, delete, objects, unread, with_copies
from cli.erase.places import MARK, SHORTEST, Place, pattern, personal_columns, places, plain
from cli.output import CommandError, console, print_json, print_table
from cli.stack import Json
from stockflow.errors import TransientError
from stockflow.services import Services


@dataclass
class Found:
    """What was found. ``rows``: places and how many; ``unread``: files that could not be read, so were not searched."""

    rows: list[tuple[Place, int]] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    loads: list[dict[str, Any]] = field(default_factory=list)
    unread: list[dict[str, Any]] = field(default_factory=list)


def erase(
    person: Annotated[str, typer.Option(help="A name, an e-mail address or a telephone number, as files state it.")],
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run/--for-good", help="Only list what would be erased, or erase it. This cannot be undone."
        ),
    ] = True,
    as_json: Json = False,
) -> None:
    """Find a person's data in every table and file, and erase it with --for-good.

    Looked for in the columns that contracts tag as personal data, and in the texts that are kept of refused lines. A
    row that names the person keeps its place; its personal columns hold [erased] afterwards, so the audit still holds.
    Files that brought such rows are deleted in the landing bucket, with what was staged of them.

    Examples:

      stockflow erase --person "Claire Fabre"

      stockflow erase --person claire@example.com --for-good --json
    """
    services, asked = target.services(), parameters(person)
    found = find(services, asked)
    refused = remove(services, asked, found) if not dry_run else []
    left = find(services, asked) if not dry_run else None
    report = {**told(found, left), "refused": refused}
    print_json(report) if as_json else _tell(report)
    if report["left"] or refused:
        raise typer.Exit(1)


def parameters(person: str) -> dict[str, str]:
    """Return the query parameters of a key.

    Raises:
        CommandError: it is so short that it would be found in other people's words.
    """
    key = plain(person)
    if sum(c.isalnum() for c in key) < SHORTEST:
        raise CommandError(f"--person {person!r} is too short: expected at least {SHORTEST} letters and digits")
    return {"person": key, "pattern": pattern(key)}


def find(services: Services, asked: dict[str, str]) -> Found:
    """Return where a person is."""
    found, loads = Found(), set[str]()
    for place in places(services.contracts):
        count = _ask(services, place.count(), asked)[0]["rows"]
        if count:
            found.rows.append((place, count))
            loads |= {row["load_id"] for row in _ask(services, place.loads(), asked)} if place.load else set()
    found.loads = with_copies(services, loads)
    found.kept = list(objects(services, found.loads))
    found.unread = unread(services, (feed for feed, c in services.contracts.items() if personal_columns(c)))
    return found


def remove(services: Services, asked: dict[str, str], found: Found) -> list[dict[str, str]]:
    """Erase what was found, and return what could not be: rows that were streamed lately cannot be changed.

    The files go first: if this is interrupted, the rows still say which they are.
    """
    delete(services, found.kept)
    refused = []
    for place, _ in found.rows:
        try:
            _ask(services, place.erase(), asked)
        except TransientError as error:
            refused.append({"table": place.table, "message": error.message})
    return refused


def _ask(services: Services, sql: str, asked: dict[str, str]) -> list[dict[str, Any]]:
    return services.warehouse.query(sql, {name: value for name, value in asked.items() if f"@{name}" in sql})


def told(found: Found, left: Found | None) -> dict[str, Any]:
    """Return the report; it does not name the person. ``left``: rows and objects that are still there."""
    return {
        "erased": left is not None,
        "tables": [{"table": p.table, "rows": count, "columns": p.columns} for p, count in found.rows],
        "objects": [asdict(kept) for kept in found.kept],
        "loads": [row["load_id"] for row in found.loads],
        "not_searched": found.unread,
        "left": None if left is None else sum(count for _, count in left.rows) + len(left.kept),
    }


def _tell(report: dict[str, Any]) -> None:
    out, done = console(), report["erased"]
    tables = [{**row, "columns": ", ".join(row["columns"])} for row in report["tables"]]
    if not tables and not report["objects"]:
        out.print("found nothing")
    if tables:
        print_table(tables, ["table", "rows", "columns"], f"Rows that hold {MARK} now" if done else "Rows")
    if report["objects"]:
        columns = ["kind", "bucket", "name", "generation", "load_id"]
        print_table(report["objects"], columns, "\nDeleted" if done else "\nObjects that would be deleted")
    if report["not_searched"]:
        print_table(
            report["not_searched"], ["object", "load_id", "state"], "\nFiles that could not be read: look yourself"
        )
    if report["refused"]:
        print_table(report["refused"], ["table", "message"], "\nRefused: try again in 90 minutes")
    if report["left"]:
        out.print(f"\n{report['left']} rows and objects remain")
    elif not done and (tables or report["objects"]):
        out.print("\nnothing was changed; use `--for-good` to erase it")
