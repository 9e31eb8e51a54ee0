"""Which results older versions made: contract, SQL or code changed since."""

from collections.abc import Mapping
from typing import Any

from functions.ingest.version import version as ingest_version
from functions.transform.files import UnknownModelError
from functions.transform.merge import version as transform_version
from functions.validate.version import version as validate_version
from stockflow.services import Services

COLUMNS = ["stage", "feed", "stale", "of", "rows", "versions_behind", "made_until"]
_RECORDED = """
SELECT stage, feed, stage_version, COUNT(*) AS loads, SUM(`rows`) AS `rows`, MAX(finished_at) AS made_until
FROM inventory_ops.load_stages_latest
WHERE stage IN ('ingest', 'validate', 'transform') AND feed IS NOT NULL
  AND state IN ('loaded', 'rejected', 'validated', 'transformed')
GROUP BY stage, feed, stage_version
ORDER BY made_until
"""
_BY_LOAD = """
SELECT load_id, stage, feed, stage_version FROM inventory_ops.load_stages_latest
WHERE stage IN ('ingest', 'validate', 'transform') AND feed IS NOT NULL
  AND state IN ('loaded', 'rejected', 'validated', 'transformed')
ORDER BY load_id, finished_at
"""
_COMPUTED = """
SELECT kpi, definition_version, finished_at FROM inventory_ops.kpi_runs
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (PARTITION BY kpi ORDER BY finished_at DESC) = 1
"""


def current_versions(services: Services) -> dict[tuple[str, str], str]:
    """Return (stage, feed) -> the version that this checkout's contracts, SQL and code have."""
    found = {}
    for feed, contract in services.contracts.items():
        found["ingest", feed] = ingest_version(contract)
        found["validate", feed] = validate_version(contract)
        try:
            found["transform", feed] = transform_version(contract)
        except UnknownModelError:
            continue
    return found


def versions_of(stage: str, services: Services) -> dict[tuple[str, str], str]:
    """Return (stage, feed) -> the version that one stage has in this checkout; ``kpi`` has one of the catalogue."""
    if stage != "kpi":
        return current_versions(services)
    from functions.kpi.catalog import read_catalog
    from functions.kpi.drain import catalog_version

    version = catalog_version(read_catalog(services.settings.definitions_uri, services))
    return {("kpi", feed): version for feed in services.contracts}


def stale(services: Services) -> list[dict[str, Any]]:
    """Return, per stage and feed, how many loads an older version made, and how many versions ago at most.

    Of KPIs it is the table that counts, not the load: ``feed`` is the KPI's name then, ``stale`` is 1 of 1.
    """
    current = current_versions(services)
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in services.warehouse.query(_RECORDED):
        groups.setdefault((row["stage"], row["feed"]), []).append(row)
    found = [_group(key, rows, current[key]) for key, rows in sorted(groups.items()) if key in current]
    return [row for row in found if row["stale"]] + _stale_kpis(services)


def stale_loads(services: Services) -> dict[str, list[str]]:
    """Return load_id -> the stages whose result an older version made."""
    current = current_versions(services)
    found: dict[str, list[str]] = {}
    for row in services.warehouse.query(_BY_LOAD):
        if current.get((row["stage"], row["feed"]), row["stage_version"]) != row["stage_version"]:
            found.setdefault(row["load_id"], []).append(row["stage"])
    return found


def _group(key: tuple[str, str], rows: list[dict[str, Any]], current: str) -> dict[str, Any]:
    """``rows`` are one version each, the oldest first."""
    old = [r for r in rows if r["stage_version"] != current]
    known = [r["stage_version"] for r in rows if r["stage_version"] != current]
    return {
        "stage": key[0],
        "feed": key[1],
        "stale": sum(r["loads"] for r in old),
        "of": sum(r["loads"] for r in rows),
        "rows": sum(r["rows"] or 0 for r in old),
        "versions_behind": len(known),
        "made_until": max((r["made_until"] for r in old), default=None),
    }


def _stale_kpis(services: Services) -> list[dict[str, Any]]:
    from functions.kpi.catalog import read_catalog

    present: Mapping[str, Any] = read_catalog(services.settings.definitions_uri, services).definitions
    return [
        {"stage": "kpi", "feed": row["kpi"], "stale": 1, "of": 1, "rows": None, "versions_behind": 1,
         "made_until": row["finished_at"]}
        for row in services.warehouse.query(_COMPUTED)
        if row["kpi"] in present and row["definition_version"] != present[row["kpi"]].version
    ]  # fmt: skip
