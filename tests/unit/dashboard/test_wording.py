"""Figures are short, keep their unit, and never show a missing value as 0."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from cli import wording
from functions.ingest.receipts.described import unused


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (1_240_000.0, "EUR", "€1.24 M"),
        (-20.0, "EUR", "-€20.0"),
        (9_870.4, "units", "9,870 units"),
        (12_345.0, "units", "12.3 k units"),
        (28.14, "days", "28.1 days"),
        (21.0, "SKUs in class A", "21 SKUs in class A"),
        (3.456, "%", "3.46 %"),
        (0.0345, "fraction", "3.45 %"),
        (0.0, "days", "0 days"),
        (None, "days", "n/a"),
    ],
)
def test_a_figure_reads_well(value, unit, expected):
    assert wording.figure(value, unit) == expected


@pytest.mark.parametrize(
    ("difference", "previous", "unit", "expected"),
    [
        (2.0, 40.0, "days", "+5.0 %"),
        (-1.5, 20.0, "%", "-1.5 pt"),
        (0.015, 0.2, "fraction", "+1.5 pt"),
        (3.0, 0.0, "EUR", "+€3.00"),
        (0.0, 5.0, "EUR", "no change"),
        (None, None, "EUR", "no figure a week before"),
    ],
)
def test_a_change_is_in_points_for_percentages(difference, previous, unit, expected):
    assert wording.change(difference, previous, unit) == expected


def test_a_reason_becomes_words_and_an_unknown_code_is_shown():
    assert wording.reason("no_demand") == "nothing was sold in the window"
    assert wording.reason("odd_code") == "odd code"


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (timedelta(seconds=5), "5 s"),
        (timedelta(minutes=3), "3 min"),
        (timedelta(hours=5), "5 h"),
        (timedelta(days=1, hours=2), "1 day"),
        (timedelta(days=9), "9 days"),
    ],
)
def test_a_length_of_time_is_in_its_largest_sensible_unit(length, expected):
    assert wording.span(length) == expected


def test_days_without_a_value_are_summed_up_by_reason():
    day = date(2026, 10, 5)
    runs = [(day, day, "stale"), (day, day + timedelta(days=5), "no_demand")]
    assert wording.silences(runs) == (
        "No value on 6 days: nothing was sold in the window; on 1 day: the last snapshot is too old."
    )
    assert wording.silences([]) == ""


def test_what_never_happened_is_never():
    now = datetime(2026, 10, 5, tzinfo=UTC)
    assert wording.ago(None, now) == "never"
    assert wording.ago(now - timedelta(hours=3), now) == "3 h ago"
    assert wording.day(date(2026, 10, 5)) == "Mon 5 Oct 2026"


def test_columns_without_use_are_named_with_the_nearest_one():
    """A header that no alias knows is listed with the column that its sender may have meant, if any is like it."""
    columns: list[dict[str, Any]] = [
        {"header": "Net Amnt", "nearest": "net_amount", "confidence": 0.84},
        {"header": "Till", "nearest": None},
    ]
    assert unused(columns) == "'Net Amnt' (nearest: net_amount, 84%), 'Till'"
