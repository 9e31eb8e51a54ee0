"""What a transform says that it moved: business dates, and columns of dimensions. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from functions.kpi.dates import Span
from stockflow.ledger import StageRecord


def moves(detail: Mapping[str, Any]) -> bool:
    """Whether a transform changed anything that a KPI may read."""
    return bool(detail.get("dates") or detail.get("all_dates"))


def together(details: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what several transforms of one load moved, as one would say it: ``tables``, ``dates``, ``all_dates``.

    ``columns`` is there only if each of them that moved a dimension names the columns that changed.
    """
    said = list(details)
    whole = [d for d in said if d.get("all_dates")]
    found: dict[str, Any] = {
        "tables": sorted({t for d in said for t in d.get("tables") or []}),
        "dates": sorted({day for d in said for day in d.get("dates") or []}),
        "all_dates": bool(whole),
    }
    if whole and all("columns" in d for d in whole):
        found["columns"] = sorted({c for d in whole for c in d["columns"]})
    return found


def touched(work: Iterable[StageRecord], span: Span) -> dict[str, set[date]]:
    """Return table -> the business dates that these loads touched; a dimension touches all.

    Dates beyond the span stay: a corrected typo in a year leaves rows there that must go.
    """
    changed: dict[str, set[date]] = {}
    for record in work:
        days = {date.fromisoformat(d) for d in record.detail.get("dates") or []}
        if record.detail.get("all_dates") and "columns" not in record.detail:
            days |= span.days()
        for table in record.detail.get("tables") or []:
            changed.setdefault(table, set()).update(days)
    return changed


def touched_columns(work: Iterable[StageRecord]) -> dict[str, set[str]]:
    """Return dimension -> the columns of it that these loads changed, of those that changed nothing else."""
    changed: dict[str, set[str]] = {}
    for record in work:
        if record.detail.get("all_dates"):
            for table in record.detail.get("tables") or []:
                changed.setdefault(table, set()).update(record.detail.get("columns") or [])
    return changed
