"""loads and explain: what happened to each file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import target, wording
from cli.output import CommandError, console, print_json, print_table
from cli.reconciliation import with_superseded
from cli.stack import Json
from cli.stale import stale_loads
from functions.ingest.receipts.described import described, detail_in, doubts, in_doubt, restated, unused, unvalued
from functions.ingest.receipts.says import named
from stockflow.services import Services

COLUMNS = [
    "load_id",
    "feed",
    "object",
    "stage",
    "state",
    "lines",
    "rows",
    "rejects",
    "quarantined",
    "superseded",
    "seconds",
]
LATER = "later statements of the same keys, in this file or in others"
_LOADS = """
SELECT load_id, feed, bucket, object, generation, landed_at, landed_on, stage, state, end_state, `lines`, `rows`,
  rejects, quarantined, reason_code, message, seconds, unused_columns, absent_measures,
  doubts
FROM inventory_ops.loads
WHERE (@feed = '' OR feed = @feed) AND (@state = '' OR state = @state OR end_state = @state)
  AND (@all OR load_id IN UNNEST(@load_ids))
ORDER BY landed_at, object, generation
"""


def find_loads(
    services: Services, feed: str = "", state: str = "", load_ids: list[str] | None = None
) -> list[dict[str, Any]]:
    """Return loads by landing time."""
    params = {"feed": feed, "state": state, "all": load_ids is None, "load_ids": load_ids or []}
    return [{**row, **_decoded(row)} for row in services.warehouse.query(_LOADS, params)]


def _decoded(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: wording.parsed(row[name]) for name in ("unused_columns", "absent_measures", "doubts")}


_NAMED = """
SELECT load_id FROM inventory_ops.loads
WHERE (LENGTH(@what) >= 6 AND STARTS_WITH(load_id, @what)) OR object = @what
  OR CONCAT('gs://', bucket, '/', object) = @what OR object = @name OR ENDS_WITH(object, CONCAT('/', @name))
"""


def loads_named(services: Services, what: str) -> list[dict[str, Any]]:
    """Return the loads that a load id, an object or a file name may mean, by landing time."""
    found = services.warehouse.query(_NAMED, {"what": what, "name": Path(what).name})
    return find_loads(services, load_ids=[row["load_id"] for row in found]) if found else []


def list_loads(
    ctx: typer.Context,
    feed: Annotated[str, typer.Option(help="Only this feed.")] = "",
    state: Annotated[str, typer.Option(help="Only this state, such as rejected.")] = "",
    stale: Annotated[bool, typer.Option("--stale", help="Only what an older contract, SQL or code made.")] = False,
    as_json: Json = False,
) -> None:
    """List the loads: how far each came, and whether its rows add up.

    Examples:

      stockflow loads

      stockflow loads --state rejected

      stockflow loads --feed sales --json

      stockflow loads --stale
    """
    if ctx.invoked_subcommand:
        return
    services = target.services()
    rows = with_superseded(services, find_loads(services, feed, state))
    if stale:
        old = stale_loads(services)
        rows = [{**r, "stale_stages": ", ".join(old[r["load_id"]])} for r in rows if r["load_id"] in old]
    if as_json:
        print_json(rows)
    elif rows:
        print_table(rows, [*COLUMNS, "stale_stages"] if stale else COLUMNS)
        for row in rows:
            tell_of(row)
    else:
        console().print("no loads" + (" match" if feed or state or stale else ": drop a file with `stockflow drop`"))


def tell_of(row: Mapping[str, Any]) -> None:
    """Print what a person should look at in a load: columns without use, values that could be read two ways."""
    if row["unused_columns"]:
        console().print(f"{row['object']}: columns not used: {unused(row['unused_columns'])}", markup=False)
    for doubt in doubts(row["doubts"] or ()):
        console().print(f"{row['object']}: {doubt}", style="yellow", markup=False)


_STAGES = """
SELECT stage, state, stage_version, `lines`, `rows`, rejects, quarantined, superseded, reason_code, message, started_at,
  finished_at, detail
