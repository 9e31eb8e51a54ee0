"""A change on day d reaches [d, d + lookback], up to the newest day that facts know."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from functions.kpi.dates import Span, affected, between, gone, unseen
from functions.kpi.moved import together, touched, touched_columns
from stockflow.ledger import StageRecord

FIRST = date(2026, 1, 1)
DAYS = st.integers(-40, 80).map(lambda n: FIRST + timedelta(days=n))
SPANS = st.tuples(st.integers(0, 30), st.integers(0, 30)).map(
    lambda p: Span(FIRST + timedelta(days=p[0]), FIRST + timedelta(days=p[0] + p[1]))
)


@given(st.sets(DAYS, max_size=6), st.integers(0, 40), SPANS)
def test_a_day_is_affected_when_its_window_holds_a_change(changed: set[date], lookback: int, span: Span) -> None:
    found = affected(changed, lookback, span)
    for day in between(FIRST - timedelta(days=60), FIRST + timedelta(days=140)):
        window = {day - timedelta(days=n) for n in range(lookback + 1)}
        assert (day in found) == (day in span and bool(window & changed))


@given(st.sets(DAYS, max_size=4), st.sets(DAYS, max_size=4), st.integers(0, 40), SPANS)
def test_two_changes_at_once_reach_what_each_reaches(a: set[date], b: set[date], lookback: int, span: Span) -> None:
    assert affected(a | b, lookback, span) == affected(a, lookback, span) | affected(b, lookback, span)


@given(SPANS, SPANS)
def test_days_that_were_never_computed_are_seen(computed: Span, span: Span) -> None:
    assert unseen(computed, span) == span.days() - computed.days()
    assert unseen(None, span) == span.days()


def record(**detail: object) -> StageRecord:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return StageRecord("l", "sales", "transform", "transformed", "v", now, now, detail=dict(detail))


def test_a_dimension_touches_all_dates_and_a_typo_in_the_year_is_kept() -> None:
    span = Span(FIRST, FIRST + timedelta(days=2))
    facts = record(tables=["c.sales"], dates=["2026-01-02", "2062-01-02"])
    changed = touched([facts, record(tables=["c.products"], all_dates=True)], span)
    assert changed == {"c.sales": {date(2026, 1, 2), date(2062, 1, 2)}, "c.products": span.days()}


PRODUCTS, BY_DAY = "inventory_curated.products", "inventory_curated.products_by_day"
COST = {"tables": [PRODUCTS], "all_dates": True, "columns": ["unit_cost"]}


def test_a_column_that_changed_by_day_is_said_with_its_first_day() -> None:
    """Of several loads the earliest; a record that names no first day, of an earlier version, says all days."""
    later, sooner = (record(**COST, by_day=[f"unit_cost {day}"]) for day in ("2026-09-08", "2026-09-03"))
    found = touched_columns([later, sooner])
    assert found == {PRODUCTS: {"unit_cost": date.min}, BY_DAY: {"unit_cost": date(2026, 9, 3)}}
    assert touched_columns([later, record(**COST)])[BY_DAY] == {"unit_cost": date.min}


def test_several_transforms_of_a_load_say_the_earliest_day_that_each_of_them_knows() -> None:
    known = [{**COST, "by_day": [f"unit_cost {day}"]} for day in ("2026-09-08", "2026-09-03")]
    assert together(known)["by_day"] == ["unit_cost 2026-09-03"]
    assert "by_day" not in together([*known, COST])


def test_what_was_computed_and_is_not_known_any_more_is_gone() -> None:
    day = date(2026, 9, 10)
    computed, span = Span(day, day + timedelta(days=5)), Span(day, day + timedelta(days=2))
    assert gone(computed, span) == {day + timedelta(days=n) for n in (3, 4, 5)}
    assert gone(None, span) == gone(span, computed) == set()
