"""What a receipt says: how the file was read, what became of each line, what it changed. Pure."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from functions.ingest.receipts.described import described, detail_in, doubts, restated, unvalued
from stockflow.contracts import MASK, Contract, normalise_header
from stockflow.members import Members

SHOWN = 50  # refused lines in a receipt; the file of refused rows has all
NOTHING = ("rejected", "held", "failed", "ignored", "duplicate_content")  # states of which nothing counts


def receipt(
    load: Mapping[str, Any], story: Mapping[str, Any], contract: Contract | None, kpis: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the receipt of a load, as JSON takes it; values of personal columns are masked.

    ``story`` is what the ledger keeps of the load (its stages, refused lines, warnings), ``kpis`` are the runs that
    computed with it.
    """
    stages = {s["stage"]: s for s in story["stages"]}
    ingest, judged = (detail_of(stages.get(stage)) for stage in ("ingest", "validate"))
    personal = {c.name for c in contract.columns if c.pii} if contract else set()
    return {
        "object": load["object"], "load_id": load["load_id"], "feed": load["feed"], "landed_at": load["landed_at"],
        "ended_at": max((s["finished_at"] for s in story["stages"]), default=None),
        "state": load["state"], "reason_code": load["reason_code"], "message": load["message"],
        "read_as": [
            *doubts(judged.get("ambiguous") or ()), *described(ingest), *restated(story["stages"]),
            *unvalued(story["stages"]),
        ],
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
            *({"line": r["line"], "column": None, "value": None if personal else r.get("found"),
               "message": r["message"]} for r in story["rejects"][:SHOWN]),
            *({"line": q["line"], "column": q["column_name"], "value": _shown(q, personal),
               "message": q["expected"] if q["column_name"] in personal else q["message"]}
              for q in named(story)[:SHOWN]),
        ],
        "warnings": [{"rule": w["rule"], "column": w["column_name"], "rows": w["failed"]} for w in story["warnings"]],
        "kpis": [{name: k.get(name) for name in ("kpi", "from_date", "to_date")} for k in kpis],
    }  # fmt: skip


def detail_of(stage: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what a stage noted."""
    return dict(json.loads(stage["detail"] or "{}")) if stage else {}


def named(story: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows that broke a rule; of a zip archive with several files, messages begin with the row's file."""
    members = Members.of(detail_in(story["stages"], "ingest"))
    return [{**q, "message": members.said(q["row"], q["message"])} for q in story["quarantine"]]


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
    value = verdict.get("value")
    return MASK if verdict["column_name"] in personal and value else value