FROM inventory_ops.load_stages_latest WHERE landed_on = @day AND load_id = @load ORDER BY finished_at
"""
_REJECTS = """
SELECT line, code, message, found, expected, original_text FROM inventory_ops.rejects
WHERE landed_on = @day AND load_id = @load ORDER BY line LIMIT @most
"""
_REJECTS_BY_CODE = """
SELECT code, COUNT(*) AS `rows`, MIN(line) AS first_line FROM inventory_ops.rejects
WHERE landed_on = @day AND load_id = @load GROUP BY code ORDER BY `rows` DESC, code
"""
_QUARANTINE = """
SELECT line, `row`, stage, column_name, value, rule, expected, message, original_row
FROM inventory_ops.quarantine WHERE landed_on = @day AND load_id = @load ORDER BY line, rule LIMIT @most
"""
_QUARANTINE_BY_RULE = """
SELECT stage, rule, column_name, COUNT(*) AS `rows`, MIN(line) AS first_line, MIN(expected) AS expected
FROM inventory_ops.quarantine WHERE landed_on = @day AND load_id = @load
GROUP BY stage, rule, column_name ORDER BY `rows` DESC, rule
"""
FIRST = 20  # lines that are shown unless all are asked for
ALL = 10**9
_WARNINGS = """
SELECT rule, column_name, checked, failed, observed FROM inventory_ops.expectations
WHERE landed_on = @day AND load_id = @load AND severity = 'warning' AND NOT success ORDER BY rule
"""


def history(services: Services, load: dict[str, Any], most: int = ALL) -> dict[str, Any]:
    """Return everything that happened to a load; of refused lines the first ``most``, and all counted by rule."""
    params = {"load": load["load_id"], "day": load["landed_on"], "most": most}

    def query(sql: str) -> list[dict[str, Any]]:
        return services.warehouse.query(sql, {name: value for name, value in params.items() if f"@{name}" in sql})

    story = {
        "load": load,
        "stages": query(_STAGES),
        "rejects_by_code": query(_REJECTS_BY_CODE),
        "rejects": query(_REJECTS),
        "quarantine_by_rule": query(_QUARANTINE_BY_RULE),
        "quarantine": query(_QUARANTINE),
        "warnings": query(_WARNINGS),
    }
    return {**story, "quarantine": named(story)}


def explain(
    what: Annotated[str, typer.Argument(help="A load id, an object, or the name of a file that was dropped.")],
    show_all: Annotated[bool, typer.Option("--all", help="Each refused line, not only the first 20.")] = False,
    as_json: Json = False,
) -> None:
    """Explain everything that happened to a file: each stage, refused lines by rule, the first of them with its reason.

    A name that was dropped several times explains the last one.

    Examples:

      stockflow explain sales_2026-W36.csv

      stockflow explain sales_2026-W36.csv --all

      stockflow explain 0d5aa0c1f3c9a4b7e2d1 --json --all
    """
    services = target.services()
    (load,) = with_superseded(services, [pick(loads_named(services, what), what)])
    story = history(services, load, ALL if show_all else FIRST)
    print_json(story) if as_json else _tell(story)


def pick(rows: list[dict[str, Any]], what: str) -> dict[str, Any]:
    """Return the newest load that a load id, an object or a file name means.

    Raises:
        CommandError: when none does.
    """
    name = Path(what).name
    matches = [r for r in rows if r["load_id"].startswith(what)] if len(what) >= 6 else []
    matches = matches or [r for r in rows if r["object"] and what in (f"gs://{r['bucket']}/{r['object']}", r["object"])]
    matches = matches or [r for r in rows if r["object"] and Path(r["object"]).name == name]
    if not matches:
        raise CommandError(f"no load of {what!r}: `stockflow loads` lists them (a file shows seconds after it landed)")
    newest: dict[str, Any] = matches[-1]
    return newest


def ended(load: Mapping[str, Any]) -> str:
    """Return how a load of the ledger ended, with its reason where it has one."""
    return wording.ending(load["state"], load["reason_code"], load["message"] if load["reason_code"] else None)


def reading(stages: list[dict[str, Any]]) -> list[str]:
    """Return how ingest understood the file, and what it decided about its headers, in lines for a person."""
    return described(detail_in(stages, "ingest"))


def read_as(stages: list[dict[str, Any]]) -> list[str]:
    """Return how a load was read, and what its stages warn of, in lines for a person."""
    return [line for told in (reading, in_doubt, restated, unvalued) for line in told(stages)]


def _tell(story: dict[str, Any]) -> None:
    load, out = story["load"], console()
    out.print(f"[bold]{load['object']}[/]  load {load['load_id']}, landed {load['landed_at']:%Y-%m-%d %H:%M:%S} UTC")
    out.print(f"state: {ended(load)}", markup=False)
    if load["superseded"]:
        by = f"the newer file of the same name (load {newer})" if (newer := load.get("replaced_by")) else ""
        out.print(f"superseded: {load['superseded']} of its rows, by {by or LATER}")
    for line in read_as(story["stages"]):
        out.print(line, markup=False)
    counts = ["stage", "state", "rows", "rejects", "quarantined", "superseded", "finished_at", "reason_code"]
    print_table(story["stages"], counts, "\nStages")
    columns = ["line", "code", "found", "expected", "message", "original_text"]
    _refused(story, "rejects", "rejects_by_code", columns, "Lines that could not be read")
    columns = ["line", "column_name", "value", "rule", "expected", "message"]
    _refused(story, "quarantine", "quarantine_by_rule", columns, "Rows that broke a rule")
    if story["warnings"]:
        print_table(story["warnings"], ["rule", "column_name", "checked", "failed", "observed"], "\nWarnings")


def _refused(story: dict[str, Any], name: str, by: str, columns: list[str], title: str) -> None:
    """Print refused lines: counted when they are not all shown, then those that are."""
    shown, counts = story[name], story[by]
    total = sum(c["rows"] for c in counts)
    if total > len(shown):
        print_table(counts, [c for c in counts[0] if c != "stage"], f"\n{title}: {total:,}")
        title = f"The first {len(shown)} (`--all` prints each)"
    if shown:
        print_table(shown, columns, f"\n{title}")
