"""access: who can read what, from Terraform's plan, from the environment itself, and where the two differ."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import target
from cli.access.grants import Grant, accesses, of_plan
from cli.output import CommandError, console, print_json, print_table
from cli.stack import Json


def access(
    plan: Annotated[
        Path | None,
        typer.Option(
            help="What `terraform show -json` printed, of a plan or of the state.", exists=True, dir_okay=False
        ),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Ask the environment what datasets, tables and buckets grant now.")
    ] = False,
    who: Annotated[str, typer.Option(help="Only members whose name holds this.")] = "",
    as_json: Json = False,
) -> None:
    """Print who can read what, and how personal columns look to them: in clear, as NULL, or refused.

    With both --plan and --live it also lists what only one of them grants, and ends with exit code 1 when the
    environment grants what is not planned.

    Examples:

      stockflow access --plan plan.json

      stockflow --project my-project access --live --plan plan.json --json
    """
    if plan is None and not live:
        raise CommandError("expected --plan FILE (terraform show -json > FILE), --live, or both")
    planned = of_plan(_read(plan)) if plan is not None else set()
    there = _live() if live else set()
    otherwise = "refused" if plan is not None else "not asked"  # the tag's roles are in the plan only
    rows = [asdict(a) for a in accesses(planned | there, otherwise) if who in a.who]
    only = {"only_live": _apart(there, planned), "only_planned": _apart(planned, there)} if plan and live else {}
    if as_json:
        print_json({"access": rows, **only})
    else:
        print_table(rows, ["who", "where", "can", "personal"])
        for name, extra in only.items():
            if extra:
                print_table(extra, ["who", "role", "where"], f"\n{name.replace('_', ' ').capitalize()}")
        if live:
            console().print(
                "\nnot asked: the policy tag, and grants on the project and above, which hold for all datasets",
                markup=False,
            )
    if only.get("only_live"):
        raise typer.Exit(1)


def _live() -> set[Grant]:
    from google.api_core.exceptions import Forbidden

    from cli.access import live

    try:
        return live.grants(target.services())
    except Forbidden as error:
        raise CommandError(f"--live: {error.message}: expected a role that may read policies") from error


def _apart(some: set[Grant], others: set[Grant]) -> list[dict[str, Any]]:
    """Return the grants on datasets, tables and buckets of one side that the other does not have."""
    compared = ("dataset ", "table ", "bucket ")
    return [asdict(g) for g in sorted(some - others) if g.where.startswith(compared)]


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CommandError(f"{path}: expected the JSON that `terraform show -json` prints: {error}") from error
    if not isinstance(found, dict) or not found.keys() & {"planned_values", "values"}:
        raise CommandError(f"{path}: has no planned_values and no values: expected what `terraform show -json` prints")
    return found
