"""quarantine: refused rows, out to a person and back in."""

import csv
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import typer

from cli import target
from cli.loads import find_loads, pick
from cli.nearest import hint
from cli.output import CommandError, console, print_json, print_table
from cli.replay.choice import Choice
from cli.replay.command import plan_of, run
from cli.stack import Json
from stockflow import values
from stockflow.contracts import Column, Contract
from stockflow.services import Services
from stockflow.values import Formats

app = typer.Typer(no_args_is_help=True, help="Refused rows: list, show, export to be corrected, release.")
REASONS, ROW = "refused_because", "refused_row"
Feed = Annotated[str, typer.Option(help="Only this feed.")]
Load = Annotated[str, typer.Option(help="Only this load: its id, object or file name.")]

# Open: refused, and neither was its key stated again since then, nor did a row that says it corrects this one (an
# exported row names the row it was) come through.
_OPEN = """
WITH refused AS (
  SELECT found.load_id, found.feed, loads.object, loads.generation, loads.landed_at, found.`row`, found.line,
    found.stage, found.rule, found.column_name, found.value, found.expected, found.message, found.original_row,
    COALESCE(JSON_VALUE(judged.detail, '$.decimal_mark'), '.') AS decimal_mark,
    COALESCE(JSON_VALUE(judged.detail, '$.date_order'), 'ymd') AS date_order,
    COALESCE(JSON_VALUE(judged.detail, '$.time_zone'), 'UTC') AS time_zone
  FROM inventory_ops.quarantine AS found
  JOIN inventory_ops.loads AS loads ON loads.landed_on = found.landed_on AND loads.load_id = found.load_id
  LEFT JOIN inventory_ops.load_stages_latest AS judged
    ON judged.landed_on = found.landed_on AND judged.load_id = found.load_id AND judged.stage = 'validate'
  WHERE found.feed = @feed AND (@load = '' OR found.load_id = @load)
),
named AS ({named}),
restated AS (
  SELECT DISTINCT refused.load_id, refused.`row`
  FROM refused
  JOIN inventory_curated.{feed} AS newer ON {same_key} AND newer._generation > refused.generation
)
SELECT refused.* EXCEPT (generation, landed_at)
FROM refused
LEFT JOIN restated ON restated.load_id = refused.load_id AND restated.`row` = refused.`row`
LEFT JOIN named ON named.refused_row = CONCAT(refused.load_id, '/', CAST(refused.`row` AS STRING))
WHERE restated.load_id IS NULL AND named.refused_row IS NULL
ORDER BY refused.landed_at, refused.load_id, refused.`row`, refused.stage, refused.rule
"""
_NAMED = """
SELECT DISTINCT JSON_VALUE(raw._extra, '$.refused_row') AS refused_row
FROM inventory_raw.{feed}_accepted AS raw
JOIN inventory_curated.{feed}_history AS typed ON typed._load_id = raw._load_id AND typed._line = raw._line
WHERE JSON_VALUE(raw._extra, '$.refused_row') IS NOT NULL
"""
# A cell of a refused row, read as transform reads it.
_READ = {
    "integer": "inventory_curated.to_integer({cell}, refused.decimal_mark)",
    "number": "inventory_curated.to_number({cell}, refused.decimal_mark)",
    "date": "inventory_curated.to_date({cell}, refused.date_order, refused.time_zone)",
    "timestamp": "inventory_curated.to_timestamp({cell}, refused.date_order, refused.time_zone)",
}


def open_sql(contract: Contract) -> str:
    """Return the query for the refused rows of a feed that nobody has corrected."""
    stated = {c.name for c in contract.stated}
    keys = [contract.column(name) for name in contract.key if name in stated]
    # A part of the key that a file may leave out says nothing where it is blank.
    same_key = " AND ".join(
        f"newer.{c.name} = {_read(c)}" if c.required else f"({_read(c)} IS NULL OR newer.{c.name} = {_read(c)})"
        for c in keys
    )
    return _OPEN.format(feed=contract.feed, named=_NAMED.format(feed=contract.feed), same_key=same_key)


def _read(column: Column) -> str:
    cell = f"JSON_VALUE(refused.original_row, '$.{column.name}')"
    return _READ.get(column.logical_type, "inventory_curated.to_code({cell})").format(cell=cell)


def open_rows(services: Services, feed: str = "", load: str = "") -> list[dict[str, Any]]:
    """Return the refused rows that nobody has corrected yet, one per broken rule.

    Raises:
        CommandError: an unknown feed.
    """
    if feed and feed not in services.contracts:
        raise CommandError(f"{feed!r} is not a known feed{hint(feed, services.contracts)}")
    found = []
    for name in [feed] if feed else _feeds(services):
        found += services.warehouse.query(open_sql(services.contracts[name]), {"feed": name, "load": load})
    return found


def _feeds(services: Services) -> list[str]:
    rows = services.warehouse.query("SELECT DISTINCT feed FROM inventory_ops.quarantine ORDER BY feed")
    return [row["feed"] for row in rows if row["feed"] in services.contracts]


def _load(services: Services, what: str) -> str:
    return str(pick(find_loads(services), what)["load_id"]) if what else ""


@app.command("list")
def list_(feed: Feed = "", as_json: Json = False) -> None:
    """List the loads with refused rows that nobody has corrected yet, by the rule that they break.

    Examples:

      stockflow quarantine list

      stockflow quarantine list --feed sales
    """
    groups: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in open_rows(target.services(), feed):
        key = (row["feed"], row["load_id"], row["rule"], row["column_name"] or "")
        group = groups.setdefault(key, {**row, "rows": 0, "for_example": row["value"]})
        group["rows"] += 1
    names = ["feed", "load_id", "object", "stage", "rule", "column_name", "rows", "for_example"]
    if as_json:
        print_json([{n: g[n] for n in names} for g in groups.values()])
    elif groups:
        print_table(groups.values(), names)
    else:
        console().print("nothing is in quarantine" + (f" of {feed}" if feed else ""))


