"""A row of a zip archive with several files is named by its file: its line counts within that file."""

import pyarrow as pa

from functions.validate.members import in_messages, in_results
from functions.validate.refused import SCHEMA
from functions.validate.report import report
from stockflow.ledger import StageRecord
from stockflow.members import Members
from tests.unit.validate.test_judge import CONTRACTS, LANDED, SALE, found, frame

TWO = {"members": [{"name": "a.csv", "rows": 2}, {"name": "empty.csv", "rows": 0}, {"name": "b.csv", "rows": 2}]}


def test_a_refused_row_names_its_file() -> None:
    raw = frame("sales", SALE, {**SALE, "line_number": "2"}, {**SALE, "receipt_number": "T2", "quantity": "x"}, SALE)
    judgement, _, refused = found("sales", raw)
    members = Members.of(TWO)
    assert {members.of_row(row) for row in (1, 2)} == {"a.csv"} and members.of_row(3) == "b.csv"
    rows = [{n: v[n] for n in SCHEMA.names} for v in refused]
    (wrong,) = [
        v for v in in_messages(members, pa.Table.from_pylist(rows, SCHEMA)).to_pylist() if v["rule"] == "quantity_type"
    ]
    assert wrong["message"].startswith("b.csv: ")
    in_results(members, judgement)
    result = next(r for r in judgement.results if r.check.rule == "quantity_type")
    assert result.observed.endswith("first in line 4 of b.csv")
    record = StageRecord("l", "sales", "validate", "validated", "", LANDED, LANDED, object="sales/x.zip", detail={})
    assert "b.csv: 4" in report(record, CONTRACTS["sales"], judgement)


def test_a_single_file_stays_unnamed() -> None:
    judgement, _, refused = found("sales", frame("sales", {**SALE, "quantity": "x"}))
    in_results(Members.of({"members": [{"name": "a.csv", "rows": 1}]}), judgement)
    assert all(v.member == "" for r in judgement.results for v in r.examples)
    assert refused and not any(v["message"].startswith("a.csv") for v in refused)


def test_what_another_stage_says_of_a_row_names_its_file_once() -> None:
    members = Members.of(TWO)
    assert members.said(4, "no such product") == "b.csv: no such product"
    assert members.said(4, "b.csv: no such product") == "b.csv: no such product"
    assert members.said(9, "no such product") == Members().said(1, "no such product") == "no such product"
