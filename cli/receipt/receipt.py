"""What a receipt says, from the ledger alone: how the file was read, what became of each line, what it changed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cli.loads import ALL, described, history, restated, unvalued
from functions.validate.report import MASK
from stockflow.contracts import Contract, normalise_header
from stockflow.services import Services

SHOWN = 50  # refused lines on the page; the file of refused rows has all
NOTHING = ("rejected", "held", "failed", "ignored", "duplicate_content")  # states of which nothing counts


def receipt(services: Services, load: Mapping[str, Any], kpis: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the receipt of a load, as JSON takes it; values of personal columns are masked.

    ``kpis`` are the runs that computed with it.
    """
    story = history(services, dict(load), SHOWN)
    stages = {s["stage"]: s for s in story["stages"]}
    ingest, judged = (_detail(stages.get(stage)) for stage in ("ingest", "validate"))
    feed = str(load["feed"] or "")
    contract = services.contract_for(feed, str(load["object"])) if feed in services.contracts else None
    personal = {c.name for c in contract.columns if c.pii} if contract else set()
    return {
        "object": load["object"], "load_id": load["load_id"], "feed": load["feed"], "landed_at": load["landed_at"],
        "state": load["state"], "reason_code": load["reason_code"], "message": load["message"],
        "read_as": [*described(ingest), *restated(story["stages"]), *unvalued(story["stages"])],
        "columns": _columns(ingest, contract),
        "conventions": {k: judged[k] for k in ("decimal_mark", "date_order", "time_zone", "decided_by") if k in judged},
        "counts": _counts(load, ingest),
        "refused_by_reason": [
            *({"reason": r["code"], "column": None, "expected": None, "rows": r["rows"], "first_line": r["first_line"]}
              for r in story["rejects_by_code"]),
            *({"reason": q["rule"], "column": q["column_name"], "expected": q["expected"], "rows": q["rows"],
               "first_line": q["first_line"]} for q in story["quarantine_by_rule"]),
        ],
        "first_refused": [
            *({"line": r["line"], "column": None, "value": None if personal else r["found"], "message": r["message"]}
              for r in story["rejects"]),
            *({"line": q["line"], "column": q["column_name"], "value": _shown(q, personal),
               "message": q["expected"] if q["column_name"] in personal else q["message"]}
              for q in story["quarantine"]),
        ],
        "warnings": [{"rule": w["rule"], "column": w["column_name"], "rows": w["failed"]} for w in story["warnings"]],
        "kpis": [{"kpi": k["kpi"], "from_date": k["from_date"], "to_date": k["to_date"]} for k in kpis],
    }  # fmt: skip


@dataclass(frozen=True)
class Refused:
    """All lines of a load that could not be read, all verdicts that refuse rows, and what ingest noted of the file."""

    rejects: list[dict[str, Any]]
    verdicts: list[dict[str, Any]]
    detail: dict[str, Any]


def refused(services: Services, load: Mapping[str, Any]) -> Refused:
    """Return everything that was refused of a load."""
    story = history(services, dict(load), ALL)
    ingest = next((s for s in story["stages"] if s["stage"] == "ingest"), None)
    return Refused(story["rejects"], story["quarantine"], _detail(ingest))


def _detail(stage: Mapping[str, Any] | None) -> dict[str, Any]:
    return dict(json.loads(stage["detail"] or "{}")) if stage else {}


def _counts(load: Mapping[str, Any], ingest: Mapping[str, Any]) -> dict[str, Any]:
    """Return how many records there were and what became of them: loaded + superseded + quarantined + rejected."""
    rows, rejects, quarantined = (int(load[k] or 0) for k in ("rows", "rejects", "quarantined"))
    superseded = int(load.get("superseded") or 0)
    loaded = 0 if load["state"] in NOTHING else rows - quarantined - superseded
    return {
        "physical_lines": ingest.get("physical_lines"), "records": load["lines"], "rejected": rejects,
        "quarantined": quarantined, "loaded": loaded, "superseded": superseded,
    }  # fmt: skip


def _columns(ingest: Mapping[str, Any], contract: Contract | None) -> list[dict[str, Any]]:
    known = contract.headers if contract else {}
    return [{"header": h, "column": known.get(normalise_header(h))} for h in ingest.get("header") or []]


def _shown(verdict: Mapping[str, Any], personal: set[str]) -> Any:
    return MASK if verdict["column_name"] in personal and verdict["value"] else verdict["value"]