@app.command()
def show(
    what: Annotated[str, typer.Argument(help="A load id, an object, or the name of a file that was dropped.")],
    as_json: Json = False,
) -> None:
    """Show the refused rows of a load: line, column, value, what was expected.

    Examples:

      stockflow quarantine show sales_2026-W36.csv
    """
    services = target.services()
    load = pick(find_loads(services), what)
    rows = open_rows(services, load["feed"] or "", load["load_id"])
    if as_json:
        print_json(rows)
    else:
        print_table(rows, ["line", "stage", "column_name", "value", "rule", "expected", "message"], load["object"])


@app.command()
def export(
    feed: Feed = "",
    load: Load = "",
    to: Annotated[Path, typer.Option(help="Folder for the files, one per load.")] = Path("quarantine"),
    as_json: Json = False,
) -> None:
    """Write refused rows to CSV files, to be corrected and dropped again.

    One file per load, below a folder of its feed. Two columns are added: refused_because says what is wrong, and
    refused_row which row this was: leave that one in, it is how the corrected row takes the refused one's place.
    Numbers and dates that could be read are written the neutral way (12.5, 2026-10-31).

    Examples:

      stockflow quarantine export --feed sales

      stockflow quarantine export --load sales_2026-W36.csv --to /tmp/to_correct
    """
    services = target.services()
    by_load: dict[str, list[dict[str, Any]]] = {}
    for row in open_rows(services, feed, _load(services, load)):
        by_load.setdefault(row["load_id"], []).append(row)
    written = [_write(rows, services.contracts[rows[0]["feed"]], to) for rows in by_load.values()]
    if as_json:
        print_json(written)
    elif written:
        print_table(written, ["file", "rows"])
        console().print("correct them and drop them again: `stockflow drop FILE --wait`")
    else:
        console().print("nothing is in quarantine")


def _write(rows: list[dict[str, Any]], contract: Contract, folder: Path) -> dict[str, Any]:
    """Write the refused rows of one load; return the file and how many rows it has."""
    first = rows[0]
    path = (
        folder / first["feed"] / f"{PurePosixPath(first['object']).name.partition('.')[0]}.{first['load_id'][:8]}.csv"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = corrected_lines(rows, contract)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(dict.fromkeys(name for line in lines for name in line)))
        writer.writeheader()
        writer.writerows(lines)
    return {"file": path.as_posix(), "rows": len(lines)}


def corrected_lines(rows: Iterable[Mapping[str, Any]], contract: Contract) -> list[dict[str, str]]:
    """Return one CSV line per refused row of a load, with every reason and the row's own name."""
    found: dict[int, dict[str, str]] = {}
    for row in rows:
        reason = f"{row['column_name'] or row['rule']}: {row['message']}"
        if row["row"] in found:
            found[row["row"]][REASONS] += f"; {reason}"
            continue
        original = json.loads(row["original_row"] or "{}")
        extra = json.loads(original.pop("_extra", None) or "{}")
        formats = Formats(
            row["decimal_mark"] or ".", row["date_order"] or "ymd", time_zone=row.get("time_zone") or "UTC"
        )
        cells = {c.name: neutral(c, original.get(c.name), formats) for c in contract.stated}
        cells |= {k: str(v) for k, v in extra.items() if k not in (REASONS, ROW)}
        found[row["row"]] = {**cells, REASONS: reason, ROW: f"{row['load_id']}/{row['row']}"}
    return list(found.values())


def neutral(column: Column, text: str | None, formats: Formats) -> str:
    """Return a cell as any file can hold it: ISO dates, decimal points; as written when it cannot be read."""
    if text is None or values.is_blank(text, column.kind):
        return text or ""
    if column.logical_type in ("number", "integer"):
        number: Decimal | None = values.to_number(text, formats.decimal_mark)
        return text if number is None else format(number.normalize(), "f")
    if column.logical_type == "date":
        day = values.to_date(text, formats.date_order, formats.time_zone)
        return text if day is None else day.isoformat()
    if column.logical_type == "timestamp":
        moment = values.to_timestamp(text, formats.date_order, formats.time_zone)
        return text if moment is None else moment.isoformat()
    return text


@app.command()
def release(
    feed: Feed = "",
    load: Load = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would run, and stop.")] = False,
    timeout: Annotated[int, typer.Option(help="Longest time to wait, in seconds.")] = 900,
    as_json: Json = False,
) -> None:
    """Judge the refused rows again by the present contract, without their files: raw keeps every row.

    Those that pass now go on to curated and the KPIs; the others stay.

    Examples:

      stockflow quarantine release --feed sales

      stockflow quarantine release --load sales_2026-W36.csv --dry-run
    """
    services = target.services()
    before = open_rows(services, feed, _load(services, load))
    if not before:
        print_json({"refused": 0}) if as_json else console().print("nothing is in quarantine")
        return
    stage = "validate" if any(row["stage"] == "validate" for row in before) else "transform"
    plan = plan_of(Choice(stage, loads=tuple(sorted({row["load_id"] for row in before}))), services)
    run(plan, services, timeout, as_json, dry_run)
    if dry_run or as_json:
        return
    left = {(row["load_id"], row["row"]) for row in open_rows(services, feed, _load(services, load))}
    was = {(row["load_id"], row["row"]) for row in before}
    console().print(f"{len(was - left)} of {len(was)} rows released, {len(was & left)} stay refused")
