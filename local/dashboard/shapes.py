"""What a KPI's own extra columns ask for: ABC classes a Pareto, buckets of age a stacked bar."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from cli.texts import said
from local.dashboard.catalogue import class_column
from local.dashboard.queries import Query, category_source, filter_params, where
from local.dashboard.rollup import Selection

_AMOUNTS = ("consumption_value", "annual_value", "numerator")
_BUCKET = re.compile(r"(?P<what>\w+?)_(?P<low>\d+)_(?P<high>\d+|plus|over|up)(?P<tail>_days)?$")
_UNKNOWN = re.compile(r"(?P<what>\w+?)_(unknown|unknown_age|age_unknown)$")
UNKNOWN = "unknown"
_MEASURES = ("value", "quantity", "units")


@dataclass(frozen=True)
class Buckets:
    """The columns that hold stock by age, and how each is called."""

    columns: tuple[str, ...]
    labels: tuple[str, ...]


def buckets(columns: Sequence[str]) -> Buckets | None:
    """Return the buckets of age among the columns, youngest first; of several measures the value."""
    found = [m for c in columns if (m := _BUCKET.match(c))]
    if not found:
        return None
    what = min({m["what"] for m in found}, key=_preference)
    mine = sorted((m for m in found if m["what"] == what), key=lambda m: int(m["low"]))
    lost = [c for c in columns if (m := _UNKNOWN.match(c)) and m["what"] == what]
    labels = [f"{m['low']}-{m['high']}" if m["high"].isdigit() else f"{m['low']}+" for m in mine]
    return Buckets((*(m.string for m in mine), *lost), (*labels, *(said(UNKNOWN) for _ in lost)))


def pareto_query(kpi: str, columns: Sequence[str], selection: Selection, day: date) -> Query:
    """Return the query for each SKU's class and consumption on a day."""
    amount = next(c for c in _AMOUNTS if c in columns)
    select = f"k.sku, MIN(k.{class_column(columns)}) AS class, SUM(k.{amount}) AS amount"
    return _query(kpi, select, "k.sku", columns, selection, day)


def pareto_rows(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the SKUs by falling consumption with their rank and cumulative share."""
    ranked = sorted(rows, key=lambda r: (-float(r["amount"] or 0), r["sku"]))
    total = sum(max(float(r["amount"] or 0), 0) for r in ranked) or 1.0
    running, out = 0.0, []
    for rank, row in enumerate(ranked, 1):
        amount = float(row["amount"] or 0)
        running += max(amount, 0)
        shared = {"rank": rank, "value": amount, "share": running / total}
        out.append({"sku": row["sku"], "class": row["class"] or "C", **shared})
    return out


def age_query(kpi: str, columns: Sequence[str], dimension: str, selection: Selection, day: date) -> Query:
    """Return the query for the stock in each bucket by location or category on a day."""
    found = buckets(columns)
    assert found is not None, kpi
    name = "k.location_code" if dimension == "location" and "location_code" in columns else None
    name = name or category_source(columns)[0]
    sums = ", ".join(f"SUM(k.{c}) AS {c}" for c in found.columns)
    return _query(kpi, f"{name} AS name, {sums}", "name", columns, selection, day)


def age_rows(rows: Sequence[Mapping[str, Any]], found: Buckets) -> list[dict[str, Any]]:
    """Return one row for each name and bucket."""
    return [
        {"name": row["name"] or said("all"), "bucket": label, "position": i, "amount": float(row[column] or 0)}
        for row in rows
        for i, (column, label) in enumerate(zip(found.columns, found.labels, strict=True))
    ]


def _query(kpi: str, select: str, group: str, columns: Sequence[str], selection: Selection, day: date) -> Query:
    join = category_source(columns)[1]
    condition = where("k.business_date = @day", columns)
    sql = f"SELECT {select}\nFROM inventory_kpi.{kpi} AS k{join}\nWHERE {condition}\nGROUP BY {group}"
    return Query(sql, (("day", day), *filter_params(selection, {kpi: columns})))


def _preference(measure: str) -> tuple[int, str]:
    named = next((i for i, m in enumerate(_MEASURES) if m in measure), len(_MEASURES))
    return named, measure
