"""The books of each load in the curated tables, counted now: what it stated, and what of that newer files replaced."""

from collections.abc import Iterable
from typing import Any

from stockflow.services import Services

# Per load: typed rows (each statement it ever made), and those that are the present statement of their key.
_FEED = """
SELECT _load_id AS load_id, COUNT(*) AS typed_rows, 0 AS current_rows
FROM inventory_curated.{feed}_history GROUP BY _load_id
UNION ALL
SELECT _load_id, 0, COUNT(*) FROM inventory_curated.{feed} GROUP BY _load_id
"""
_BOOKS = """
SELECT load_id, SUM(typed_rows) AS typed_rows, SUM(current_rows) AS current_rows
FROM ({feeds}) GROUP BY load_id
"""


def curated_rows(services: Services, feeds: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return load_id -> ``typed_rows``, ``current_rows`` and ``superseded``: the typed rows that are not current."""
    parts = [_FEED.format(feed=feed) for feed in sorted(feeds)]
    if not parts:
        return {}
    found = services.warehouse.query(_BOOKS.format(feeds="UNION ALL".join(parts)))
    return {row["load_id"]: {**row, "superseded": row["typed_rows"] - row["current_rows"]} for row in found}


def with_superseded(services: Services, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return loads with what is superseded of each now; None for a load that never was transformed."""
    books = curated_rows(services, {r["feed"] for r in rows if _transformed(r)})

    def now(row: dict[str, Any]) -> int | None:
        return books.get(row["load_id"], {"superseded": 0})["superseded"] if _transformed(row) else None

    return [{**row, "superseded": now(row)} for row in rows]


def _transformed(row: dict[str, Any]) -> bool:
    return row["stage"] in ("transform", "kpi")
