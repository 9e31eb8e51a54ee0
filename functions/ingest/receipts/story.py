"""Loads that came to an end, and what the ledger keeps of them, asked for many loads at once.

No column that may hold personal data is read here: the identity of ingest would see NULL in it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from functions.ingest.receipts.says import detail_of
from stockflow.services import Services

ROWS = 500  # refused lines of one load, of each of the two kinds, that are asked for
# A load has ended when the KPIs hold it, or when one of its stages let nothing of it through.
_ENDED = """
WITH latest AS (
  SELECT load_id, landed_on, state, finished_at
  FROM inventory_ops.load_stages
  WHERE landed_on >= @since
  QUALIFY ROW_NUMBER() OVER (PARTITION BY load_id, stage ORDER BY finished_at DESC, record_id DESC) = 1
)
SELECT load_id, landed_on, MAX(finished_at) AS ended_at
FROM latest
GROUP BY load_id, landed_on
HAVING MAX(finished_at) >= @after
  AND COUNTIF(
    state = 'refreshed' OR state NOT IN ('loaded', 'handed_over', 'validated', 'transformed', 'computing')
  ) > 0
ORDER BY ended_at, load_id
"""
_STAGES = """
SELECT load_id, feed, bucket, object, generation, landed_at, landed_on, size_bytes, stage, state, `lines`, `rows`,
  rejects, quarantined, superseded, reason_code, message, finished_at, detail
FROM inventory_ops.load_stages_latest
WHERE landed_on IN UNNEST(@days) AND load_id IN UNNEST(@loads)
ORDER BY load_id, finished_at
"""
_COUNTED = """
SELECT 'rejects_by_code' AS kind, load_id, code, CAST(NULL AS STRING) AS rule, CAST(NULL AS STRING) AS column_name,
  CAST(NULL AS STRING) AS expected, COUNT(*) AS `rows`, MIN(line) AS first_line
FROM inventory_ops.rejects
WHERE landed_on IN UNNEST(@days) AND load_id IN UNNEST(@loads)
GROUP BY load_id, code
UNION ALL
SELECT 'quarantine_by_rule', load_id, CAST(NULL AS STRING), rule, column_name, MIN(expected), COUNT(*), MIN(line)
FROM inventory_ops.quarantine
WHERE landed_on IN UNNEST(@days) AND load_id IN UNNEST(@loads)
GROUP BY load_id, rule, column_name
UNION ALL
SELECT 'warnings', load_id, CAST(NULL AS STRING), rule, column_name, CAST(NULL AS STRING), failed, CAST(NULL AS INT64)
FROM inventory_ops.expectations
WHERE landed_on IN UNNEST(@days) AND load_id IN UNNEST(@loads) AND severity = 'warning' AND NOT success
ORDER BY kind, load_id, `rows` DESC, code, rule
"""
_REFUSED = """
SELECT 'rejects' AS kind, load_id, line, CAST(NULL AS INT64) AS `row`, code AS rule,
  CAST(NULL AS STRING) AS column_name, expected, message
FROM inventory_ops.rejects
WHERE landed_on IN UNNEST(@days) AND load_id IN UNNEST(@loads)
QUALIFY ROW_NUMBER() OVER (PARTITION BY load_id ORDER BY line, number) <= @most
UNION ALL
SELECT 'quarantine', load_id, line, `row`, rule, column_name, expected, message
FROM inventory_ops.quarantine
WHERE landed_on IN UNNEST(@days) AND load_id IN UNNEST(@loads)
QUALIFY ROW_NUMBER() OVER (PARTITION BY load_id ORDER BY line, rule) <= @most
ORDER BY kind, load_id, line, rule
"""
_KINDS = ("stages", "rejects_by_code", "rejects", "quarantine_by_rule", "quarantine", "warnings")
_LETS_THROUGH = {"ingest": "loaded", "validate": "validated", "transform": "transformed"}


@dataclass(frozen=True)
class Ended:
    """A load that ended at that time (UTC)."""

    load_id: str
    landed_on: date
    ended_at: datetime


def ended(services: Services, after: datetime, since: date) -> list[Ended]:
    """Return the loads that landed from a day on and whose last record is not older than ``after``, by that record."""
    pages = services.warehouse.pages(_ENDED, {"after": after, "since": since})
    return [Ended(row["load_id"], row["landed_on"], row["ended_at"]) for page in pages for row in page]


def stories(services: Services, loads: Sequence[Ended]) -> dict[str, dict[str, Any]]:
    """Return load id -> its stages, its refused lines, counted and the first of them, and its warnings; three queries.

    What was refused is asked for only when a load has refused lines.
    """
    params = {"days": sorted({load.landed_on for load in loads}), "loads": [load.load_id for load in loads]}
    found: dict[str, dict[str, Any]] = {load.load_id: {kind: [] for kind in _KINDS} for load in loads}
    stages = services.warehouse.query(_STAGES, params)
    rows: list[Mapping[str, Any]] = [{**row, "kind": "stages"} for row in stages]
    rows += services.warehouse.query(_COUNTED, params)
    if any(row["rejects"] or row["quarantined"] for row in stages):
        rows += services.warehouse.query(_REFUSED, {**params, "most": ROWS})
    for row in rows:
        # of a union only the first names count: what failed of a warning comes as `rows`
        found[row["load_id"]][row["kind"]].append({**row, "failed": row["rows"]} if row["kind"] == "warnings" else row)
    return found


def load_of(stages: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a load and its row counts, as the view ``inventory_ops.loads`` has them, from its latest stages.

    ``superseded`` are the rows that newer statements had replaced when transform ended.
    """
    by = {stage["stage"]: stage for stage in stages}
    first, decided = by["ingest"], _decided(by)
    return {
        **{n: first[n] for n in ("load_id", "feed", "bucket", "object", "generation", "landed_at", "size_bytes")},
        **{name: first[name] for name in ("lines", "rows", "rejects")},
        **{name: decided[name] for name in ("state", "reason_code", "message")},
        "quarantined": sum(int(by[s]["quarantined"] or 0) for s in ("validate", "transform") if s in by),
        "superseded": by["transform"]["superseded"] if "transform" in by else None,
    }


def _decided(by: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the record that says how a load ended: of the first stage that let nothing through, or of the last."""
    stopped = (by[stage] for stage, passed in _LETS_THROUGH.items() if stage in by and by[stage]["state"] != passed)
    return next(stopped, None) or by.get("kpi") or list(by.values())[-1]


def computed(stages: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the KPIs that the drain computed which took the load in."""
    detail = detail_of(next((stage for stage in stages if stage["stage"] == "kpi"), None))
    return [{"kpi": name} for name in sorted(detail.get("computed") or [])]
