"""Which results older versions made: contract, SQL or code changed since."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from functions.ingest.version import version as ingest_version
from functions.transform.files import UnknownModelError
from functions.transform.merge import version as transform_version
from functions.validate.version import version as validate_version
from stockflow.contracts import Contract
from stockflow.senders import Sender, contract_of
from stockflow.services import Services

COLUMNS = ["stage", "feed", "stale", "of", "rows", "versions_behind", "made_until"]
_RECORDED = """
SELECT stage, feed, stage_version, {sender} AS sender, COUNT(*) AS loads, SUM(`rows`) AS `rows`,
  MAX(finished_at) AS made_until
FROM inventory_ops.load_stages_latest
WHERE stage IN ('ingest', 'validate', 'transform') AND feed IS NOT NULL
  AND state IN ('loaded', 'rejected', 'validated', 'transformed')
GROUP BY stage, feed, stage_version, sender
ORDER BY made_until
"""
_BY_LOAD = """
SELECT load_id, stage, feed, stage_version, object FROM inventory_ops.load_stages_latest
WHERE stage IN ('ingest', 'validate', 'transform') AND feed IS NOT NULL
  AND state IN ('loaded', 'rejected', 'validated', 'transformed')
ORDER BY load_id, finished_at
"""
_COMPUTED = """
SELECT kpi, definition_version, finished_at FROM inventory_ops.kpi_runs
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (PARTITION BY kpi ORDER BY finished_at DESC) = 1
"""


@dataclass(frozen=True)
class Versions:
    """The versions that this checkout's contracts, profiles, SQL and code have: (stage, feed) -> version in ``feeds``.

    A sender's profile makes other versions of ingest and validate for its files.
    """

    feeds: Mapping[tuple[str, str], str]
    contracts: Mapping[str, Contract] = field(default_factory=dict)
    senders: tuple[Sender, ...] = ()

    def of(self, stage: str, feed: str, name: str | None) -> str | None:
        """Return the version of a stage for an object of a feed; None when there is none of that feed."""
        own = [s for s in self.senders if s.owns(name or "")]
        return self.of_sender(stage, feed, own[0] if len(own) == 1 else None)

    def of_sender(self, stage: str, feed: str, sender: Sender | None) -> str | None:
        """Return the version of a stage for a sender's files of a feed."""
        if sender is None or stage not in _BY_SENDER or feed not in self.contracts:
            return self.feeds.get((stage, feed))
        return _BY_SENDER[stage](contract_of(self.contracts[feed], sender))


_BY_SENDER = {"ingest": ingest_version, "validate": validate_version}


def current_versions(services: Services) -> Versions:
    """Return the versions that this checkout's contracts, profiles, SQL and code have."""
    found = {}
    for feed, contract in services.contracts.items():
        found["ingest", feed] = ingest_version(contract)
        found["validate", feed] = validate_version(contract)
        try:
            found["transform", feed] = transform_version(contract)
        except UnknownModelError:
            continue
    return Versions(found, services.contracts, services.senders)


def versions_of(stage: str, services: Services) -> Versions:
    """Return the versions that one stage has in this checkout; ``kpi`` has one of the catalogue."""
    if stage != "kpi":
        return current_versions(services)
    from functions.kpi.catalog import read_catalog
    from functions.kpi.drain import catalog_version

    version = catalog_version(read_catalog(services.settings.definitions_uri, services))
    return Versions({("kpi", feed): version for feed in services.contracts})


def stale(services: Services) -> list[dict[str, Any]]:
    """Return, per stage and feed, how many loads an older version made, and how many versions ago at most.

    Of KPIs it is the table that counts, not the load: ``feed`` is the KPI's name then, ``stale`` is 1 of 1.
    """
    current, senders = current_versions(services), {s.name: s for s in services.senders}
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in services.warehouse.query(*recorded(services.senders)):
        wanted = current.of_sender(row["stage"], row["feed"], senders.get(row["sender"]))
        if wanted is not None:
            groups.setdefault((row["stage"], row["feed"]), []).append({**row, "old": row["stage_version"] != wanted})
    found = [_group(key, rows) for key, rows in sorted(groups.items())]
    return [row for row in found if row["stale"]] + _stale_kpis(services)


def recorded(senders: tuple[Sender, ...]) -> tuple[str, dict[str, Any]]:
    """Return the query, with its parameters, of how many loads each version made, by stage, feed and sender."""
    cases = [f"WHEN REGEXP_CONTAINS(object, @files_{i}) THEN @sender_{i}" for i in range(len(senders))]
    params = {f"files_{i}": s.pattern for i, s in enumerate(senders)}
    params |= {f"sender_{i}": s.name for i, s in enumerate(senders)}
    return _RECORDED.format(sender=f"CASE {' '.join(cases)} END" if cases else "''"), params


def stale_loads(services: Services) -> dict[str, list[str]]:
    """Return load_id -> the stages whose result an older version made."""
    current = current_versions(services)
    found: dict[str, list[str]] = {}
    for row in services.warehouse.query(_BY_LOAD):
        if (current.of(row["stage"], row["feed"], row["object"]) or row["stage_version"]) != row["stage_version"]:
            found.setdefault(row["load_id"], []).append(row["stage"])
    return found


def _group(key: tuple[str, str], rows: list[dict[str, Any]]) -> dict[str, Any]:
    """``rows`` are one version and sender each, the oldest first."""
    old = [r for r in rows if r["old"]]
    return {
        "stage": key[0],
        "feed": key[1],
        "stale": sum(r["loads"] for r in old),
        "of": sum(r["loads"] for r in rows),
        "rows": sum(r["rows"] or 0 for r in old),
        "versions_behind": len({r["stage_version"] for r in old}),
        "made_until": max((r["made_until"] for r in old), default=None),
    }


def _stale_kpis(services: Services) -> list[dict[str, Any]]:
    from functions.kpi.catalog import read_headers

    present: Mapping[str, Any] = read_headers(services.settings.definitions_uri, services).definitions
    return [
        {"stage": "kpi", "feed": row["kpi"], "stale": 1, "of": 1, "rows": None, "versions_behind": 1,
         "made_until": row["finished_at"]}
        for row in services.warehouse.query(_COMPUTED)
        if row["kpi"] in present and row["definition_version"] != present[row["kpi"]].version
    ]  # fmt: skip
