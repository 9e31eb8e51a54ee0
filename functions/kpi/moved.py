"""What a transform says that it moved: business dates, and columns of dimensions. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any


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
