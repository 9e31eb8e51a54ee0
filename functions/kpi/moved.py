"""What a transform says that it moved: business dates, and columns of dimensions. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from functions.kpi.by_day import BY_DAY
from functions.kpi.dates import Span
from stockflow.ledger import StageRecord


def moves(detail: Mapping[str, Any]) -> bool:
    """Whether a transform changed anything that a KPI may read."""
    return bool(detail.get("dates") or detail.get("all_dates"))


def together(details: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what several transforms of one load moved, as one would say it: ``tables``, ``dates``, ``all_dates``.

    ``columns`` is there only if each of them that moved a dimension names the columns that changed, and so is
    ``by_day``, with the first day on which each column says something else. Where keys came or went, ``keys`` are
    there, and the columns are ``besides``.
    """
    said = list(details)
    whole = [d for d in said if d.get("all_dates")]
    found: dict[str, Any] = {
        "tables": sorted({t for d in said for t in d.get("tables") or []}),
        "dates": sorted({day for d in said for day in d.get("dates") or []}),
        "all_dates": bool(whole),
    }
    if whole and all(map(_is_named, whole)):
        keys = sorted({key for d in whole for key in d.get("keys") or []})
        found |= {"keys": keys} if keys else {}
        found["besides" if keys else "columns"] = sorted({c for d in whole for c in _columns(d)})
        if all("by_day" in d for d in whole):
            firsts = _earliest(_first_days(d) for d in whole)
            found["by_day"] = [f"{column} {first}" for column, first in sorted(firsts.items())]
    return found


def touched(work: Iterable[StageRecord], span: Span) -> dict[str, set[date]]:
    """Return table -> the business dates that these loads touched; a dimension touches all.

    Dates beyond the span stay: a corrected typo in a year leaves rows there that must go.
    """
    changed: dict[str, set[date]] = {}
    for record in work:
        days = {date.fromisoformat(d) for d in record.detail.get("dates") or []}
        if record.detail.get("all_dates") and not _is_named(record.detail):
            days |= span.days()
        for table in record.detail.get("tables") or []:
            changed.setdefault(table, set()).update(days)
    return changed


def touched_columns(work: Iterable[StageRecord]) -> dict[str, dict[str, date]]:
    """Return dimension -> its columns that these loads changed, of loads that changed nothing else, all with all days.

    What it says of days (``BY_DAY``) is a table of its own there, with the first day on which a column changed.
    """
    changed: dict[str, dict[str, date]] = {}
    for record in work:
        if not record.detail.get("all_dates"):
            continue
        always = dict.fromkeys(_columns(record.detail), date.min)
        for table in record.detail.get("tables") or []:
            changed[table] = _earliest([changed.get(table, {}), always])
            if by_day := BY_DAY.get(table):
                firsts = _first_days(record.detail) if "by_day" in record.detail else always
                changed[by_day] = _earliest([changed.get(by_day, {}), firsts])
    return changed


def touched_keys(work: Iterable[StageRecord]) -> dict[str, set[str]]:
    """Return dimension -> its keys that came or went with these loads, where their records name them."""
    changed: dict[str, set[str]] = {}
    for record in work:
        for table in record.detail.get("tables") or []:
            if keys := record.detail.get("keys"):
                changed.setdefault(table, set()).update(keys)
    return changed


def _is_named(detail: Mapping[str, Any]) -> bool:
    """Whether a record says what changed in a dimension: columns, or keys and the columns besides."""
    return "columns" in detail or "keys" in detail


def _columns(detail: Mapping[str, Any]) -> list[str]:
    return detail.get("columns") or detail.get("besides") or []


def _first_days(detail: Mapping[str, Any]) -> dict[str, date]:
    """Return column -> the first day, of texts such as ``unit_cost 2026-09-08``."""
    said = (text.split(" ") for text in detail["by_day"])
    return {column: date.fromisoformat(first) for column, first in said}


def _earliest(found: Iterable[Mapping[str, date]]) -> dict[str, date]:
    """Return column -> its earliest day in any of these."""
    earliest: dict[str, date] = {}
    for column, first in (item for firsts in found for item in firsts.items()):
        earliest[column] = min(first, earliest.get(column, first))
    return earliest
