"""The ledger's pure parts: what is a duplicate, what is a replay, what a record carries over."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from stockflow.ledger import StageRecord, announce, is_duplicate, next_record, record_of
from tests.support.logs import logged

NOW = datetime(2026, 10, 12, 8, 0, tzinfo=UTC)
DONE = StageRecord(
    load_id="abc", feed="sales", stage="validate", state="validated", stage_version="v1",
    started_at=NOW - timedelta(seconds=70), finished_at=NOW - timedelta(seconds=60), input_record="in-1",
    object="sales/x.csv", generation=7, rows=10, detail={"decimal_mark": ","},
)  # fmt: skip


def test_a_redelivery_soon_after_is_a_duplicate() -> None:
    """Same version, same input, within the window: nothing is to be done."""
    assert is_duplicate(DONE, "v1", "in-1", NOW, 900)


@pytest.mark.parametrize(
    ("version", "given", "later"),
    [("v2", "in-1", 0), ("v1", "in-2", 0), ("v1", "in-1", 900)],
    ids=["another version", "another input", "after the window"],
)
def test_anything_else_is_a_replay(version: str, given: str, later: int) -> None:
    """Then the stage is computed again."""
    assert not is_duplicate(DONE, version, given, NOW + timedelta(seconds=later), 900)


def test_a_first_delivery_is_no_duplicate() -> None:
    """Nothing was done yet."""
    assert not is_duplicate(None, "v1", "in-1", NOW, 900)


def test_a_record_survives_the_table() -> None:
    """What is appended is what is read back; unknown columns of a newer table are no trouble."""
    assert record_of({**DONE.row(), "a_newer_column": 1}) == DONE


def test_the_next_stage_carries_the_object_over_but_no_counts() -> None:
    """Each stage counts for itself and names the record it was computed from."""
    after = next_record(DONE, "transform", state="transformed", finished_at=NOW, rows=9)
    assert (after.object, after.generation, after.rows, after.detail) == ("sales/x.csv", 7, 9, {})
    assert after.input_record == DONE.record_id


def test_a_recomputed_stage_is_another_record() -> None:
    """So the latest one can win."""
    assert replace(DONE, finished_at=NOW).record_id != DONE.record_id


def test_what_a_validation_refused_is_told_as_a_share_of_what_it_judged() -> None:
    """Other stages judge nothing; where nothing was judged there is no share."""
    empty = replace(DONE, rows=0, quarantined=0)
    with logged() as lines:
        announce(replace(DONE, rows=9, quarantined=1), empty, replace(DONE, stage="ingest", rows=9, quarantined=1))
    assert [line.json_fields.get("refused_share") for line in lines] == [0.1, None, None]
