"""What a drain has to do: pending, asked for, just done, failed before, not all visible, or not known."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from functions.transform.plan import Load, Now, Plan, plan
from functions.transform.script import APART, near
from stockflow.contracts import load_contracts
from stockflow.ledger import Asked
from stockflow.settings import bundle_root

NOW = Now("v1", datetime(2026, 10, 1, 12, 0, tzinfo=UTC), 900)
VALIDATED_AT = NOW.at - timedelta(minutes=10)
ASKED = frozenset({Asked("L1")})
CONTRACTS = load_contracts(bundle_root() / "contracts")


def row(load: str = "L1", **changes: Any) -> dict[str, Any]:
    return {"load_id": load, "record_id": "in", "validate_state": "validated", "validated_at": VALIDATED_AT,
            "complete": True, "failures": 0, "landed_on": date(2026, 10, 1), "object": f"sales/{load}.csv",
            "done_record": None, "done_state": None, "done_version": None, "done_input": None, "done_at": None,
            "done_detail": None, **changes}  # fmt: skip


def done(load: str = "L1", **changes: Any) -> dict[str, Any]:
    detail = '{"dates": ["2026-09-01"], "all_dates": false}'
    fields = {"done_record": "out", "done_state": "transformed", "done_version": "v1", "done_input": "in",
              "done_at": NOW.at - timedelta(minutes=5), "done_detail": detail}  # fmt: skip
    return row(load, **{**fields, **changes})


def ids(loads: tuple[Load, ...]) -> set[str]:
    return {load.load_id for load in loads}


def test_a_pending_load_is_taken_whoever_asks() -> None:
    """A drain takes what others left behind."""
    assert ids(plan([row("L1"), row("L2")], ASKED, NOW).ready) == {"L1", "L2"}


def test_what_was_just_done_is_only_said_again() -> None:
    """Same version, same input, within the window."""
    todo = plan([done()], ASKED, NOW)
    assert todo.ready == ()
    assert [load.detail for load in todo.repeated] == [{"dates": ["2026-09-01"], "all_dates": False}]


def test_a_load_whose_raw_rows_have_ended_stays_as_it_is() -> None:
    """Without them it would be taken for a load without rows, and its rows out of curated."""
    kept = replace(NOW, raw_since=date(2026, 9, 1))
    old, new = done("L1", landed_on=date(2026, 9, 1), done_input="older"), row("L2", landed_on=date(2026, 9, 2))
    assert ids(plan([old, new], ASKED, kept).ready) == {"L2"}
    assert ids(plan([old, new], ASKED, NOW).ready) == {"L1", "L2"}


def test_later_or_otherwise_it_is_a_replay() -> None:
    """After the window, at another version, from another validation, or when a dimension changed."""
    for changes in (
        {"done_at": NOW.at - timedelta(minutes=15)},
        {"done_version": "v0"},
        {"done_input": "older"},
        {"done_state": "pending", "done_input": None},
    ):
        assert ids(plan([done(**changes)], ASKED, NOW).ready) == {"L1"}, changes


def test_a_refused_load_has_no_work_unless_it_was_let_through() -> None:
    """Taking it back is work."""
    assert plan([row(validate_state="rejected")], ASKED, NOW) == Plan()
    taken_back = done(validate_state="rejected", done_input="older")
    assert ids(plan([taken_back], ASKED, NOW).ready) == {"L1"}


def test_a_load_without_validation_is_unknown() -> None:
    """Its event names no record: the caller tries again."""
    assert plan([], ASKED, NOW) == Plan(unknown=frozenset({"L1"}))


def test_a_validation_that_the_ledger_does_not_show_yet_is_awaited() -> None:
    """The event speaks of a record newer than the one that shows; the older one is not taken in its place."""
    newer = frozenset({Asked("L1", date(2026, 10, 1), VALIDATED_AT + timedelta(seconds=1))})
    for rows in ([], [row()]):
        assert plan(rows, newer, NOW) == Plan(awaited=frozenset({"L1"}))
    same = frozenset({Asked("L1", date(2026, 10, 1), VALIDATED_AT)})
    assert ids(plan([row()], same, NOW).ready) == {"L1"}


def test_of_two_calls_for_one_load_the_newer_record_counts() -> None:
    """Whatever order they come in."""
    older, newer = (Asked("L1", None, VALIDATED_AT + timedelta(seconds=s)) for s in (0, 1))
    assert plan([row()], frozenset({older, newer, Asked("L1")}), NOW).awaited == {"L1"}


def test_a_load_whose_refused_rows_do_not_all_show_is_not_taken() -> None:
    """Who asks for it waits; its neighbours do not."""
    hidden = row(complete=False)
    todo = plan([hidden, row("L2")], ASKED, NOW)
    assert (ids(todo.ready), set(todo.awaited), ids(todo.incomplete)) == ({"L2"}, {"L1"}, {"L1"})
    assert plan([hidden], frozenset(), NOW) == Plan()


def test_a_load_that_failed_by_itself_is_tried_again_only_when_asked_for() -> None:
    """And then by itself: it does not hold up the others."""
    bad = row(failures=1)
    assert plan([bad, row("L2")], frozenset(), NOW) == plan([row("L2")], frozenset(), NOW)
    todo = plan([bad, row("L2")], ASKED, NOW)
    assert (ids(todo.ready), ids(todo.suspects)) == ({"L2"}, {"L1"})


def test_a_parked_load_is_left_alone_until_it_is_asked_for_or_validated_anew() -> None:
    """An explicit event tries it again, by itself."""
    parked = done(done_state="failed")
    assert plan([parked], frozenset(), NOW) == Plan()
    assert ids(plan([parked], ASKED, NOW).suspects) == {"L1"}
    assert ids(plan([{**parked, "done_input": "older"}], frozenset(), NOW).ready) == {"L1"}


def test_a_thousand_failing_loads_do_not_hide_a_good_one() -> None:
    """Nothing is cut off by a limit."""
    bad = [row(f"B{n}", failures=1) for n in range(1_000)]
    assert ids(plan([*bad, row("GOOD")], frozenset(), NOW).ready) == {"GOOD"}


@pytest.mark.parametrize(
    ("feed", "name", "rule", "whole"),
    [
        ("sales", "sales/sales_2026-09-01.csv", None, True),
        ("sales", "sales/2026/09/01/export.csv", None, True),
        ("sales", "sales/export.csv", None, False),
        ("products", "products/products_2026-09-01.csv", None, False),
        ("sales", "sales/sales_2026-09-01.csv", "merge", False),
        ("sales", "sales/export.csv", "replace", True),
        ("products", "products/products.csv", "replace", True),
    ],
)
def test_which_objects_are_whole_statements(feed: str, name: str, rule: str | None, whole: bool) -> None:
    """Facts whose name is dated; the contract may say otherwise."""
    contract = CONTRACTS[feed]
    if rule:
        contract = replace(contract, properties={**contract.properties, "generations": rule})
    assert Load(row(object=name)).is_replaced_as_a_whole(contract) is whole


def test_other_generations_are_looked_for_on_near_days() -> None:
    """Never on no day at all: an array without a type is text to BigQuery."""
    days = near([date(2026, 10, 1)])
    assert (days[0], days[-1], len(days)) == (date(2026, 7, 1), date(2027, 1, 1), 2 * APART + 1)
    assert len(near([])) == 1
