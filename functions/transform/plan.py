"""What a drain has to do, decided from the ledger's rows. Pure."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

DONE, PENDING, VALIDATED = "transformed", "pending", "validated"


@dataclass(frozen=True)
class Plan:
    """``loads`` are transformed; ``repeated`` were just done (their event is sent again, nothing else).

    ``carried`` holds "load day" pairs that an earlier run touched and the KPIs have not seen;
    ``unknown`` are loads that were asked for and that no validation speaks of yet.
    """

    loads: frozenset[str] = frozenset()
    repeated: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    carried: tuple[str, ...] = ()
    unknown: frozenset[str] = frozenset()


def plan(
    rows: Iterable[Mapping[str, Any]], asked: frozenset[str], version: str, now: datetime, window_seconds: int
) -> Plan:
    """Return what to do with the loads that ``pending.sql`` found."""
    known = {row["load_id"]: row for row in rows}
    recent = now - timedelta(seconds=window_seconds)
    repeated = {i: _detail(r) for i, r in known.items() if _is_repeat(r, version, recent)}
    loads = frozenset(i for i, r in known.items() if i not in repeated and _has_work(r))
    carried = tuple(pair for i in sorted(loads) for pair in _unseen(known[i]))
    return Plan(loads, repeated, carried, asked - known.keys())


def _is_repeat(row: Mapping[str, Any], version: str, recent: datetime) -> bool:
    return bool(
        row["done_state"] == DONE
        and row["done_version"] == version
        and row["done_input"] == row["input_record"]
        and row["done_at"] > recent
    )


def _has_work(row: Mapping[str, Any]) -> bool:
    """A refused load has none, unless it was let through before and must be taken back."""
    return bool(row["validate_state"] == VALIDATED or row["done_record"])


def _unseen(row: Mapping[str, Any]) -> list[str]:
    """The days of the last run, unless the KPIs were computed from that very run."""
    if not row["done_record"] or row["kpi_input"] == row["done_record"]:
        return []
    return days_of(row["load_id"], _detail(row))


def days_of(load: str, detail: Mapping[str, Any]) -> list[str]:
    """Return the "load day" pairs of an event's detail; day ``*`` stands for all."""
    days = ["*"] if detail.get("all_dates") else sorted(detail.get("dates") or [])
    return [f"{load} {day}" for day in days]


def _detail(row: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row["done_detail"] or "{}")
    return found
