"""Roll-ups are ratios of sums or sums on a date; what has no value stays without one and says why."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from local.dashboard.rollup import (
    NOT_COMPUTED,
    Cell,
    Point,
    gaps,
    headline,
    points,
    roll_up,
    segments,
    weeks,
)

DAY = date(2026, 10, 5)


def cell(numerator=None, denominator=None, *, day=DAY, reason=None, total=None, rows=1):
    return Cell(day, reason, numerator, denominator, total, rows)


def test_a_ratio_rolls_up_as_the_ratio_of_sums_not_the_mean_of_ratios():
    assert roll_up([cell(1, 10), cell(1, 1)], "ratio") == (2 / 11, None)


def test_a_sum_adds_the_values_of_the_date():
    assert roll_up([cell(total=3.0), cell(total=4.5)], "sum") == (7.5, None)


def test_no_denominator_is_no_value_with_the_reason_most_rows_give():
    cells = [cell(5, 0, reason="no_demand", rows=3), cell(5, 0, reason="stale", rows=1)]
    assert roll_up(cells, "ratio") == (None, "no_demand")


def test_a_sum_over_nothing_known_is_not_zero():
    assert roll_up([cell(reason="no_cost")], "sum") == (None, "no_cost")


def test_equal_counts_of_reasons_are_decided_by_name():
    assert roll_up([cell(reason="stale"), cell(reason="no_cost")], "sum") == (None, "no_cost")


def test_a_day_without_rows_is_a_gap_that_says_so():
    series = points([cell(1, 1), cell(1, 1, day=DAY + timedelta(days=2))], "ratio")
    assert [p.value for p in series] == [1, None, 1]
    assert series[1].reason == NOT_COMPUTED


def test_the_headline_compares_with_seven_days_before():
    series = [Point(DAY + timedelta(days=i), float(i), None, 1, None) for i in range(9)]
    found = headline(series, "up")
    assert (found.value, found.previous, found.change, found.good) == (8.0, 1.0, 7.0, True)


def test_a_rise_is_bad_news_where_down_is_good():
    series = [Point(DAY + timedelta(days=i), float(i), None, 1, None) for i in range(9)]
    assert headline(series, "down").good is False
    assert headline(series, "none").good is None


def test_without_a_figure_a_week_before_there_is_no_change():
    found = headline([Point(DAY, 1.0, None, 1, None)], "up")
    assert (found.change, found.good) == (None, None)


def test_nothing_inside_the_filters_is_no_headline():
    assert headline([], "up").reason == NOT_COMPUTED


def test_gaps_name_their_days_and_reason_and_no_line_crosses_them():
    values = [1.0, None, None, 2.0]
    reasons = [None, "stale", "stale", None]
    series = [
        Point(DAY + timedelta(days=i), v, r, 1, None) for i, (v, r) in enumerate(zip(values, reasons, strict=True))
    ]
    assert gaps(series) == [(DAY + timedelta(days=1), DAY + timedelta(days=2), "stale")]
    assert segments(series) == [0, 1, 1, 2]


def test_weeks_begin_on_mondays_within_the_days_that_have_data_and_one_without_rows_is_a_gap():
    """DAY is a Monday: data from the Thursday before it to the Tuesday two weeks later."""
    first, last = DAY - timedelta(days=4), DAY + timedelta(days=15)
    cells = [cell(6, 2, day=first), cell(1, 2, day=DAY + timedelta(days=14))]
    series = weeks(cells, "ratio", last)
    assert [(p.day, p.last, p.value) for p in series] == [
        (first, DAY - timedelta(days=1), 3.0),
        (DAY, DAY + timedelta(days=6), None),
        (DAY + timedelta(days=7), DAY + timedelta(days=13), None),
        (DAY + timedelta(days=14), last, 0.5),
    ]
    assert gaps(series) == [(DAY, DAY + timedelta(days=13), NOT_COMPUTED)]


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0.001, 1e6)), min_size=1), st.integers(0, 5))
def test_a_roll_up_does_not_depend_on_how_rows_were_grouped(pairs, cut):
    cells = [cell(n, d) for n, d in pairs]
    merged = [cell(sum(n for n, _ in part), sum(d for _, d in part)) for part in (pairs[:cut], pairs[cut:]) if part]
    (one, _), (two, _) = roll_up(cells, "ratio"), roll_up(merged, "ratio")
    assert one is not None and two is not None and abs(one - two) <= 1e-9 * max(1, abs(one))
