"""What a last line or a control file counts is what those of earlier files counted; else a record may be missing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.ingest.receipts.described import described
from functions.validate.counted import counted_before, stated_before
from functions.validate.earlier import comparable_facts
from functions.validate.model import Judgement
from functions.validate.outcome import outcome
from functions.validate.series import series
from stockflow.ledger import StageRecord
from stockflow.values import Formats
from tests.unit.ingest.test_receipts import NOW, PASSED, World
from tests.unit.validate.test_judge import CONTRACTS

AT = datetime(2026, 10, 12, 8, tzinfo=UTC)


def ingested(**detail: Any) -> StageRecord:
    return StageRecord("abc", "sales", "ingest", "loaded", "v", AT, AT, object="sales/x.csv", detail=detail)


def judgement(before: str) -> Judgement:
    return Judgement(Formats(".", "dmy"), rows=102, counted_before=before)


def test_a_trailer_that_fits_only_by_another_reading_holds_the_file() -> None:
    load = ingested(trailer_count=103, trailer_counts="records and header")
    end = outcome(CONTRACTS["sales"], load, judgement("records"), None)
    assert (end.state, end.reason_code) == ("held", "trailer_counts_otherwise")
    assert end.message is not None and "says 103: right if it counts records and header" in end.message
    assert "`stockflow loads release abc`" in end.message


@pytest.mark.parametrize("before", ["", "records and header"])
def test_the_first_one_and_one_like_those_before_go_on(before: str) -> None:
    load = ingested(trailer_count=103, trailer_counts="records and header")
    assert outcome(CONTRACTS["sales"], load, judgement(before), None).state == "validated"
    assert comparable_facts(load, judgement(before))["trailer_counts"] == "records and header"


def test_a_file_without_such_a_line_is_not_compared() -> None:
    assert outcome(CONTRACTS["sales"], ingested(), judgement("records"), None).state == "validated"


def test_the_receipt_says_what_was_counted() -> None:
    assert described({"trailer_count": 1102, "trailer_counts": "records"}) == [
        "its last line counts 1,102: the records of the file"
    ]
    (doubt,) = described({"trailer_count": 103, "trailer_counts": "records and header"})
    assert doubt.startswith("warning: its last line counts 103: the records and the header; ")


def test_what_earlier_files_of_the_series_counted_is_asked_of_the_ledger() -> None:
    world, name = World(), "sales/till_2026-09-{}.csv"
    world.record(name.format("28"), *PASSED, judged={"series": series(name.format("28")), "trailer_counts": "records"})
    world.record("sales/other.csv", *PASSED, judged={"series": series("sales/other.csv"), "trailer_counts": "lines"})
    later = replace(
        ingested(trailer_count=3, trailer_counts="records and header"), object=name.format("29"),
        landed_at=NOW + timedelta(hours=1), generation=2,
    )  # fmt: skip
    assert counted_before(CONTRACTS["sales"], later, world) == "records"
    assert counted_before(CONTRACTS["sales"], replace(later, detail={}), world) == ""


def control(*counts: str, stated: int = 103) -> dict[str, Any]:
    return {"control_file": "sales/x.ctl", "control_count": stated, "control_counts": list(counts)}


def test_a_control_file_that_fits_only_by_another_reading_holds_the_file() -> None:
    load = ingested(**control("records and header", "lines"))
    end = outcome(CONTRACTS["sales"], load, replace(judgement(""), stated_before=("records",)), None)
    assert (end.state, end.reason_code) == ("held", "control_counts_otherwise")
    assert end.message is not None and "says 103: right if it counts records and header or lines" in end.message


@pytest.mark.parametrize("before", [(), ("lines",), ("records and totals", "lines")])
def test_a_reading_in_common_with_those_before_goes_on_and_is_the_one_to_compare_with(before: tuple[str, ...]) -> None:
    load, judged = ingested(**control("records and header", "lines")), replace(judgement(""), stated_before=before)
    assert outcome(CONTRACTS["sales"], load, judged, None).state == "validated"
    common = ["lines"] if before else ["records and header", "lines"]
    assert comparable_facts(load, judged)["control_counts"] == common


def test_the_receipt_says_what_a_control_file_counts() -> None:
    assert described(control("records")) == ["its control file sales/x.ctl counts 103: the records of the file"]
    (doubt,) = described(control("records and header", "lines"))
    assert doubt == (
        "warning: its control file sales/x.ctl counts 103: the records and the header, or all lines of the file; "
        "a file that has lost records would look the same"
    )


def test_what_earlier_control_files_of_the_series_counted_is_asked_of_the_ledger() -> None:
    world, name = World(), "sales/till_2026-09-{}.csv"
    later = replace(
        ingested(**control("records and header")), object=name.format("29"), landed_at=NOW + timedelta(hours=1),
        generation=2,
    )  # fmt: skip
    assert stated_before(CONTRACTS["sales"], later, world) == ()
    for about, load in ((name.format("29"), "abc"), ("sales/other.csv", "x")):
        said = {**control("records"), "about": about, "about_load": load}
        world.record(f"{about}.ctl", ("ingest", "ignored"), detail=said, reason_code="control_file")
    assert stated_before(CONTRACTS["sales"], later, world) == ()
    said = {**control("records"), "about": name.format("28"), "about_load": "y"}
    world.record(name.format("28") + ".ctl", ("ingest", "ignored"), detail=said, reason_code="control_file")
    assert stated_before(CONTRACTS["sales"], later, world) == ("records",)
    world.record(name.format("27"), *PASSED, judged={"series": series(name.format("27")), "control_counts": ["lines"]})
    assert stated_before(CONTRACTS["sales"], later, world) == ("lines",)
    assert stated_before(CONTRACTS["sales"], replace(later, detail={}), world) == ()
