"""What a KPI says in one number."""

from datetime import date, timedelta

from functions.kpi.catalog import headline
from functions.kpi.definition import Definition

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
