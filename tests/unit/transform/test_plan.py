"""What a drain has to do: pending, asked for, just done, or not known."""

from datetime import UTC, datetime, timedelta
from typing import Any

from functions.transform.plan import days_of, plan

NOW = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)
ASKED = frozenset({"L1"})


def row(load: str = "L1", **changes: Any) -> dict[str, Any]:
    return {"load_id": load, "input_record": "in", "validate_state": "validated", "done_record": None,
            "done_state": None, "done_version": None, "done_input": None, "done_at": None, "done_detail": None,
            "kpi_input": None, **changes}  # fmt: skip


def done(load: str = "L1", **changes: Any) -> dict[str, Any]:
    detail = '{"dates": ["2026-09-01"], "all_dates": false}'
    fields = {"done_record": "out", "done_state": "transformed", "done_version": "v1", "done_input": "in",
              "done_at": NOW - timedelta(minutes=5), "done_detail": detail}  # fmt: skip
    return row(load, **{**fields, **changes})


def test_a_pending_load_is_taken_whoever_asks() -> None:
    """A drain takes what others left behind."""
    assert plan([row("L1"), row("L2")], ASKED, "v1", NOW, 900).loads == {"L1", "L2"}


def test_what_was_just_done_is_only_said_again() -> None:
    """Same version, same input, within the window."""
    todo = plan([done()], ASKED, "v1", NOW, 900)
    assert todo.loads == frozenset()
    assert todo.repeated == {"L1": {"dates": ["2026-09-01"], "all_dates": False}}


def test_later_or_otherwise_it_is_a_replay() -> None:
    """After the window, at another version, from another validation, or when a dimension changed."""
    for changes in (
        {"done_at": NOW - timedelta(minutes=15)},
        {"done_version": "v0"},
        {"done_input": "older"},
        {"done_state": "pending", "done_input": None},
    ):
        assert plan([done(**changes)], ASKED, "v1", NOW, 900).loads == {"L1"}, changes


def test_a_refused_load_has_no_work_unless_it_was_let_through() -> None:
    """Taking it back is work."""
    assert plan([row(validate_state="rejected")], ASKED, "v1", NOW, 900).loads == frozenset()
    taken_back = done(validate_state="rejected", done_input="older")
    assert plan([taken_back], ASKED, "v1", NOW, 900).loads == {"L1"}


def test_a_load_without_validation_is_unknown() -> None:
    """Its event came too early: the caller tries again."""
    assert plan([], ASKED, "v1", NOW, 900).unknown == ASKED


def test_days_that_the_kpis_have_not_seen_are_carried() -> None:
    """Until a KPI run names the very record."""
    replay = done(done_version="v0")
    assert plan([replay], ASKED, "v1", NOW, 900).carried == ("L1 2026-09-01",)
    assert plan([{**replay, "kpi_input": "out"}], ASKED, "v1", NOW, 900).carried == ()
    assert plan([{**replay, "kpi_input": "older"}], ASKED, "v1", NOW, 900).carried == ("L1 2026-09-01",)


def test_a_dimension_carries_all_days() -> None:
    """Written as a star."""
    assert days_of("L1", {"dates": [], "all_dates": True}) == ["L1 *"]
