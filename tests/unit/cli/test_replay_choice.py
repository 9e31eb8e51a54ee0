"""What a replay means: periods, failures, when a load has settled."""

from datetime import UTC, datetime

import pytest

from cli.output import CommandError
from cli.replay.choice import Choice, has_failed, moment
from cli.replay.follow import is_settled, row_counts
from stockflow.ledger import StageRecord

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)


def record(stage: str, state: str, input_record: str | None = None, version: str = "1") -> StageRecord:
    return StageRecord("load", "sales", stage, state, version, NOON, NOON, input_record=input_record, rows=3, rejects=1)


def test_a_date_is_its_whole_day_and_a_time_is_utc() -> None:
    assert moment("2026-10-01") == datetime(2026, 10, 1, tzinfo=UTC)
    assert moment("2026-10-01", end=True) == datetime(2026, 10, 1, 23, 59, 59, 999_999, tzinfo=UTC)
    assert moment("2026-10-01T12:00:00") == moment("2026-10-01T14:00:00+02:00") == NOON


@pytest.mark.parametrize("text", ["yesterday", "01/10/2026", "2026-13-01"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(CommandError, match="expected a date"):
        moment(text)


def test_only_everything_since_is_a_seek() -> None:
    assert Choice("kpi").is_a_seek and Choice("kpi", first=NOON).is_a_seek
    for other in (
        Choice("kpi", feeds=("sales",)), Choice("kpi", loads=("ab",)), Choice("kpi", last=NOON),
        Choice("kpi", by="business"), Choice("kpi", stale=True), Choice("kpi", failed=True),
    ):  # fmt: skip
        assert not other.is_a_seek


def test_refused_pending_and_never_done_are_failures() -> None:
    def row(state: str, detail: str = "{}") -> dict[str, str]:
        return {"state": state, "detail": detail}

    assert has_failed("validate", None) and has_failed("validate", row("rejected"))
    assert has_failed("transform", row("pending")) and not has_failed("transform", row("transformed"))
    assert has_failed("kpi", row("refreshed", '{"failed": {"gmroi": "no such column"}}'))
    assert not has_failed("kpi", row("refreshed", '{"failed": {}}'))


def test_a_load_is_settled_when_each_later_stage_worked_on_the_new_record() -> None:
    validate = record("validate", "validated")
    transform = record("transform", "transformed", validate.record_id)
    kpi = record("kpi", "refreshed", transform.record_id)
    chain = {"validate": validate, "transform": transform, "kpi": kpi}
    assert is_settled("validate", "an older record", chain)
    assert not is_settled("validate", validate.record_id, chain)  # still the record from before
    assert is_settled("validate", None, chain)  # a redelivery writes no new one
    assert not is_settled("validate", None, {**chain, "kpi": record("kpi", "refreshed", "an older transform")})
    assert not is_settled("validate", None, {"validate": validate})


def test_a_refused_load_is_settled_and_a_pending_one_is_not() -> None:
    refused = record("validate", "rejected")
    assert is_settled("validate", None, {"validate": refused})
    validate = record("validate", "validated")
    marked = record("transform", "pending", validate.record_id)
    assert not is_settled("validate", None, {"validate": validate, "transform": marked})


def test_books_sum_what_the_records_say() -> None:
    assert row_counts([record("ingest", "loaded"), None, record("ingest", "loaded")]) == {
        "loads": 2,
        "rows": 6,
        "refused": 2,
    }
