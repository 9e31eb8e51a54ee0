"""A KPI's extra columns choose its drawing; the Pareto is ranked and cumulated here, not in SQL."""

from datetime import date
from typing import Any

import pytest
import sqlglot

from local.dashboard import charts, shapes
from local.dashboard.catalogue import class_column
from local.dashboard.rollup import Point, Selection

DAY = date(2026, 10, 5)
ALL = Selection(DAY, DAY)
SOME = Selection(DAY, DAY, frozenset({"LYO"}), frozenset({"Tools"}))
ABC = ("business_date", "sku", "numerator", "value", "abc_class")
AGES = ("business_date", "sku", "location_code", "units_0_30", "units_31_60", "value_31_60", "value_0_30",
        "value_181_plus", "value_unknown", "value")  # fmt: skip


def test_buckets_of_value_are_taken_youngest_first_unknown_last():
    found = shapes.buckets(AGES)
    assert found is not None
    assert found.columns == ("value_0_30", "value_31_60", "value_181_plus", "value_unknown")
    assert found.labels == ("0-30", "31-60", "181+", "unknown")


def test_columns_without_buckets_or_classes_ask_for_no_drawing():
    assert shapes.buckets(ABC) is None
    assert class_column(AGES) is None
    assert class_column(("abc_class", "category")) is None


@pytest.mark.parametrize("selection", [ALL, SOME])
def test_the_queries_parse_and_take_the_filters_as_parameters(selection):
    for query in (
        shapes.pareto_query("abc", ABC, selection, DAY),
        shapes.age_query("ageing", AGES, "location", selection, DAY),
        shapes.age_query("ageing", AGES, "category", selection, DAY),
    ):
        assert sqlglot.parse_one(query.sql, dialect="bigquery")
        assert "Tools" not in query.sql
        assert {name for name, _ in query.params} == {
            n for n in ("day", "every_location", "locations", "every_category", "categories") if f"@{n}" in query.sql
        }


def test_the_pareto_cumulates_falling_consumption():
    rows = [{"sku": "B", "class": "C", "amount": 25}, {"sku": "A", "class": "A", "amount": 75}]
    assert [(r["sku"], r["rank"], r["share"]) for r in shapes.pareto_rows(rows)] == [("A", 1, 0.75), ("B", 2, 1.0)]


def test_net_returns_do_not_lower_the_cumulative_share():
    rows: list[dict[str, Any]] = [{"sku": "A", "class": "A", "amount": 10}, {"sku": "R", "class": None, "amount": -5}]
    assert [(r["class"], r["share"]) for r in shapes.pareto_rows(rows)] == [("A", 1.0), ("C", 1.0)]


def test_each_drawing_is_a_valid_specification():
    """Altair checks a chart against the schema of Vega-Lite when it is written out."""
    found = shapes.buckets(AGES)
    assert found is not None
    row = {"name": "LYO", **dict.fromkeys(found.columns, 1.0)}
    series = [Point(DAY, 1.0, None, 1, None), Point(date(2026, 10, 6), None, "stale", 1, None)]
    assert charts.stacked(shapes.age_rows([row], found), found.labels).to_dict()
    assert charts.pareto(shapes.pareto_rows([{"sku": "A", "class": "A", "amount": 1}])).to_dict()
    assert charts.steps([("volume", 30.0), ("mix", -3.0)], "EUR").to_dict()
    assert "the last snapshot is too old" in str(charts.trend(series, "%").to_dict())


def test_charts_are_drawn_for_the_page_that_they_are_on():
    """A dark page has light words."""
    parts = [("volume", 30.0)]
    assert charts.LIGHT.ink in str(charts.steps(parts, "EUR").to_dict())
    token = charts.PALETTE.set(charts.DARK)
    assert charts.DARK.ink in str(charts.steps(parts, "EUR").to_dict())
    charts.PALETTE.reset(token)
