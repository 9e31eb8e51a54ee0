"""audit: proves that nothing was lost and nothing doubled."""

from collections import Counter
from typing import Any

import typer

from cli import target
from cli.books import curated_rows
from cli.output import console, print_json, print_table
from cli.stack import Json
from stockflow.identity import load_id
from stockflow.services import Services

END_STATES = ("loaded", "rejected", "duplicate_content", "ignored")
_BOOKS = """
SELECT load_id, feed, object, end_state, `lines`, `rows`, rejects, stage, state FROM inventory_ops.loads
"""
# Per load of a feed: rows in raw, and rows refused by validate or transform.
_FEED = """
SELECT load_id, SUM(raw_rows) AS raw_rows, SUM(refused_rows) AS refused_rows
FROM (
  SELECT _load_id AS load_id, COUNT(*) AS raw_rows, 0 AS refused_rows FROM inventory_raw.{feed} GROUP BY _load_id
  UNION ALL
  SELECT load_id, 0, COUNT(DISTINCT line) FROM inventory_ops.quarantine WHERE feed = '{feed}' GROUP BY load_id
)
GROUP BY load_id
"""
_TWICE = "SELECT _load_id AS load_id, _line AS line FROM inventory_raw.{feed} GROUP BY 1, 2 HAVING COUNT(*) > 1 LIMIT 5"


def check(services: Services) -> list[dict[str, Any]]:
    """Return one row per broken promise: the load, what was expected, what was found."""
    books = {row["load_id"]: row for row in services.warehouse.query(_BOOKS)}
    broken = _landed(services, books)
    for feed in services.contracts:
        counts = {row["load_id"]: row for row in services.warehouse.query(_FEED.format(feed=feed))}
        for load, curated in curated_rows(services, [feed]).items():
            counts[load] = counts.get(load, {}) | curated
        mine = {i: b for i, b in books.items() if b["feed"] == feed}
        for load in mine.keys() | counts.keys():
            broken += _balance(load, mine.get(load), counts.get(load, {}))
        broken += [
            _break(row["load_id"], "each line once in raw", f"line {row['line']} more than once")
            for row in services.warehouse.query(_TWICE.format(feed=feed))
        ]
    return broken


def _landed(services: Services, books: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Every object in the landing bucket has a load with exactly one end state."""
    broken = []
    for ref in services.store.list(services.settings.landing_bucket):
        row = books.get(load_id(ref.bucket, ref.name, ref.generation))
        if row is None:
            broken.append(_break(ref.load_id, "an end state", f"{ref.name} landed and has no load"))
        elif row["end_state"] not in END_STATES:
            broken.append(_break(ref.load_id, f"one of {', '.join(END_STATES)}", f"{ref.name} is {row['end_state']}"))
    return broken


def _balance(load: str, book: dict[str, Any] | None, counts: dict[str, Any]) -> list[dict[str, Any]]:
    """lines = rows + rejects; raw = rows; raw = present + superseded + quarantined."""
    raw = counts.get("raw_rows") or 0
    if book is None:
        return [_break(load, "a load in the ledger", f"{raw} rows in raw of a load that the ledger does not know")]
    rows, broken = book["rows"] or 0, []
    if (book["lines"] or 0) != rows + (book["rejects"] or 0):
        broken.append(_break(load, f"{book['lines']} lines", f"{rows} rows + {book['rejects']} rejects"))
    if raw != rows:
        broken.append(_break(load, f"{rows} rows in raw", f"{raw}"))
    if book["state"] in ("transformed", "refreshed"):
        typed, refused = counts.get("typed_rows") or 0, counts.get("refused_rows") or 0
        current = counts.get("current_rows") or 0
        if raw != typed + refused or current > typed:
            found = f"{current} current + {counts.get('superseded') or 0} superseded + {refused} quarantined"
            broken.append(_break(load, f"{raw} rows of raw accounted for", found))
    return broken


def _break(load: str, expected: str, found: str) -> dict[str, Any]:
    return {"load_id": load, "expected": expected, "found": found}


def audit(as_json: Json = False) -> None:
    """Prove promise 1: every landed file has one end state, and every row is accounted for.

    Exit code 1 when it does not hold; each line names the load.

    Examples:

      stockflow audit

      stockflow audit --json
    """
    services = target.services()
    broken = check(services)
    states = Counter(r["end_state"] for r in services.warehouse.query(_BOOKS))
    if as_json:
        print_json({"holds": not broken, "loads": dict(states), "broken": broken})
    elif broken:
        print_table(broken, ["load_id", "expected", "found"], "Broken")
    else:
        ended = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
        console().print(f"holds: {sum(states.values())} loads ({ended}), every row accounted for")
    if broken:
        raise typer.Exit(1)
