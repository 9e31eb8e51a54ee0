"""What several transforms of one load moved is what one would have said."""

from datetime import UTC, date, datetime
from typing import Any

from functions.kpi.dates import Span
from functions.kpi.moved import together, touched, touched_columns, touched_keys
from stockflow.ledger import StageRecord

NOW = datetime(2026, 9, 1, tzinfo=UTC)
PRODUCTS = "inventory_curated.products"
SPAN = Span(date(2026, 9, 1), date(2026, 9, 3))


def said(**more: Any) -> dict[str, Any]:
    return {"tables": [PRODUCTS], "dates": [], "all_dates": True, **more}


def record(detail: dict[str, Any]) -> StageRecord:
    return StageRecord("load", "transform", "transformed", "v", "r", NOW, NOW, detail=detail)


def test_keys_and_columns_of_all_transforms_are_kept() -> None:
    renamed = said(columns=["name"], by_day=[])
    came = said(keys=["B"], besides=["unit_cost"], by_day=["unit_cost 2026-09-02"])
    assert together([renamed, came]) == {
        **said(keys=["B"], besides=["name", "unit_cost"], by_day=["unit_cost 2026-09-02"])
    }
    assert together([renamed]) == renamed


def test_one_that_names_nothing_makes_it_all_days() -> None:
    assert together([said(keys=["B"], besides=[], by_day=[]), said()]) == said()


def test_named_keys_are_no_days_and_columns_besides_are_columns() -> None:
    work = [record(said(keys=["B", "A"], besides=["name"], by_day=[]))]
    assert touched(work, SPAN) == {PRODUCTS: set()}
    assert touched_keys(work) == {PRODUCTS: {"A", "B"}}
    assert touched_columns(work)[PRODUCTS] == {"name": date.min}


def test_of_unnamed_keys_all_days_are_touched() -> None:
    assert touched([record(said())], SPAN) == {PRODUCTS: SPAN.days()} and touched_keys([record(said())]) == {}
