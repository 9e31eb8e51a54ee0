"""A chart in a terminal: heights, gaps, what lies below zero."""

from datetime import date, timedelta

from cli.kpi.chart import columns

DAY = date(2026, 9, 1)


def drawn(*values: float | None, height: int = 2) -> list[str]:
    return columns([(DAY + timedelta(days=n), v) for n, v in enumerate(values)], "units", height).splitlines()


def test_a_column_is_as_high_as_its_value() -> None:
    top, bottom, *_ = drawn(0, 8, 4)
    assert (top, bottom) == ("8 units │ █ ", "0 units │ ██")


def test_a_day_without_a_value_is_a_gap_not_a_zero() -> None:
    assert drawn(8, None)[1].endswith("│█·")


def test_what_is_negative_begins_below_zero() -> None:
    top, bottom, *_ = drawn(-4, 4)
    assert bottom.startswith("-4 units") and (top[-2:], bottom[-2:]) == (" █", " █")


def test_the_days_stand_below() -> None:
    assert drawn(1, 2)[-1].strip() == "01 Sep to 02 Sep"
    assert drawn(1)[-1].strip() == "01 Sep"


def test_no_value_at_all_is_said() -> None:
    assert drawn(None, None) == ["no day has a value"]
