"""What a KPI says in one number."""

from datetime import date, timedelta

from functions.kpi.definition import Definition
from functions.kpi.headline import headline, told

LAST = date(2026, 9, 30)
STOCK = Definition("s", "", {}, "kpi", "Stock", "", "", 0, (), meaning="So many.", rollup="sum")
RATE = Definition("r", "", {}, "kpi", "Rate", "", "", 0, (), meaning="So often.", rollup="ratio")


def day(days_ago: int, numerator: float | None, denominator: float | None, value: float | None) -> dict[str, object]:
    when = LAST - timedelta(days=days_ago)
    return {"business_date": when, "numerator": numerator, "denominator": denominator, "value": value}


def test_a_stock_is_its_last_day_never_a_sum_over_days() -> None:
    found = headline(STOCK, [day(7, 80, None, 80), day(1, 90, None, 90), day(0, 100, None, 100)])
    assert (found.value, found.previous, found.day, found.trend) == (100, 80, LAST, 0.25)


def test_a_ratio_is_a_ratio_of_sums() -> None:
    assert headline(RATE, [day(0, 3, 4, 99)]).value == 0.75


def test_no_denominator_is_no_value_and_never_zero() -> None:
    found = headline(RATE, [day(0, 3, 0, None)])
    assert (found.value, found.reason, found.trend) == (None, "no_data", None)
    assert headline(RATE, []).reason == "not computed yet"


def cells(days_ago: int, value: float | None, reason: str | None, count: int) -> dict[str, object]:
    return {**day(days_ago, value, value and 1.0, value), "reason_code": reason, "cells": count}


def test_the_reason_is_the_one_that_most_cells_of_the_table_give() -> None:
    found = headline(RATE, [cells(0, None, "no_cost", 3), cells(0, None, "no_demand", 1)])
    assert (found.value, found.reason) == (None, "no_cost")


def test_a_location_that_is_ahead_does_not_make_the_headline_its_own() -> None:
    """Yesterday all were known; today one location is, and the others are stale."""
    rows = [cells(1, 90, None, 10), cells(0, 7, None, 2), cells(0, None, "stale", 8)]
    assert (headline(STOCK, rows).day, headline(STOCK, rows).value) == (LAST - timedelta(days=1), 90)


def test_nothing_to_divide_is_no_lack_of_data() -> None:
    rows = [cells(1, 4, None, 10), cells(0, 8, None, 1), cells(0, None, "no_demand", 9)]
    assert (headline(RATE, rows).day, headline(RATE, rows).value) == (LAST, 8)


def test_all_stale_is_the_newest_day_with_its_reason() -> None:
    found = headline(STOCK, [cells(1, None, "stale", 3), cells(0, None, "stale", 3)])
    assert (found.day, found.value, found.reason) == (LAST, None, "stale")


def test_only_abc_classes_are_told_by_the_skus_in_class_a() -> None:
    """A column with other classes changes nothing."""
    abc, xyz = (
        Definition(n, f"SELECT sku, value, {n}_class FROM t", {}, "kpi", n, "", "", 0, ("sku",), unit="share")
        for n in ("abc", "xyz")
    )
    assert told(abc)[0].unit == "SKUs in class A"
    assert told(xyz) == (xyz, "SUM(value)")
