"""sweep: wake what no event woke."""

from datetime import timedelta
from typing import Annotated, Any

import typer

from cli import target
from cli.output import console, print_json, print_table, quiet
from cli.stack import Json
from functions.ingest.sweep import Requeued
from functions.ingest.sweep import sweep as run_sweep


def sweep(
    older_than: Annotated[int, typer.Option(help="Announce only what has waited for this many seconds.")] = 60,
    as_json: Json = False,
) -> None:
    """Find landed objects without a load and stages that never started or are stuck, and announce them again.

    The same check runs every ten minutes; this command looks at all objects, however old.

    Examples:

      stockflow sweep

      stockflow sweep --older-than 0
    """
    quiet()
    found = rows(run_sweep(target.services(), timedelta(seconds=older_than)))
    if as_json:
        print_json(found)
    elif found:
        print_table(found, ["waits_for", "feed", "object", "load_id", "since"])
        console().print(f"{len(found)} announced again: `stockflow loads` shows their progress")
    else:
        console().print("nothing is waiting")


def rows(requeued: Requeued) -> list[dict[str, Any]]:
    """Return one row per event that was published."""
    objects = [
        {"waits_for": "ingest", "feed": None, "object": ref.name, "load_id": ref.load_id, "since": ref.created}
        for ref in requeued.objects
    ]
    loads = [
        {"waits_for": r["stage"], "feed": r["feed"], "object": None, "load_id": r["load_id"], "since": r["waits_since"]}
        for r in requeued.loads
    ]
    return objects + loads
