"""The rows of each load in the curated tables, counted now: what it stated, and what of that newer files replaced."""

from collections.abc import Iterable
from typing import Any

from stockflow.services import Services

# Per load: typed rows (each statement it ever made), and those that are the present statement of their key; what a
# newer generation of the same file replaced as a whole has none of these.
_FEED = """
SELECT
  '{feed}' AS feed, _load_id AS load_id, COUNT(*) AS typed_rows, 0 AS current_rows, MAX(_replaced_by) AS replaced_by
FROM inventory_curated.{feed}_history GROUP BY _load_id
UNION ALL
SELECT '{feed}', _load_id, 0, COUNT(*), CAST(NULL AS STRING) FROM inventory_curated.{feed} GROUP BY _load_id
"""
_COUNTS = """
SELECT feed, load_id, SUM(typed_rows) AS typed_rows, SUM(current_rows) AS current_rows, MAX(replaced_by) AS replaced_by
FROM ({feeds}) GROUP BY feed, load_id
"""


def curated_rows(services: Services, feeds: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return load_id -> ``typed_rows``, ``current_rows`` and ``superseded``: the typed rows that are not current.

    ``replaced_by`` is the load of a newer generation of the same file that replaces all of it; None when none does.
    """
    return {load: row for rows in by_feed(services, feeds).values() for load, row in rows.items()}


def by_feed(services: Services, feeds: Iterable[str]) -> dict[str, dict[str, dict[str, Any]]]:
    """Return feed -> load_id -> what ``curated_rows`` says of it: one query for all feeds."""
    found: dict[str, dict[str, dict[str, Any]]] = {feed: {} for feed in sorted(feeds)}
    parts = [_FEED.format(feed=feed) for feed in found]
    for row in services.warehouse.query(_COUNTS.format(feeds="UNION ALL".join(parts))) if parts else ():
        found[row["feed"]][row["load_id"]] = {**row, "superseded": row["typed_rows"] - row["current_rows"]}
    return found


def with_superseded(services: Services, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return loads with what is superseded of each now; None for a load that never was transformed.

    One that a newer generation of its file replaces as a whole says by which load: ``replaced_by``.
    """
    counted = curated_rows(services, {r["feed"] for r in rows if _transformed(r)})
    return [{**row, **_now(row, counted.get(row["load_id"], {}))} for row in rows]


def _now(row: dict[str, Any], counts: dict[str, Any]) -> dict[str, Any]:
    if not _transformed(row):
        return {"superseded": None}
    replaced = {"replaced_by": counts["replaced_by"]} if counts.get("replaced_by") else {}
    return {"superseded": counts.get("superseded", 0), **replaced}


def _transformed(row: dict[str, Any]) -> bool:
    return row["stage"] in ("transform", "kpi")
